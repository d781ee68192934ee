"""Numbers and ranges that say what to draw: checked first, then chosen from."""

import numpy as np

from vitkeras.errors import Misuse


def uniform(rng, low, high, shape):
    return np.float32(low) + np.float32(high - low) * rng.random(shape, dtype="float32")


def require_whole(name, number, least):
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < least:
        raise Misuse(f"{name} should be a whole number from {least} on. Received: {number!r}.")


def require_range(name, given, least, most):
    """`given` should be a pair of numbers, the lower first."""
    try:
        low, high = map(float, given)
        good = least <= low <= high <= most
    except (TypeError, ValueError):
        good = False
    if not good:
        raise Misuse(f"{name} should be two numbers from {least:g} to {most:g}, the lower first. Received: {given!r}.")
