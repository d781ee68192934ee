"""The middle of a photo, in the size that a small model reads."""

import numpy as np
from PIL import Image


def square(photo, side, channels):
    """The middle square, made smaller or larger: uint8 (height, width, 3) -> uint8 (side, side, channels)."""
    image = Image.fromarray(photo)
    if channels == 1:
        image = image.convert("L")
    shorter = min(image.size)
    left, top = ((length - shorter) // 2 for length in image.size)
    image = image.crop((left, top, left + shorter, top + shorter))  # `box` of resize would let in what is around it
    image = image.resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(image).reshape(side, side, channels)
