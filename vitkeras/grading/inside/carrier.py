"""Plain data between examiner and student's process: numbers, text, lists, dicts, arrays. Nothing else can cross.

A message is a head in MessagePack, a few kilobytes, and after it the bytes of its arrays. An array's place in the head
says its dtype and shape. Nothing that a student sends is believed: sizes are limited before memory is taken, and dtypes
are those listed here.

>>> unpacked(*packed({"q": np.zeros((2, 3))}))["q"].shape
(2, 3)
"""

import struct

import msgpack
import numpy as np

ARRAY, HANDLE = 1, 2  # MessagePack's extension types
DTYPES = frozenset(
    np.dtype(kind).str
    for kind in ("bool", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "complex64", "complex128")
)
PREFIX = struct.Struct(">IQ")  # bytes of the head, bytes of the arrays
HEAD_LIMIT = 2**20
DEEPEST = 30  # lists in lists
BODY_LIMIT = 2**28


class Malformed(ValueError):
    """These bytes are no message."""


class NotPlain(TypeError):
    """This value is no plain data, and does not cross."""


class Handle:
    """A name for an object that stays where it is: a layer, a model."""

    def __init__(self, number, kind):
        self.number, self.kind = number, kind


def packed(message, keep=None):
    """(head, arrays) of a message. `keep(value)` may give an array or a `Handle` for a value that is no plain data."""
    arrays = []

    def other(value):
        if keep and not isinstance(value, np.generic | np.ndarray | Handle):
            value = keep(value)
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, np.ndarray):
            array = np.array(value, order="C", copy=None, subok=False)
            array = array.astype(array.dtype.newbyteorder("<"), copy=False)
            if array.dtype.str not in DTYPES:
                raise NotPlain(f"an array of dtype {array.dtype}; numbers and truth values can be sent")
            arrays.append(array)
            return msgpack.ExtType(ARRAY, msgpack.packb([array.dtype.str, list(array.shape)]))
        if not isinstance(value, Handle):
            raise NotPlain(f"a value of type {type(value).__name__}; numbers, text, lists and arrays can be sent")
        return msgpack.ExtType(HANDLE, msgpack.packb([value.number, value.kind]))

    try:
        head = msgpack.packb(message, default=other, unicode_errors="backslashreplace")
    except NotPlain:
        raise
    except (ValueError, OverflowError, TypeError, RecursionError) as fault:
        raise NotPlain(f"a value that cannot be sent: {fault}") from None
    return head, arrays


def unpacked(head, arrays):
    """The message again, new arrays in their places.  arrays: bytes, or the list that `packed` gave."""
    body = memoryview(arrays if isinstance(arrays, bytes | bytearray) else b"".join(a.tobytes() for a in arrays))
    taken = 0

    def placed(kind, data):
        nonlocal taken
        if kind == HANDLE:
            number, name = msgpack.unpackb(data)
            if not isinstance(number, int) or not isinstance(name, str):
                raise Malformed("a handle without a number and a name")
            return Handle(number, name)
        if kind != ARRAY:
            raise Malformed(f"an extension of type {kind}")
        dtype, shape = msgpack.unpackb(data)
        if dtype not in DTYPES or not isinstance(shape, list) or len(shape) > 32:
            raise Malformed(f"an array of dtype {str(dtype)[:40]!r}")
        if not all(isinstance(side, int) and 0 <= side < 2**40 for side in shape):
            raise Malformed("an array with an impossible shape")
        dtype, count = np.dtype(dtype), 1
        for side in shape:
            count *= side
        if count * dtype.itemsize > len(body) - taken:
            raise Malformed(f"an array of {count} values with fewer bytes than that")
        array = np.frombuffer(body, dtype, count, taken).reshape(shape).copy()
        taken += count * dtype.itemsize
        return array

    try:
        return checked(msgpack.unpackb(head, ext_hook=placed, strict_map_key=True))
    except Malformed:
        raise
    except Exception as fault:  # MessagePack has a dozen kinds; each says that this is none of ours
        raise Malformed(f"no MessagePack: {type(fault).__name__}") from None


def checked(value, depth=0):
    """`value`, if it is of the plain kinds all the way down: MessagePack knows more of them than we do."""
    if depth > DEEPEST:
        raise Malformed(f"lists in lists, more than {DEEPEST} deep")
    if isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            checked(item, depth + 1)
        if isinstance(value, dict) and not all(isinstance(key, str) for key in value):
            raise Malformed("a dict with keys that are no text")
    elif not isinstance(value, bool | int | float | str | None | np.ndarray | Handle):
        raise Malformed(f"a value of type {type(value).__name__}")
    return value


def send(stream, message, keep=None):
    head, arrays = packed(message, keep)
    if len(head) > HEAD_LIMIT:
        raise NotPlain(f"more than {HEAD_LIMIT:,} bytes of text and lists; send arrays instead")
    size = sum(array.nbytes for array in arrays)
    if size > BODY_LIMIT:
        raise NotPlain(f"arrays of {size:,} bytes; {BODY_LIMIT:,} can be sent at once")
    stream.write(PREFIX.pack(len(head), size) + head)
    for array in arrays:
        stream.write(memoryview(array).cast("B") if array.size else b"")
    stream.flush()


def receive(stream):
    """The next message; None where the stream ends."""
    prefix = stream.read(PREFIX.size)
    if len(prefix) < PREFIX.size:
        return None
    head_size, body_size = PREFIX.unpack(prefix)
    if head_size > HEAD_LIMIT or body_size > BODY_LIMIT:
        raise Malformed(f"a message of {head_size + body_size:,} bytes")
    head = stream.read(head_size)
    body = stream.read(body_size)
    if len(head) < head_size or len(body) < body_size:
        return None
    return unpacked(head, body)
