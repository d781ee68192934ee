"""What a trained model attends to: the weights of every head, and what may be worked out from them.

>>> from vitkeras import attention
"""

import math

import keras
import numpy as np

from vitkeras.backbones import embedding_and_encoder
from vitkeras.errors import Misuse
from vitkeras.layers import EncoderBlock, MyMultiHeadAttention

ATTENDING = (EncoderBlock, MyMultiHeadAttention, keras.layers.MultiHeadAttention)  # they can hand out their weights


def scores(model, images, batch_size=256):
    """The attention weights of all layers and heads, before dropout: row i is how token i looks at the others.

    The model is run again, call by call and with its own weights; only that its attention layers hand out what they
    would otherwise keep to themselves.

    In:  a model made of one keras.Input, layers and keras.Model; images (images, height, width, channels) as the model
         takes them, or uint8 from 0 to 255, which are scaled from 0 to 1 as in training
    Out: (layers, images, heads, tokens, tokens), float32; where layers differ in this, a list with an array for each

    >>> inputs = keras.Input((28, 28, 1))
    >>> tokens = keras.layers.Reshape((16, 49))(inputs)
    >>> model = keras.Model(inputs, MyMultiHeadAttention(num_heads=4, key_dim=16)(tokens, tokens))
    >>> scores(model, np.zeros((3, 28, 28, 1), "uint8")).shape
    (1, 3, 4, 16, 16)
    """
    return scores_by(probe_of(model), images, batch_size)


def scores_by(probe, images, batch_size=256):
    """The same by a probe that is there already."""
    images = images / np.float32(255) if images.dtype == np.uint8 else images
    batches = [images[i : i + batch_size] for i in range(0, len(images), batch_size)]
    found = [[as_float32(weights) for weights in probe(batch, training=False)[1:]] for batch in batches]
    found = [np.concatenate(layer) for layer in zip(*found, strict=True)]
    return np.stack(found) if len({layer.shape for layer in found}) == 1 else found


def probe_of(model):
    """A model of the same layers and weights that gives [its output, the weights of each attention layer]."""
    weights = []

    def call(layer, *args, **kwargs):
        if not isinstance(layer, ATTENDING):
            return layer(*args, **kwargs)
        # A twin, for Keras counts a layer's outputs by its first call, and that had one.
        twin = type(layer).from_config({**layer.get_config(), "name": f"probed_{len(weights)}_{layer.name}"})
        output, layer_weights = twin(*args, **{**kwargs, "return_attention_scores": True})
        twin.set_weights(layer.get_weights())
        weights.append(layer_weights)
        return (output, layer_weights) if kwargs.get("return_attention_scores") else output

    if len(getattr(model, "inputs", None) or ()) == 1:
        functional = keras.Model(model.inputs[0], model.outputs)
        again = keras.models.clone_model(functional, clone_function=lambda layer: layer, call_function=call)
    if not weights:
        raise Misuse(
            "Attention is read out of a model that is made of one keras.Input, layers and keras.Model, with a layer of "
            f"these kinds at its top level: {', '.join(kind.__name__ for kind in ATTENDING)}. "
            f"Received: {model.name!r}, a {type(model).__name__} of {kinds_of(model)}"
        )
    return keras.Model(again.inputs[0], [again.outputs[0], *weights])


def square_grid(weights):
    """Rows and columns of the patches that attended: as many of both. weights: (…, patches, patches)

    >>> square_grid(np.zeros((4, 1, 2, 49, 49)))
    (7, 7)
    """
    if isinstance(weights, list):
        raise Misuse("The layers of this model do not all attend to the same tokens, so there is no one grid of them.")
    side = math.isqrt(weights.shape[-1])
    if side * side != weights.shape[-1]:
        raise Misuse(
            f"{weights.shape[-1]} tokens do not fill a square. Needed here is a model whose tokens are the patches of "
            "a square image, without a class token."
        )
    return side, side


def scores_of_backbone(backbone, images, batch_size=16):
    """The attention weights of a `ViTBackbone` or `DeiTBackbone` of KerasHub's, block by block.

    KerasHub's ViT keeps its weights to itself, so each block's attention is asked again, with what goes into it.

    In:  images (images, height, width, channels), float32, prepared as the backbone takes them
    Out: (layers, images, heads, tokens, tokens), float32; the class token comes first, in a DeiT the distillation
         token second
    """
    embedding, encoder = embedding_and_encoder(backbone)
    batches = []
    for start in range(0, len(images), batch_size):
        tokens, layers = embedding(images[start : start + batch_size]), []  # (batch, tokens, width)
        for block in encoder.encoder_layers:
            normed = block.layer_norm_1(tokens)
            layers.append(as_float32(block.mha(normed, normed, return_attention_scores=True)[1]))
            output = block(tokens)
            tokens = output[0] if isinstance(output, tuple) else output
        batches.append(np.stack(layers))
    return np.concatenate(batches, axis=1)


def kinds_of(model):
    return ", ".join(dict.fromkeys(type(layer).__name__ for layer in model.layers)) or "no layers"


def as_float32(tensor):
    return keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32"))


def rollout(scores):
    """How much of each input token has come to each output token, through all layers (Abnar and Zuidema, 2020).

        A' = (mean of A over the heads + I) / 2, rows summing to one        the skip connection counts as much
        R  = A'(last layer) ... A'(second) A'(first)                       as the attention does

    In:  (layers, images, heads, tokens, tokens), or a list of layers
    Out: (images, tokens, tokens), rows summing to one

    >>> rollout(np.eye(3)[None, None, None]).round(3)[0].tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    rolled = None
    for layer in scores:
        mixed = layer.mean(1) + np.eye(layer.shape[-1])  # (images, tokens, tokens)
        mixed = mixed / mixed.sum(-1, keepdims=True)
        rolled = mixed if rolled is None else mixed @ rolled
    return rolled


def between_patches(weights, grid):
    """The weights between patches alone: tokens before them, such as a class token, are left out of rows and columns.

    In:  (..., tokens, tokens); `grid` is (rows, columns) of the patches
    Out: (..., patches, patches), rows summing to one
    """
    weights = weights[..., tokens_before(weights, grid) :, tokens_before(weights, grid) :]
    return weights / weights.sum(-1, keepdims=True)


def heat(weights, grid):
    """How much each patch is looked at: by the class token if there is one, else by all tokens on average.

    In:  (..., tokens, tokens), of one head or from `rollout`; `grid` is (rows, columns) of the patches
    Out: (..., rows, columns), summing to one
    """
    before = tokens_before(weights, grid)
    looked_at = weights[..., 0, before:] if before else weights.mean(-2)  # (..., patches)
    looked_at = looked_at / looked_at.sum(-1, keepdims=True)
    return looked_at.reshape(*looked_at.shape[:-1], *grid)


def tokens_before(weights, grid):
    """How many tokens stand before those of the patches: none, a class token, or one more for distillation."""
    rows, columns = grid
    before = weights.shape[-1] - rows * columns
    if weights.shape[-1] != weights.shape[-2] or not 0 <= before <= 2:
        raise Misuse(
            f"A grid of {rows} x {columns} patches needs weights of ({rows * columns}, {rows * columns}), or of one or "
            f"two tokens more, which come before the patches. Received: {weights.shape}"
        )
    return before


def distances(grid, patch_size):
    """How far the patches' centres lie apart, in pixels: (patches, patches).

    >>> distances((1, 3), 7).tolist()
    [[0.0, 7.0, 14.0], [7.0, 0.0, 7.0], [14.0, 7.0, 0.0]]
    """
    centres = patch_size * np.stack(np.divmod(np.arange(grid[0] * grid[1]), grid[1]), -1)  # (patches, 2)
    return np.linalg.norm(centres[:, None] - centres, axis=-1)


def mean_distance(scores, grid, patch_size):
    """How far each head looks, in pixels: the distance of what is looked at, by its weight (the paper's figure 7).

    In:  (layers, images, heads, tokens, tokens), or a list of layers; `grid` is (rows, columns) of the patches
    Out: (layers, heads), or a list of (heads,)
    """
    apart = distances(grid, patch_size)
    means = [(between_patches(layer, grid) * apart).sum(-1).mean((0, 2)) for layer in scores]
    return np.stack(means) if isinstance(scores, np.ndarray) else means


def difference(p, q):
    """The part of the attention that would have to move to turn p into q: half of the sum of |p - q|, from 0 to 1.

    In: (..., tokens) each, summing to one
    """
    return np.abs(p - q).sum(-1) / 2


def between_heads(scores):
    """How much two heads of a layer differ on the same image, over all pairs: (layers,)."""
    return np.array([np.mean([difference(layer[:, i], layer[:, j]) for i, j in pairs(layer)]) for layer in scores])


def pairs(layer):
    first, second = np.triu_indices(layer.shape[1], 1)
    if not len(first):
        raise ValueError(f"Heads are compared where there are two at least. Received: {layer.shape[1]} head")
    return zip(first, second, strict=True)


def between_images(scores):
    """How much a head differs from itself on another image (each one's next): (layers,)."""
    return np.array([difference(layer, np.roll(layer, 1, axis=0)).mean() for layer in scores])


def covered(images, patches, patch_size, value):
    """The images with some patches painted over, in one grey.

    In:  images (images, height, width, channels); patches (images, how many), row-major numbers, for each image its own
    Out: the images again
    """
    count, height, width, _ = images.shape
    hidden = np.zeros((count, (height // patch_size) * (width // patch_size)), bool)
    np.put_along_axis(hidden, patches, True, axis=1)
    hidden = hidden.reshape(count, height // patch_size, width // patch_size, 1)
    hidden = hidden.repeat(patch_size, axis=1).repeat(patch_size, axis=2)  # (images, height, width, 1)
    return np.where(hidden, np.asarray(value, images.dtype), images)
