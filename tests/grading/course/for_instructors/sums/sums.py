"""A solution, for the tests of the grader."""

import numpy as np


def double(array):
    return 2 * array


def total(array):
    if isinstance(array, str):
        raise TypeError(f"total wants numbers. Received: {array!r}.")
    return float(np.sum(array))
