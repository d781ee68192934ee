"""Exercise 8: take the attention out of a model, and lay it over the picture."""

import keras
from numpy.typing import ArrayLike  # a NumPy array, or a tensor of Keras or TensorFlow


class Positions(keras.layers.Layer):
    """Given: adds a vector of its own to each token."""

    def build(self, shape):
        self.table = self.add_weight(shape=shape[1:], name="table")  # (tokens, width)

    def call(self, tokens):
        return tokens + self.table


def tiny_vit(image_shape, patch_size: int, width: int, heads: int, blocks: int) -> keras.Model:
    """Given, and not to be changed: a ViT without a class token. The tests put their own weights into it."""
    inputs = keras.Input(image_shape)  # (batch, height, width, channels)
    x = keras.layers.Conv2D(width, patch_size, strides=patch_size)(inputs)
    x = Positions()(keras.layers.Reshape((-1, width))(x))  # (batch, tokens, width)
    for _ in range(blocks):
        normal = keras.layers.LayerNormalization(epsilon=1e-6)(x)
        x = x + keras.layers.MultiHeadAttention(heads, key_dim=width // heads)(normal, normal)
        normal = keras.layers.LayerNormalization(epsilon=1e-6)(x)
        x = x + keras.layers.Dense(width)(keras.layers.Dense(2 * width, activation="relu")(normal))
    x = keras.layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, keras.layers.Dense(10)(x))


def attention_scores(model: keras.Model, images: ArrayLike) -> ArrayLike:
    """The attention weights of all layers and heads: row i is how token i shares its look out.

    In:  a model of `tiny_vit`; images (images, height, width, channels)
    Out: (layers, images, heads, tokens, tokens); the layer next to the picture comes first
    """
    raise NotImplementedError("attention_maps.py: write attention_scores()")


def mean_over_heads(scores: ArrayLike) -> ArrayLike:
    """What the heads of a layer look at, on average.

    In:  (layers, images, heads, tokens, tokens)
    Out: (layers, images, tokens, tokens)
    """
    raise NotImplementedError("attention_maps.py: write mean_over_heads()")


def rollout(scores: ArrayLike) -> ArrayLike:
    """How much of each token of the picture has come to each token at the end, through all layers.

    In:  (layers, images, heads, tokens, tokens)
    Out: (images, tokens, tokens), rows summing to one
    """
    raise NotImplementedError("attention_maps.py: write rollout()")


def looked_at(weights: ArrayLike) -> ArrayLike:
    """How much each token is looked at, averaged over all tokens that look.

    In:  (images, tokens, tokens), row i is how token i looks
    Out: (images, tokens)
    """
    raise NotImplementedError("attention_maps.py: write looked_at()")


def to_image(values: ArrayLike, grid, size) -> ArrayLike:
    """Give every pixel the value of its patch. ValueError if the grid does not divide the size, or has other patches.

    In:  (images, patches); `grid` is (rows, columns) of the patches, `size` is (height, width) in pixels
    Out: (images, height, width)

    >>> to_image(np.array([[1.0, 2.0]]), (1, 2), (1, 4))
    array([[[1., 1., 2., 2.]]])
    """
    raise NotImplementedError("attention_maps.py: write to_image()")


def overlay(images: ArrayLike, heat: ArrayLike) -> ArrayLike:
    """Lay a heat map over each picture: red where the heat is high.

    In:  images (images, height, width, 1 or 3), from 0 to 1; heat (images, height, width), any numbers
    Out: (images, height, width, 3), from 0 to 1
    """
    raise NotImplementedError("attention_maps.py: write overlay()")


def explain(model: keras.Model, images: ArrayLike, grid) -> ArrayLike:
    """All of it: scores, rollout, what is looked at, and that laid over the pictures.

    In:  a model of `tiny_vit`; images (images, height, width, 1 or 3) from 0 to 1; `grid` is (rows, columns)
    Out: (images, height, width, 3), from 0 to 1
    """
    raise NotImplementedError("attention_maps.py: write explain()")
