"""Exercise 5: a whole Vision Transformer, the paper's equations 1 to 4, and its parameters counted."""

from collections.abc import Sequence

import keras
from keras import layers, ops


class ClassToken(layers.Layer):
    """(batch, patches, width) -> (batch, 1 + patches, width)"""

    def build(self, tokens_shape):
        self.token = self.add_weight(shape=(1, 1, tokens_shape[-1]), initializer="zeros", name="token")

    def call(self, tokens):
        batch, _, width = ops.shape(tokens)
        return ops.concatenate([ops.broadcast_to(self.token, (batch, 1, width)), tokens], axis=1)


class Positions(layers.Layer):
    """Adds to each token the learned vector of its place."""

    def build(self, tokens_shape):
        self.table = self.add_weight(shape=tokens_shape[1:], initializer="uniform", name="table")

    def call(self, tokens):
        return tokens + self.table


def vit(
    image_shape: Sequence[int],
    patch_size: int,
    blocks: int,
    width: int,
    heads: int,
    mlp_dim: int,
    num_classes: int,
) -> keras.Model:
    """(batch, height, width, channels) -> logits (batch, num_classes)"""

    def norm(tokens):
        return layers.LayerNormalization(epsilon=1e-6)(tokens)

    images = keras.Input(image_shape)
    # A convolution whose stride is its size sees each patch once: a Dense layer on the pixels of a patch.
    tokens = layers.Conv2D(width, patch_size, strides=patch_size)(images)  # (batch, rows, columns, width)
    tokens = layers.Reshape((-1, width))(tokens)  # (batch, patches, width)
    tokens = Positions()(ClassToken()(tokens))  # (1)
    for _ in range(blocks):
        x = norm(tokens)
        tokens = tokens + layers.MultiHeadAttention(heads, width // heads)(x, x)  # (2)
        x = layers.Dense(mlp_dim, activation="gelu")(norm(tokens))
        tokens = tokens + layers.Dense(width)(x)  # (3)
    read = norm(tokens)[:, 0]  # (4)
    return keras.Model(images, layers.Dense(num_classes)(read))


def parameters(
    image_shape: Sequence[int],
    patch_size: int,
    blocks: int,
    width: int,
    heads: int,
    mlp_dim: int,
    num_classes: int,
) -> int:
    """The heads share the width out among themselves, so their number does not matter."""
    rows, columns, channels = image_shape[0] // patch_size, image_shape[1] // patch_size, image_shape[2]
    norm = 2 * width
    projection = patch_size * patch_size * channels * width + width
    class_token = width
    positions = (rows * columns + 1) * width
    attention = 4 * (width * width + width)
    mlp = (width * mlp_dim + mlp_dim) + (mlp_dim * width + width)
    head = width * num_classes + num_classes
    return projection + class_token + positions + blocks * (norm + attention + norm + mlp) + norm + head
