"""Models that more than one program needs. A lesson assembles its own in view; a test keeps both equal."""

from dataclasses import dataclass

import keras
from keras import layers

from vitkeras.layers import MyMultiHeadAttention, PatchEncoder, Patches


@dataclass(frozen=True)
class Size:
    """How large a ViT is, whatever its patches."""

    blocks: int  # L
    width: int  # D, of a token
    mlp_dim: int
    heads: int


# Base, Large and Huge are the paper's table 1. Tiny and Small: Touvron et al., "Training data-efficient image
# transformers", 2021, table 1.
PAPER_SIZES = {
    "Ti": Size(12, 192, 768, 3),
    "S": Size(12, 384, 1536, 6),
    "B": Size(12, 768, 3072, 12),
    "L": Size(24, 1024, 4096, 16),
    "H": Size(32, 1280, 5120, 16),
}


def tr02c(attention=MyMultiHeadAttention):
    """The lecture's program P for 28 x 28 digits: 4,544,778 parameters. `attention`: ours, or Keras's layer.

    In:  (batch, 28, 28, 1), from 0 to 1
    Out: logits (batch, 10)
    """
    inputs = keras.Input((28, 28, 1))
    tokens = PatchEncoder(16, 64)(Patches(7)(inputs))  # (batch, 16, 64)
    for _ in range(4):
        x = layers.LayerNormalization(epsilon=1e-6)(tokens)
        x = attention(num_heads=4, key_dim=64, dropout=0.1)(x, x)
        tokens = layers.Add()([x, tokens])
        x = layers.LayerNormalization(epsilon=1e-6)(tokens)
        for units in (128, 64):
            x = layers.Dense(units, activation="gelu")(x)
            x = layers.Dropout(0.1)(x)
        tokens = layers.Add()([x, tokens])
    x = layers.Flatten()(layers.LayerNormalization(epsilon=1e-6)(tokens))  # (batch, 1024)
    x = layers.Dropout(0.5)(x)
    for units in (2048, 1024):
        x = layers.Dense(units, activation="gelu")(x)
        x = layers.Dropout(0.5)(x)
    return keras.Model(inputs, layers.Dense(10, dtype="float32")(x), name="tr02c")
