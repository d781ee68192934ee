"""Exercise 8: take the attention out of a model, and lay it over the picture."""

import keras
import numpy as np

RED = np.array([1.0, 0.0, 0.0])
STRENGTH = 0.6  # of the colour, where the heat is highest


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


def attention_scores(model, images):
    """-> (layers, images, heads, tokens, tokens)"""
    attending = [layer for layer in model.layers if isinstance(layer, keras.layers.MultiHeadAttention)]
    what_they_read = keras.Model(model.input, [layer.input[0] for layer in attending])(images)
    found = [
        layer(tokens, tokens, return_attention_scores=True)[1]  # (images, heads, tokens, tokens)
        for layer, tokens in zip(attending, what_they_read, strict=True)
    ]
    return np.stack(found)


def mean_over_heads(scores):
    """(layers, images, heads, tokens, tokens) -> (layers, images, tokens, tokens)"""
    return scores.mean(axis=2)


def rollout(scores):
    """(layers, images, heads, tokens, tokens) -> (images, tokens, tokens)"""
    tokens = scores.shape[-1]
    rolled = np.eye(tokens)
    for layer in mean_over_heads(scores):  # (images, tokens, tokens)
        rolled = (layer + np.eye(tokens)) / 2 @ rolled
    return rolled


def looked_at(weights):
    """(images, tokens, tokens) -> (images, tokens)"""
    return weights.mean(axis=1)


def to_image(values, grid, size):
    """(images, patches) -> (images, height, width)"""
    (rows, columns), (height, width), patches = grid, size, values.shape[-1]
    if patches != rows * columns or height % rows or width % columns:
        raise ValueError(
            f"{patches} patches in {rows} x {columns} places do not cover {height} x {width} pixels: wanted are "
            f"{rows * columns} patches, a height that {rows} divides, and a width that {columns} divides"
        )
    map_of_patches = values.reshape(-1, rows, columns)
    return map_of_patches.repeat(height // rows, axis=1).repeat(width // columns, axis=2)


def overlay(images, heat):
    """-> (images, height, width, 3)"""
    low = heat.min(axis=(1, 2), keepdims=True)
    range_ = heat.max(axis=(1, 2), keepdims=True) - low
    heat = (heat - low) / np.where(range_ > 0, range_, 1)  # from 0 to 1; 0 where all is alike
    share = STRENGTH * heat[..., None]  # (images, height, width, 1)
    return (1 - share) * images + share * RED


def explain(model, images, grid):
    """-> (images, height, width, 3)"""
    looks = looked_at(rollout(attention_scores(model, images)))  # (images, tokens)
    return overlay(images, to_image(looks, grid, images.shape[1:3]))
