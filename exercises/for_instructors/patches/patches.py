"""Exercise 1: cut images into patches, count them, and put them together again."""

from numpy.typing import ArrayLike


def count(height: int, width: int, size: int) -> int:
    """How many patches of `size` x `size` pixels an image has."""
    if height % size or width % size:
        raise ValueError(f"patches of {size} x {size} need sides that {size} divides. Received: {height} x {width}")
    return (height // size) * (width // size)


def cut(images: ArrayLike, size: int) -> ArrayLike:
    """(batch, height, width, channels) -> (batch, patches, size * size * channels)"""
    batch, height, width, channels = images.shape
    patches = count(height, width, size)
    x = images.reshape(batch, height // size, size, width // size, size, channels)
    x = x.transpose(0, 1, 3, 2, 4, 5)  # (batch, rows, columns, size, size, channels)
    return x.reshape(batch, patches, size * size * channels)


def join(patches: ArrayLike, size: int, height: int, width: int) -> ArrayLike:
    """(batch, patches, size * size * channels) -> (batch, height, width, channels)"""
    batch, number, values = patches.shape
    expected = count(height, width, size)
    if number != expected or values % (size * size):
        raise ValueError(
            f"an image of {height} x {width} has {expected} patches of {size} * {size} * channels values. "
            f"Received: {number} patches of {values} values"
        )
    channels = values // (size * size)
    x = patches.reshape(batch, height // size, width // size, size, size, channels)
    x = x.transpose(0, 1, 3, 2, 4, 5)  # (batch, rows, size, columns, size, channels)
    return x.reshape(batch, height, width, channels)
