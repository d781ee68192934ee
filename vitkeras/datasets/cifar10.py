"""CIFAR-10: 60,000 photos of ten kinds of things, 32 × 32 pixels in colour. Krizhevsky, 2009."""

import re

import numpy as np

from vitkeras.datasets import cifar10_jpeg, npz
from vitkeras.datasets.cifar10_batches import BATCHES, from_batches, in_archive, in_folder
from vitkeras.datasets.dataset import Dataset
from vitkeras.datasets.downloads import Published
from vitkeras.datasets.layout import Layout, check_contents, check_headers
from vitkeras.datasets.search import Found, names_in
from vitkeras.files import UNFINISHED

TITLE = "CIFAR-10"
CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
LAYOUT = Layout(train=50_000, test=10_000, image=(32, 32, 3))
PUBLISHED = Published(
    url="https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    size=170_498_071,
    sha256="6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
)

TAR = re.compile(r"cifar-10-(python|batches-py(-target)?)(\.tar|\.tar\.gz|\.tgz|_archive)")  # Keras calls it three ways
NPZ = re.compile(r"cifar[-_ ]?10(?!\d).*\.npz", re.IGNORECASE)
BATCH_FOLDERS = ("", "cifar-10-batches-py", "cifar-10-batches-py-target/cifar-10-batches-py")


def find(place):
    """What in `place`, a folder or a file, is called as CIFAR-10 is; or None."""
    if place.is_file():
        if place.suffix.lower() == ".npz" and "mnist" not in place.name.lower():
            return found_npz(place)
        return found_tar(place) if TAR.fullmatch(place.name) else None

    for folder in BATCH_FOLDERS:
        if any(name in BATCHES for name in names_in(place / folder)):
            return found_folder(place / folder)
    names = [name for name in names_in(place) if UNFINISHED not in name]
    archives = [name for name in names if TAR.fullmatch(name)]
    if archives:
        return found_tar(place / archives[0])
    arrays = [name for name in names if NPZ.fullmatch(name)]
    if arrays:
        return found_npz(place / min(arrays, key=lambda name: ("jp" in name.lower(), name)))  # exact pixels first
    return None


def found_npz(path):
    def read():
        def choose(headers):
            if cifar10_jpeg.recognised(headers):
                return cifar10_jpeg.check_headers(headers, LAYOUT, path)
            return check_headers(headers, LAYOUT, path)

        arrays = npz.read(path, choose)
        if cifar10_jpeg.recognised(arrays):
            arrays = check_contents(cifar10_jpeg.decode(arrays, LAYOUT, path), LAYOUT, path)
            return Dataset(
                "cifar10", cifar10_jpeg.TITLE, **arrays, class_names=CLASS_NAMES,
                origin=f"{path} ({cifar10_jpeg.TITLE}); counts and labels are in order, the pixels went through JPEG",
                warning=cifar10_jpeg.WARNING,
            )  # fmt: skip
        arrays = check_contents(arrays, LAYOUT, path)
        counts = {*np.bincount(arrays["y_train"]).tolist(), *np.bincount(arrays["y_test"]).tolist()}
        proof = "5,000 and 1,000 images a class, as published; the pixels have no published sum in this form"
        return dataset(arrays, path, "npz", counts == {5000, 1000} and proof)

    return Found(path, read)


def found_tar(path):
    return Found(path, lambda: of_batches(in_archive(path), path, "tar archive"))


def found_folder(folder):
    return Found(folder, lambda: of_batches(in_folder(folder), folder, "the six batches"))


def of_batches(batches, path, form):
    arrays, published = from_batches(batches, path)
    proof = "each batch has the MD5 sum of the published one"
    return dataset(check_contents(arrays, LAYOUT, path), path, form, published and proof)


def dataset(arrays, path, form, proof):
    """`proof` says in words why these are the published images; without one the user is warned."""
    if proof:
        origin = f"{path} ({form}); counts and labels are in order, {proof}"
        return Dataset("cifar10", TITLE, **arrays, class_names=CLASS_NAMES, origin=origin)
    return Dataset(
        "cifar10", "images in CIFAR-10's form (not CIFAR-10)", **arrays, class_names=CLASS_NAMES,
        origin=f"{path} ({form}); counts and labels are in order, but these are not the published images",
        warning=f"The images in {path} are not those of the published CIFAR-10: results on them are not its results.",
    )  # fmt: skip
