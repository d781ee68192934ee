"""What the arrays of a data set must look like, and what to say of those that do not."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from vitkeras.errors import Problem

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
SPLITS = {"train": "training", "test": "test"}

# Mistakes that people make when they pack a file, each told by name: what each array would have to be called.
EXCHANGES = {
    "training and test set": dict(zip(ARRAYS, ("x_test", "y_test", "x_train", "y_train"), strict=True)),
    "images and labels": dict(zip(ARRAYS, ("y_train", "x_train", "y_test", "x_test"), strict=True)),
}


class Broken(Problem):
    """A file is not what its name promises. Whoever knows the data set adds what to do about it."""


class Header(NamedTuple):
    """What is known of an array before it is read."""

    shape: tuple
    dtype: np.dtype

    def __str__(self):
        return f"{self.shape} {self.dtype}"


@dataclass(frozen=True)
class Layout:
    """How many images a data set has, of which shape, in how many classes."""

    train: int
    test: int
    image: tuple  # (height, width, channels)
    classes: int = 10

    def images(self, split):
        return Header((getattr(self, split), *self.image), np.dtype("uint8"))

    def accepts(self, name, header):
        """Whether an array called `name` may look so. Grey images may lack their channel axis, labels may have one."""
        images = self.images(name[2:])
        if name.startswith("x"):
            shapes = {images.shape, images.shape[:3]} if self.image[2] == 1 else {images.shape}
            return header.shape in shapes and header.dtype == images.dtype
        return header.shape in {images.shape[:1], (images.shape[0], 1)} and header.dtype.kind in "iu"

    def expected(self, name):
        images = self.images(name[2:])
        return str(images) if name.startswith("x") else f"{images.shape[:1]} of whole numbers"


def check_headers(headers, layout, path):
    """Refuse by name, shape and type, before an array is read, so that a refusal costs nothing. Returns `ARRAYS`."""

    def misfits(headers):
        for name in ARRAYS:
            if name not in headers:
                yield f"{name} is missing (found: {', '.join(sorted(headers)) or 'nothing'})"
            elif not layout.accepts(name, headers[name]):
                yield f"{name} is {headers[name]}, expected {layout.expected(name)}"

    found = "; ".join(misfits(headers))
    if found:
        for what, truly in EXCHANGES.items():
            if not any(misfits({truly.get(name, name): header for name, header in headers.items()})):
                found += f". It looks as if {what} had been exchanged"
        raise Broken(f"{path} is not what it should be: {found}.")
    return ARRAYS


def check_contents(arrays, layout, path):
    """Refuse labels that name no class, classes without an image, and images that show nothing.

    Returns the arrays in the one form that a `Dataset` has: images with a channel axis, labels int32 and flat.
    """
    checked = {}
    for split, words in SPLITS.items():
        images, labels = arrays[f"x_{split}"], arrays[f"y_{split}"].reshape(-1)
        if labels.min() < 0 or labels.max() >= layout.classes:
            raise Broken(
                f"{path} is not what it should be: the labels of the {words} images go from {labels.min()} to "
                f"{labels.max()}, expected 0 to {layout.classes - 1}."
            )
        empty = sorted(set(range(layout.classes)) - set(np.unique(labels).tolist()))
        if empty:
            raise Broken(
                f"{path} is not what it should be: none of the {words} images has the label "
                f"{', '.join(map(str, empty))}, expected some of every class from 0 to {layout.classes - 1}."
            )
        if all((image == images[0]).all() for image in images):  # ends at the second image, or soon after
            raise Broken(f"{path} is not what it should be: all {len(images):,} {words} images are the same.")
        checked[f"x_{split}"] = np.ascontiguousarray(images).reshape(-1, *layout.image)
        checked[f"y_{split}"] = labels.astype("int32")
    return checked
