"""The six pickles in which CIFAR-10 was published, read from their tar archive or from the folder it unpacks to.

Files from the net are not trusted: an archive is read in memory and never unpacked to disk, where the names in it might
lead anywhere; a bound ends what would fill the memory; and the pickles are read as data (plain_pickle.py).
"""

import contextlib
import gzip
import hashlib
import tarfile
import zlib

import numpy as np

from vitkeras.datasets import plain_pickle
from vitkeras.datasets.idx import GZIP
from vitkeras.datasets.layout import Broken
from vitkeras.datasets.search import names_in

BATCH = 10_000  # images
BATCHES = {  # file: its MD5 sum as torchvision checks it, and what it calls itself
    "data_batch_1": ("c99cafc152244af753f735de768cd75f", "training batch 1 of 5"),
    "data_batch_2": ("d4bba439e000b95fd0a9bffe97cbabec", "training batch 2 of 5"),
    "data_batch_3": ("54ebc095f3ab1f0389bbae665268c751", "training batch 3 of 5"),
    "data_batch_4": ("634d18415352ddfa80567beed471001a", "training batch 4 of 5"),
    "data_batch_5": ("482c414d41f54cd18b22e5b47cb7c3cb", "training batch 5 of 5"),
    "test_batch": ("40351d587109b95175f43aff81a1287e", "testing batch 1 of 1"),
}
LARGEST_BATCH = 64 << 20  # bytes; the published ones have 31 million
LARGEST_ARCHIVE = 6 * LARGEST_BATCH  # unpacked; the published one has 186 million


def in_folder(folder):
    for name in names_in(folder):
        if name in BATCHES:
            with told(folder / name), open(folder / name, "rb") as stream:
                data = Bounded(stream, LARGEST_BATCH).read()
            yield name, data


def in_archive(path):
    """Name and bytes of each batch in the archive, in memory: nothing is written, so no name in it can do harm."""
    with told(path), open(path, "rb") as file:
        packed = file.read(2) == GZIP
        file.seek(0)
        with gzip.open(file) if packed else contextlib.nullcontext(file) as stream:
            bounded = Bounded(stream, LARGEST_ARCHIVE)
            with tarfile.open(fileobj=bounded, mode="r|") as archive:
                for member in archive:
                    name = member.name.rsplit("/", 1)[-1]
                    if name in BATCHES and member.isfile():
                        if member.size > LARGEST_BATCH:  # a sparse member can claim any size and take up none
                            raise ValueError(f"{member.name} claims to have {member.size:,} bytes")
                        yield name, archive.extractfile(member).read()


class Bounded:
    """A stream that ends in a refusal after `limit` bytes: a small file may unpack into more than the memory holds."""

    def __init__(self, stream, limit):
        self.stream, self.left = stream, limit

    def read(self, size=-1):
        data = self.stream.read(self.left + 1 if size < 0 else min(size, self.left + 1))
        self.left -= len(data)
        if self.left < 0:
            raise ValueError("it unpacks into far more than CIFAR-10 has")
        return data


@contextlib.contextmanager
def told(path):
    """What goes wrong while the file is read, told as what is wrong with the file."""
    try:
        yield
    except (OSError, EOFError, ValueError, MemoryError, tarfile.TarError, zlib.error) as fault:
        raise Broken(f"{path} cannot be read: {fault or type(fault).__name__}.") from fault


def from_batches(batches, path):
    """In: name and bytes of each batch, in any order. Out: the four arrays, and whether all are as published."""
    arrays = {
        "x_train": np.empty((5 * BATCH, 32, 32, 3), "uint8"), "y_train": np.empty(5 * BATCH, "int64"),
        "x_test": np.empty((BATCH, 32, 32, 3), "uint8"), "y_test": np.empty(BATCH, "int64"),
    }  # fmt: skip
    published = {}
    for name, data in batches:
        images, labels = read_batch(data, name, path)
        split, number = ("test", 0) if name == "test_batch" else ("train", int(name[-1]) - 1)
        arrays[f"x_{split}"][BATCH * number : BATCH * (number + 1)] = images
        arrays[f"y_{split}"][BATCH * number : BATCH * (number + 1)] = labels
        published[name] = hashlib.md5(data, usedforsecurity=False).hexdigest() == BATCHES[name][0]
    missing = [name for name in BATCHES if name not in published]
    if missing:
        raise Broken(f"{path} is not whole: it has no {', no '.join(missing)}. CIFAR-10 has {', '.join(BATCHES)}.")
    return arrays, all(published.values())


def read_batch(data, name, path):
    """Out: images (10000, 32, 32, 3) uint8, labels (10000,)."""
    try:
        batch = {plain_pickle.latin(key).decode(): value for key, value in plain_pickle.read(data).items()}
        says = batch.get("batch_label")
        says = plain_pickle.latin(says).decode() if isinstance(says, str | bytes) else None
    except ValueError as fault:
        raise Broken(f"{path}: {name} is not a batch of CIFAR-10: {fault}. None of it has been run.") from fault

    images, labels = batch.get("data"), batch.get("labels")
    if not isinstance(images, np.ndarray) or images.shape != (BATCH, 3072):
        found = f"of shape {images.shape}" if isinstance(images, np.ndarray) else type(images).__name__
        raise Broken(f"{path}: the data of {name} are {found}, expected an array of shape ({BATCH}, 3072).")
    if not isinstance(labels, list) or len(labels) != BATCH or not all(type(label) is int for label in labels):
        found = f"{len(labels):,} items" if isinstance(labels, list) else type(labels).__name__
        raise Broken(f"{path}: the labels of {name} are {found}, expected a list of {BATCH:,} whole numbers.")
    if not 0 <= min(labels) <= max(labels) <= 9:
        raise Broken(f"{path}: the labels of {name} go from {min(labels)} to {max(labels)}, expected 0 to 9.")
    if says not in (None, BATCHES[name][1]):
        raise Broken(
            f"{path}: {name} calls itself {says[:40]!r}, expected {BATCHES[name][1]!r}: the files have been exchanged."
        )
    return images.reshape(BATCH, 3, 32, 32).transpose(0, 2, 3, 1), labels  # colour is the last axis here
