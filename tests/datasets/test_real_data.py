"""On the real files, where there are some: VITKERAS_DATA, or ../shared/data beside the project."""

import os
from pathlib import Path

import numpy as np
import pytest

from vitkeras import datasets

FOLDER = Path(os.environ.get("VITKERAS_DATA") or Path(__file__).parents[3] / "shared" / "data")


def real(name):
    found = datasets.find(name, FOLDER) if FOLDER.is_dir() else None
    if not found:
        pytest.skip(f"no real {name} in {FOLDER}")
    return datasets.read(name, found)


def test_mnist_is_known_as_the_published_one():
    data = real("mnist")
    assert data.title == "MNIST"
    assert data.warning == ""
    assert data.y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert np.bincount(data.y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_cifar10_has_as_many_images_of_each_class_as_published():
    data = real("cifar10")
    assert data.title in ("CIFAR-10", "JPEG copy of CIFAR-10")
    assert bool(data.warning) == (data.title != "CIFAR-10")
    assert np.bincount(data.y_train).tolist() == [5000] * 10
    assert np.bincount(data.y_test).tolist() == [1000] * 10
    assert data.x_train.shape == (50_000, 32, 32, 3)
    assert 100 < data.x_train.mean() < 140  # photos, neither black nor noise
