"""Weights carried between our attention layer and Keras's."""

import keras
import numpy as np

from vitkeras.layers.attention import MyMultiHeadAttention

PROJECTIONS = ("query_dense", "key_dense", "value_dense", "output_dense")  # both layers call them so


def copy_attention_weights(source, target):
    """Give `target` the weights of `source`: from Keras's layer to ours, from ours to Keras's, or between two alike.

    Keras keeps one matrix a head, (width, heads, key_dim); ours lie side by side, (width, heads * key_dim), as in the
    lecture: the same numbers in the same order. A target that was never called is built on the way.

    >>> tokens = np.random.default_rng(0).normal(size=(2, 16, 64)).astype("float32")
    >>> keras_layer, mine = keras.layers.MultiHeadAttention(4, 16), MyMultiHeadAttention(4, 16)
    >>> expected = keras_layer(tokens, tokens)
    >>> copy_attention_weights(keras_layer, mine)
    >>> bool(np.allclose(mine(tokens, tokens), expected, atol=1e-6))
    True
    """
    for layer in (source, target):
        if not isinstance(layer, (MyMultiHeadAttention, keras.layers.MultiHeadAttention)):
            raise ValueError(
                "Weights are copied between MyMultiHeadAttention and keras.layers.MultiHeadAttention. "
                f"Received: a {type(layer).__name__}"
            )
        config = layer.get_config()
        more = {name: config.get(name) for name in ("use_gate", "sliding_window", "output_shape") if config.get(name)}
        if more:
            raise ValueError(f"MyMultiHeadAttention has no such thing as {more}. Make Keras's layer without it")
    if not source.built:
        raise ValueError("The source layer has no weights yet: call it on an input first, or build it")
    if not target.built:
        query, key, value = (getattr(source, name).kernel.shape[0] for name in PROJECTIONS[:3])
        target.build((None, None, query), (None, None, value), (None, None, key))
    given, wanted = sizes(source), sizes(target)
    if given != wanted:
        raise ValueError(f"The two layers must be alike. Received: a source with {given} and a target with {wanted}")
    for name in PROJECTIONS:
        pairs = zip(getattr(target, name).weights, getattr(source, name).weights, strict=True)
        for variable, value in pairs:
            # By way of NumPy: JAX would let both layers share one array, and training gives it away.
            variable.assign(np.reshape(keras.ops.convert_to_numpy(value), variable.shape))


def sizes(layer):
    """What two attention layers must have in common for the weights of one to fit the other."""
    return {
        "num_heads": layer.num_heads,
        "key_dim": layer.key_dim,
        "value_dim": layer.value_dim,
        "use_bias": layer.use_bias,
        "input widths": tuple(getattr(layer, name).kernel.shape[0] for name in PROJECTIONS[:3]),
        "output width": layer.output_dense.kernel.shape[-1],
    }
