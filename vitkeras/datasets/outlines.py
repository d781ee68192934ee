"""Outlines of shapes, as distances: how far a point is outside the edge, in pixels; inside, the distance is negative.

A shape's size is its area. Whatever the kind, a shape of 300 pixels covers 300 pixels.

>>> [bool(KINDS[kind](9.0, 0.0, 300.0) < 0) for kind in ("circle", "square")]  # is (9, 0) inside?
[True, False]
"""

import numpy as np


def circle(x, y, area):
    return np.sqrt(x * x + y * y) - np.sqrt(area / np.pi)


def triangle(x, y, area):
    """All sides equal. Its area is 3 √3 times the square of the distance from the middle to a side."""
    return np.maximum(y * -1, np.abs(x) * np.float32(3**0.5 / 2) + y * np.float32(0.5)) - np.sqrt(area / 27**0.5)


def square(x, y, area):
    return np.maximum(np.abs(x), np.abs(y)) - np.sqrt(area) / 2


def cross(x, y, area):
    """A plus sign: five squares."""
    side = np.sqrt(area / 5)
    x, y = np.abs(x), np.abs(y)
    return np.maximum(np.maximum(x, y) - 1.5 * side, np.minimum(x, y) - 0.5 * side)


KINDS = {outline.__name__: outline for outline in (circle, triangle, square, cross)}

# How far from its middle a shape of area 1 reaches. The tips of the triangle reach farthest: twice as far as its sides.
FARTHEST = 2 / 27**0.25
