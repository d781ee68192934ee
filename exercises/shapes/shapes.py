"""Exercise 6: are two shapes of one kind? The pictures, a CNN and a ViT."""

import keras
import numpy as np


def draw(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of two shapes each, and whether both are of one kind. The same seed draws the same pictures.

    Out: images (count, 96, 96, 1), uint8; labels (count,), whole numbers: 1 for same, 0 for different

    >>> images, labels = draw(500, seed=1)
    >>> images.shape
    (500, 96, 96, 1)
    """
    raise NotImplementedError("shapes.py: write draw()")


def cnn() -> keras.Model:
    """A convolutional network that has not been trained yet. Your training calls this, the tests don't.

    In:  (batch, 96, 96, 1), float32 from 0 to 1: the pictures / 255
    Out: (batch, 2): one number for different, one for same, as logits or as probabilities
    """
    raise NotImplementedError("shapes.py: write cnn()")


def vit() -> keras.Model:
    """A transformer that has not been trained yet. Convolutions may come before it. The tests don't call this either.

    In and out: as for `cnn`
    """
    raise NotImplementedError("shapes.py: write vit()")
