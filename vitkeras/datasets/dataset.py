"""What every data set is, whatever file it came from."""

import dataclasses
import hashlib

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """Images and labels, with their names and where they came from.

    x_train, x_test: uint8, (images, height, width, channels)
    y_train, y_test: int32, (images,), indices into `class_names`
    """

    name: str  # "mnist"
    title: str  # for pictures and tables: "MNIST", "drawn digits (not MNIST)", "JPEG copy of CIFAR-10"
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    class_names: tuple[str, ...]
    origin: str  # one line: the file or the generator, and what was checked
    warning: str = ""  # what a user must know before anything else: that this stands in for something

    @property
    def image_shape(self):
        return self.x_train.shape[1:]

    def describe(self):
        """What a program prints first: what the data is not, what it is, and where it came from."""
        count, test_count = len(self.y_train), len(self.y_test)
        shape = " x ".join(map(str, self.image_shape))
        lines = [f"WARNING: {self.warning}"] if self.warning else []
        lines.append(f"data: {self.title}: {count:,} + {test_count:,} images of {shape}")
        lines.append(f"from: {self.origin}")
        return "\n".join(lines)

    def fingerprint(self):
        """A short name for exactly these pixels and labels, so that a resumed run is sure to have the same."""
        digest = hashlib.sha256()
        for array in (self.x_train, self.y_train, self.x_test, self.y_test):
            digest.update(np.ascontiguousarray(array).data)
        return f"{self.name} {digest.hexdigest()[:16]}"

    def first(self, train, test=None):
        """The same data set, cut to its first images, for a run on a small budget."""
        test = train if test is None else test
        return dataclasses.replace(
            self,
            title=f"{self.title}, the first {train:,} images",
            x_train=self.x_train[:train],
            y_train=self.y_train[:train],
            x_test=self.x_test[:test],
            y_test=self.y_test[:test],
            origin=f"{self.origin}; of these the first {train:,} and {test:,} images",
        )
