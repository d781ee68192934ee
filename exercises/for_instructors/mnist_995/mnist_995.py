"""A small ViT for MNIST: a convolutional patch embedding, four encoder blocks, the average of all tokens.

It is the ViT of lesson 16, which trains it on single images. What is handed in looks at each image five times, moved by
a pixel, and averages the logits. How it was trained, and what for: report.md.

All layers are Keras's or vitkeras's own, so that a saved model loads once this module has been imported.
"""

import keras
from keras import layers

from vitkeras import LeanBlock, PatchEncoder

IMAGE_SHAPE = (28, 28, 1)
STEM = ((16, 1), (40, 2), (80, 2))  # channels and stride of each convolution
WIDTH = 80  # D, the width of a token
BLOCKS = 4
LOCAL = 2  # blocks whose heads begin with a look at the neighbours
HEADS = 8
MOVES = ((0, 0), (-1, -1), (-1, 1), (1, -1), (1, 1))  # pixels down and to the right


def vit():
    """What is trained.

    In:  (batch, 28, 28, 1), float32 from 0 to 1
    Out: (batch, 10), logits
    """
    x = inputs = keras.Input(IMAGE_SHAPE)
    for channels, stride in STEM:
        x = layers.Conv2D(channels, 3, stride, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization()(x)
        x = layers.ReLU()(x)  # (batch, 28, 28, 16), (batch, 14, 14, 40), (batch, 7, 7, 80)
    places = layers.Reshape((49, WIDTH))(x)  # (batch, 49, 80): overlapping patches of 9 x 9 pixels
    tokens = PatchEncoder(49, WIDTH)(places)  # (batch, 49, 80)
    for block in range(BLOCKS):
        tokens = LeanBlock(HEADS, 2 * WIDTH, dropout=0.0, grid=(7, 7), local=block < LOCAL)(tokens)
    x = layers.RMSNormalization(epsilon=1e-6)(tokens)
    x = layers.GlobalAveragePooling1D()(x)  # (batch, 80)
    return keras.Model(inputs, layers.Dense(10, dtype="float32")(x), name="vit")


def build():
    """What is handed in: the same ViT, asked about five views of an image. It has no weights but those of the ViT.

    In:  (batch, 28, 28, 1), float32 from 0 to 1
    Out: (batch, 10), logits: the average of the five
    """
    inputs = keras.Input(IMAGE_SHAPE)
    framed = layers.ZeroPadding2D(1)(inputs)  # (batch, 30, 30, 1)
    views = [
        layers.Cropping2D(((1 - down, 1 + down), (1 - right, 1 + right)))(framed)  # (batch, 28, 28, 1)
        for down, right in MOVES
    ]
    reader = vit()
    return keras.Model(inputs, layers.Average()([reader(view) for view in views]), name="mnist_995")
