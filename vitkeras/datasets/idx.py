"""The idx files in which MNIST was published, plain or gzipped.

0 0 8 d     two zeros, 8 for unsigned bytes, the number d of dimensions
n ...       d sizes, each four bytes, the highest first
...         the bytes themselves, row by row
"""

import contextlib
import gzip
import math
import zlib

import numpy as np

from vitkeras.datasets.layout import Broken, Header

GZIP = b"\x1f\x8b"
BYTES = b"\0\0\x08"
FAULTS = (OSError, EOFError, zlib.error)


def read_header(path):
    with opened(path) as stream:
        return header_of(stream, path)


def read(path):
    """The array in the file at `path`. Look at its header first: it says how much memory that takes."""
    with opened(path) as stream:
        header = header_of(stream, path)
        size = math.prod(header.shape)
        values = stream.read(size + 1)  # one more than there should be, to see the end
    if len(values) != size:
        found = f"only {len(values):,}" if len(values) < size else "more"
        raise Broken(f"{path} is not whole: {header} takes {size:,} bytes, and {found} follow its header.")
    return np.frombuffer(bytearray(values), header.dtype).reshape(header.shape)


def header_of(stream, path):
    start = stream.read(4)
    if len(start) < 4 or start[:3] != BYTES or not 1 <= start[3] <= 3:
        raise Broken(
            f"{path} is not an idx file of bytes: it begins with {start.hex(' ')}, expected 00 00 08 01 or 03."
        )
    sizes = stream.read(4 * start[3])
    if len(sizes) != 4 * start[3]:
        raise Broken(f"{path} is not whole: it ends within its header.")
    return Header(tuple(np.frombuffer(sizes, ">u4").tolist()), np.dtype("uint8"))


@contextlib.contextmanager
def opened(path):
    """The bytes of a file, unpacked if it is gzipped. Its first bytes decide: browsers unpack and keep the name."""
    try:
        with open(path, "rb") as file:
            packed = file.read(2) == GZIP
            file.seek(0)
            with gzip.open(file) if packed else contextlib.nullcontext(file) as stream:
                yield stream
    except FAULTS as fault:
        raise Broken(f"{path} cannot be read: {fault}.") from fault
