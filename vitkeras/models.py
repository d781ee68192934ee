"""Models that more than one program needs. A lesson assembles its own in view; a test keeps both equal."""

import keras
from keras import layers

from vitkeras.layers import MyMultiHeadAttention, PatchEncoder, Patches


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
