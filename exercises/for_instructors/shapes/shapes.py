"""Pictures of two shapes, and two small models that tell whether both are of one kind: a CNN and a ViT.

The ViT has a convolutional stem. Both take the raw pictures divided by 255. All layers are Keras's or vitkeras's own,
so that a saved model loads once this module has been imported.
"""

import keras
import numpy as np
from keras import layers

from vitkeras import EncoderBlock, PatchEncoder

SIDE = 96
CORNERS = (3, 4, 64)  # triangle, square, and a circle: with so many corners nobody can tell
FARTHEST = 2 / 27**0.25  # from the middle of a triangle of area 1 to its tips; the others reach less far

PICTURE_SHAPE = (SIDE, SIDE, 1)
WIDTH = 48  # D, the width of a token
BLOCKS = 3
HEADS = 4


def draw(count, seed):
    """(count, 96, 96, 1), uint8, and (count,): 1 for same, 0 for different"""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % 2)
    return np.stack([picture(label, rng) for label in labels]), labels


def picture(same, rng):
    """One picture. All but the kinds is chosen without regard to the kinds, so that nothing else tells the answer."""
    kind = rng.integers(3)
    kinds = kind, kind if same else (kind + rng.integers(1, 3)) % 3
    canvas = rng.uniform(110, 145) + rng.normal(0, rng.uniform(4, 12), (SIDE, SIDE))
    areas = rng.uniform(200, 600, 2)
    for kind, area, place in zip(kinds, areas, places(FARTHEST * np.sqrt(areas), rng), strict=True):
        contrast = rng.choice([-1, 1]) * rng.uniform(45, 80)
        canvas += contrast * polygon(CORNERS[kind], area, place, rng.uniform(0, 2 * np.pi))
    return canvas.clip(0, 255).astype("uint8")[..., None]


def places(reach, rng):
    """The centres of two shapes that reach so far: neither is cut by the edge, and they do not touch."""
    while True:
        centres = rng.uniform(reach + 2, SIDE - reach - 2, (2, 2)).T  # (shapes, x and y)
        if np.hypot(*(centres[0] - centres[1])) > reach.sum() + 4:
            return centres


def polygon(corners, area, place, turn):
    """How much of each pixel a regular polygon covers: (96, 96), from 0 to 1."""
    y, x = np.indices((SIDE, SIDE)) + 0.5
    sides = turn + 2 * np.pi * np.arange(corners)[:, None, None] / corners  # which way each side faces
    outwards = (x - place[0]) * np.cos(sides) + (y - place[1]) * np.sin(sides)  # (corners, 96, 96)
    to_side = np.sqrt(area / corners / np.tan(np.pi / corners))  # from the middle
    return np.clip(0.5 + to_side - outwards.max(axis=0), 0, 1)


def cnn():
    """Convolutions, each of which sees farther than the one before.

    In:  (batch, 96, 96, 1), float32 from 0 to 1: the uint8 pictures / 255
    Out: (batch, 2), logits: different, same
    """
    inputs = keras.Input(PICTURE_SHAPE)
    x = convolution(inputs, 16, size=5, stride=2)  # (batch, 48, 48, 16)
    for channels in (32, 48, 64):
        x = layers.MaxPooling2D()(x)
        x = convolution(x, channels)  # (batch, 24, 24, 32), then (batch, 12, 12, 48), then (batch, 6, 6, 64)
    x = convolution(x, 64)
    return keras.Model(inputs, decide(layers.GlobalMaxPooling2D()(x)), name="cnn")


def vit():
    """Convolutions look at the neighbourhood, then a transformer compares distant places.

    In:  (batch, 96, 96, 1), float32 from 0 to 1: the uint8 pictures / 255
    Out: (batch, 2), logits: different, same
    """
    x = inputs = keras.Input(PICTURE_SHAPE)
    for channels, size in ((16, 5), (32, 3), (48, 3), (WIDTH, 3)):
        x = convolution(x, channels, size, stride=2)  # (batch, 48, 48, 16) … (batch, 6, 6, 48)
    places = layers.Reshape((-1, x.shape[-1]))(x)  # (batch, 36, 48): patches of 1 x 1 place
    tokens = PatchEncoder(places.shape[1], WIDTH)(places)  # (batch, 36, 48)
    for _ in range(BLOCKS):
        tokens = EncoderBlock(HEADS, mlp_dim=2 * WIDTH, dropout=0.0)(tokens)
    x = layers.LayerNormalization(epsilon=1e-6)(tokens)
    return keras.Model(inputs, decide(layers.GlobalMaxPooling1D()(x)), name="vit")


def convolution(x, channels, size=3, stride=1):
    x = layers.Conv2D(channels, size, stride, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.9)(x)  # averages over tens of steps: there are few
    return layers.ReLU()(x)


def decide(x):
    """Two logits from the largest value of each feature: "is there a triangle?" is asked of the maximum."""
    x = layers.BatchNormalization(momentum=0.9)(x)  # of a maximum only what differs between pictures is of interest
    x = layers.Dense(64, activation="gelu")(x)
    return layers.Dense(2, dtype="float32")(x)
