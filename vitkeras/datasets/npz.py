"""Npz files from anywhere: read as numbers only, and nothing before it is known how much it will be."""

import io
import zipfile
import zlib

import numpy as np

from vitkeras.datasets.layout import Broken, Header

LONGEST_HEADER = 4096  # bytes; NumPy itself writes 128

# What the standard library and NumPy raise at a file that is cut off, damaged, encrypted, or no zip file at all.
FAULTS = (OSError, EOFError, ValueError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error)


def read(path, choose):
    """Arrays of the npz file at `path`: name → array.

    `choose` is given name → `Header` of all that is in the file, and returns the names to read. It raises `Broken` at
    shapes that are not the expected ones, and so keeps a small file from unpacking into a huge one.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise Broken(f"{path} is no regular file, and reading it might never end.")
    try:
        with zipfile.ZipFile(path) as archive:
            names = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            headers = {name: read_header(archive, info) for name, info in names.items() if info.filename != name}
            return {name: read_array(archive, names[name], headers[name]) for name in choose(headers)}
    except FAULTS as fault:
        raise Broken(f"{path} cannot be read as an npz file: {fault or type(fault).__name__}.") from fault


def read_header(archive, member):
    """Shape and type of one array. Only the first bytes are unpacked, whatever length the header claims to have."""
    with archive.open(member) as stream:
        start = io.BytesIO(stream.read(LONGEST_HEADER))
    version = np.lib.format.read_magic(start)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"{member.filename} has npy version {version}, expected (1, 0) or (2, 0)")
    parse = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    try:
        shape, _, dtype = parse(start, max_header_size=LONGEST_HEADER)
    except Exception as fault:  # a header is a Python expression, and a damaged one brings about all sorts of errors
        raise ValueError(
            f"{member.filename} has a damaged header ({type(fault).__name__}: {str(fault)[:100]})"
        ) from fault
    return Header(shape, dtype)


def read_array(archive, member, header):
    room = member.file_size - header.dtype.itemsize * int(np.prod(header.shape, dtype=object))
    if not 0 <= room <= LONGEST_HEADER:
        raise ValueError(f"{member.filename} has {member.file_size:,} bytes, which does not fit its header, {header}")
    with archive.open(member) as stream:
        array = np.lib.format.read_array(stream, allow_pickle=False, max_header_size=LONGEST_HEADER)
        stream.read()  # to the end of the member, where its checksum is compared
    return array
