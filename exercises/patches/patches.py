"""Exercise 1: cut images into patches, count them, and put them together again."""

from numpy.typing import ArrayLike  # a NumPy array, or a tensor of Keras or TensorFlow


def count(height: int, width: int, size: int) -> int:
    """How many patches of `size` x `size` pixels an image has. ValueError if `size` does not divide both sides.

    In:  three whole numbers
    Out: one whole number

    >>> count(28, 28, 7)
    16
    """
    raise NotImplementedError("patches.py: write count()")


def cut(images: ArrayLike, size: int) -> ArrayLike:
    """Cut each image into patches, row by row, like a page. ValueError if `size` does not divide both sides.

    In:  (batch, height, width, channels), of any dtype
    Out: (batch, patches, size * size * channels), of the same dtype; the pixels of a patch in (row, column, channel)
         order

    >>> image = np.arange(16).reshape(1, 4, 4, 1)
    >>> cut(image, 2)[0, 1]  # the second patch: to the right of the first
    array([2, 3, 6, 7])
    """
    raise NotImplementedError("patches.py: write cut()")


def join(patches: ArrayLike, size: int, height: int, width: int) -> ArrayLike:
    """Put the patches of `cut` together again. ValueError if they are not those of an image of this height and width.

    In:  (batch, patches, size * size * channels), of any dtype
    Out: (batch, height, width, channels), of the same dtype

    >>> image = np.arange(16).reshape(1, 4, 4, 1)
    >>> (join(cut(image, 2), 2, 4, 4) == image).all()
    True
    """
    raise NotImplementedError("patches.py: write join()")
