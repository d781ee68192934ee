"""Multi-head attention with every step in view."""

import math

import keras
from keras import ops

from vitkeras.layers import checks

PROJECTIONS = ("query_dense", "key_dense", "value_dense", "output_dense")  # Keras's layer calls them the same


@keras.saving.register_keras_serializable(package="vitkeras")
class MyMultiHeadAttention(keras.layers.Layer):
    """What `keras.layers.MultiHeadAttention` does, step by step, and with the same call.

        Attention(Q, K, V) = softmax(Q Kᵀ / √key_dim) V        in each head, with weights of its own

    **In a mask, True means: attend** (as in Keras; the lecture's class has it the other way round). Numbers are taken
    as True unless they are 0. A token that may attend to nothing gets weights of 0, not NaN.

    `key_dim` is the width of *one* head, so that Q, K and V are `num_heads * key_dim` wide, whatever the input's width.

    In:  query (batch, targets, query width), value and key (batch, sources, their width), masks broadcastable to
         (batch, targets, sources) or (batch, num_heads, targets, sources)
    Out: (batch, targets, query width); with `return_attention_scores=True` also the weights before dropout,
         (batch, num_heads, targets, sources)

    >>> tokens = np.ones((2, 16, 64), "float32")
    >>> tuple(MyMultiHeadAttention(num_heads=4, key_dim=64)(tokens, tokens).shape)
    (2, 16, 64)
    """

    def __init__(self, num_heads, key_dim, dropout=0.1, *, value_dim=None, use_bias=True, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        value_dim = key_dim if value_dim is None else value_dim
        self.num_heads, self.key_dim, self.value_dim = checks.positive(
            "MyMultiHeadAttention", num_heads=num_heads, key_dim=key_dim, value_dim=value_dim
        )
        (self.dropout,) = checks.rate("MyMultiHeadAttention", dropout=dropout)
        self.use_bias = use_bias
        self.seed = seed

        def projection(width, name):
            return keras.layers.Dense(width, use_bias=use_bias, name=name, dtype=self.dtype_policy)

        self.query_dense = projection(self.num_heads * self.key_dim, "query")
        self.key_dense = projection(self.num_heads * self.key_dim, "key")
        self.value_dense = projection(self.num_heads * self.value_dim, "value")
        self.dropout_layer = keras.layers.Dropout(self.dropout, seed=seed, dtype=self.dtype_policy)

    def build(self, query_shape, value_shape, key_shape=None):
        self.check_shapes(query_shape, value_shape, key_shape)
        self.query_dense.build(query_shape)
        self.key_dense.build(key_shape or value_shape)
        self.value_dense.build(value_shape)
        # As wide as the query, so that the skip connection can add the two: known only now.
        self.output_dense = keras.layers.Dense(
            query_shape[-1], use_bias=self.use_bias, name="attention_output", dtype=self.dtype_policy
        )
        self.output_dense.build((*query_shape[:-1], self.num_heads * self.value_dim))

    def call(
        self,
        query,
        value,
        key=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=None,
        use_causal_mask=False,
    ):
        key = value if key is None else key
        self.check_shapes(query.shape, value.shape, key.shape)

        # 1. Project, and deal the result out to the heads.
        q = self.split_heads(self.query_dense(query))  # (batch, heads, targets, key_dim)
        k = self.split_heads(self.key_dense(key))  # (batch, heads, sources, key_dim)
        v = self.split_heads(self.value_dense(value))  # (batch, heads, sources, value_dim)

        # 2. Compare every target with every source. Dividing Q rather than the product keeps float16 in range.
        k_transposed = ops.transpose(k, (0, 1, 3, 2))  # (batch, heads, key_dim, sources)
        scores = ops.matmul(q / math.sqrt(self.key_dim), k_transposed)  # (batch, heads, targets, sources)

        # 3. Each target's weights over the sources sum to one.
        mask = self.merge_masks(scores, query_mask, value_mask, key_mask, attention_mask, use_causal_mask)
        weights = softmax_where(mask, scores)  # (batch, heads, targets, sources)

        # 4. Mix the values by these weights, head by head.
        mixed = ops.matmul(self.dropout_layer(weights, training=training), v)  # (batch, heads, targets, value_dim)

        # 5. Lay the heads side by side, and let the last projection mix what they have found.
        output = self.output_dense(self.join_heads(mixed))  # (batch, targets, query width)
        return (output, weights) if return_attention_scores else output

    def split_heads(self, x):
        batch, tokens, width = ops.shape(x)
        x = ops.reshape(x, (batch, tokens, self.num_heads, width // self.num_heads))
        return ops.transpose(x, (0, 2, 1, 3))  # (batch, heads, tokens, width of a head)

    def join_heads(self, x):
        batch, _, tokens, _ = ops.shape(x)
        x = ops.transpose(x, (0, 2, 1, 3))  # (batch, tokens, heads, width of a head)
        return ops.reshape(x, (batch, tokens, self.num_heads * self.value_dim))

    def merge_masks(self, scores, query_mask, value_mask, key_mask, attention_mask, use_causal_mask):
        """Who may attend to whom, as one mask, (batch or 1, heads or 1, targets, sources), or None."""
        masks = []
        if query_mask is not None:
            masks.append(as_bool(query_mask)[:, None, :, None])  # (batch, 1, targets, 1)
        for source_mask in (value_mask, key_mask):
            if source_mask is not None:
                masks.append(as_bool(source_mask)[:, None, None, :])  # (batch, 1, 1, sources)
        if attention_mask is not None:
            masks.append(self.with_head_axis(as_bool(attention_mask), scores.shape))
        if use_causal_mask:
            targets, sources = ops.shape(scores)[2:]
            # (targets, 1) >= (1, sources): nobody looks ahead
            masks.append((ops.arange(targets)[:, None] >= ops.arange(sources)[None, :])[None, None])
        merged = None
        for mask in masks:
            merged = mask if merged is None else ops.logical_and(merged, mask)
        return merged

    def with_head_axis(self, mask, scores_shape):
        given = tuple(mask.shape)
        if len(given) == 3:
            mask = mask[:, None]  # (batch, 1, targets, sources): the same for every head
        elif len(given) == 2:
            mask = mask[None, None]  # (1, 1, targets, sources): the same for every image
        fits = len(mask.shape) == 4 and all(
            m in (1, None) or s is None or m == s for m, s in zip(mask.shape, scores_shape, strict=True)
        )
        if not fits:
            batch, heads, targets, sources = scores_shape
            raise ValueError(
                f"`attention_mask` must broadcast to (batch, targets, sources) = {(batch, targets, sources)}, or with "
                f"a head axis to {(batch, heads, targets, sources)}; True means attend. Received: shape {given}"
            )
        return mask

    def check_shapes(self, query_shape, value_shape, key_shape=None):
        layer = "MyMultiHeadAttention"
        query_shape = checks.axes(layer, "query", query_shape, "batch", "targets", "width")
        value_shape = checks.axes(layer, "value", value_shape, "batch", "sources", "width")
        key_shape = checks.axes(layer, "key", key_shape or value_shape, "batch", "sources", "width")
        if None not in (value_shape[1], key_shape[1]) and value_shape[1] != key_shape[1]:
            raise ValueError(
                f"Each key stands for one value, so there must be as many of both. "
                f"Received: {key_shape[1]} keys {key_shape} and {value_shape[1]} values {value_shape}"
            )
        return query_shape, value_shape

    def compute_output_shape(self, query_shape, value_shape, key_shape=None):
        return self.check_shapes(query_shape, value_shape, key_shape)[0]

    def compute_output_spec(self, query, value, key=None, *args, return_attention_scores=False, **kwargs):
        # `return_attention_scores` may also come by position: it is the fifth argument after `key`.
        return_attention_scores = args[4] if len(args) > 4 else return_attention_scores
        key_shape = None if key is None else key.shape
        output = keras.KerasTensor(self.compute_output_shape(query.shape, value.shape, key_shape), self.compute_dtype)
        if not return_attention_scores:
            return output
        batch, targets, _ = query.shape
        return output, keras.KerasTensor((batch, self.num_heads, targets, value.shape[1]), self.compute_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "dropout": self.dropout,
            "value_dim": self.value_dim,
            "use_bias": self.use_bias,
            "seed": self.seed,
        }


def as_bool(mask):
    mask = ops.convert_to_tensor(mask)
    return mask if mask.dtype == "bool" else ops.not_equal(mask, 0)


def softmax_where(mask, scores):
    """Softmax over the last axis among the places where `mask` is True; 0 elsewhere, even where no place is left.

    >>> np.asarray(softmax_where(ops.convert_to_tensor([True, True, False]), ops.zeros(3))).tolist()
    [0.5, 0.5, 0.0]
    """
    if mask is None:
        return ops.softmax(scores, axis=-1)
    lowest = -65504.0 if keras.backend.standardize_dtype(scores.dtype) == "float16" else -1e30
    weights = ops.softmax(ops.where(mask, scores, ops.cast(lowest, scores.dtype)), axis=-1)
    return ops.where(mask, weights, ops.zeros_like(weights))


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
            variable.assign(ops.reshape(value, variable.shape))


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
