"""MNIST: 70,000 handwritten digits, 28 × 28 grey pixels each. LeCun, Cortes and Burges, 1998."""

import hashlib
import re

from vitkeras.datasets import idx, npz
from vitkeras.datasets.dataset import Dataset
from vitkeras.datasets.downloads import Published
from vitkeras.datasets.layout import ARRAYS, Broken, Layout, check_contents, check_headers
from vitkeras.datasets.search import Found, names_in
from vitkeras.files import UNFINISHED

TITLE = "MNIST"
CLASS_NAMES = tuple("0123456789")
LAYOUT = Layout(train=60_000, test=10_000, image=(28, 28, 1))
PUBLISHED = Published(
    url="https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
    size=11_490_434,
    sha256="731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
)
FINGERPRINT = "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16"  # of the published arrays

NPZ = re.compile(r"mnist.*\.npz", re.IGNORECASE)
IDX = {"x_train": "train-images", "y_train": "train-labels", "x_test": "t10k-images", "y_test": "t10k-labels"}
IDX_NAME = re.compile(r"(train|t10k)-(images|labels)[-.]idx[13]-ubyte(\.gz)?")
IDX_FOLDERS = ("", "raw", "MNIST/raw", "MNIST", "mnist")  # not FashionMNIST/raw, whose files have the same names


def find(place):
    """What in `place`, a folder or a file, is called as MNIST is; or None."""
    if place.is_file():
        if IDX_NAME.fullmatch(place.name):
            return found_idx(place.parent)
        other = place.suffix.lower() != ".npz" or place.name.lower().startswith("cifar")
        return None if other else found_npz(place)

    archives = [name for name in names_in(place) if NPZ.fullmatch(name) and UNFINISHED not in name]
    if archives:
        return found_npz(place / min(archives, key=lambda name: (name != PUBLISHED.file_name, name)))
    for folder in IDX_FOLDERS:
        if any(IDX_NAME.fullmatch(name) for name in names_in(place / folder)):
            return found_idx(place / folder)
    return None


def found_npz(path):
    def read():
        arrays = npz.read(path, lambda headers: check_headers(headers, LAYOUT, path))
        return dataset(arrays, path, "npz")

    return Found(path, read)


def found_idx(folder):
    def read():
        names = [name for name in names_in(folder) if IDX_NAME.fullmatch(name)]
        paths = {array: folder / name for array, kind in IDX.items() for name in names if name.startswith(kind)}
        missing = [IDX[array] for array in ARRAYS if array not in paths]
        if missing:
            raise Broken(
                f"{folder} is not what it should be: it has {', '.join(names)}, but no {', no '.join(missing)}: "
                "MNIST is four idx files."
            )
        check_headers({array: idx.read_header(path) for array, path in paths.items()}, LAYOUT, folder)
        return dataset({array: idx.read(path) for array, path in paths.items()}, folder, "the four idx files")

    return Found(folder, read)


def dataset(arrays, path, form):
    """In: x (n, 28, 28) or (n, 28, 28, 1), y (n,) or (n, 1). Out: a `Dataset` that says whether it is MNIST indeed."""
    arrays = check_contents(arrays, LAYOUT, path)
    if fingerprint(arrays) == FINGERPRINT:
        return Dataset(
            "mnist", TITLE, **arrays, class_names=CLASS_NAMES,
            origin=f"{path} ({form}); counts, labels and every pixel are those of the published MNIST",
        )  # fmt: skip
    return Dataset(
        "mnist", "images in MNIST's form (not MNIST)", **arrays, class_names=CLASS_NAMES,
        origin=f"{path} ({form}); counts and labels are in order, but these are not the published pixels",
        warning=f"The images in {path} are not those of the published MNIST, so results on them are not MNIST results. "
        "(Fashion-MNIST, for one, has the same form.)",
    )  # fmt: skip


def fingerprint(arrays):
    """One number for all pixels and labels, whatever file they came from."""
    digest = hashlib.sha256()
    for name in ARRAYS:
        digest.update(arrays[name].astype("uint8", copy=False).data)
    return digest.hexdigest()
