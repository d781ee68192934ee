"""What crosses between examiner and student, and what does not."""

import io
import struct

import msgpack
import numpy as np
import pytest

from vitkeras.grading.inside import carrier


def there_and_back(message, keep=None):
    stream = io.BytesIO()
    carrier.send(stream, message, keep)
    stream.seek(0)
    return carrier.receive(stream)


def framed(head, body=b""):
    return io.BytesIO(carrier.PREFIX.pack(len(head), len(body)) + head + body)


def array_head(dtype, shape):
    return msgpack.packb(msgpack.ExtType(carrier.ARRAY, msgpack.packb([dtype, shape])))


def test_plain_data_comes_out_as_it_went_in():
    message = {"a": [1, -2.5, None, True, "ação"], "b": {"c": []}, "d": float("inf")}
    assert there_and_back(message) == message


@pytest.mark.parametrize("dtype", sorted(carrier.DTYPES))
def test_arrays_keep_dtype_shape_and_values(dtype):
    array = np.arange(12).reshape(3, 4).astype(dtype)[:, ::2]
    got = there_and_back({"a": array, "b": [array.T]})
    assert got["a"].dtype == array.dtype
    np.testing.assert_array_equal(got["a"], array)
    np.testing.assert_array_equal(got["b"][0], array.T)


def test_arrays_of_the_other_byte_order_arrive():
    np.testing.assert_array_equal(there_and_back(np.arange(3, dtype=">f8")), [0, 1, 2])


def test_a_subclass_of_array_arrives_as_a_plain_one():
    class Odd(np.ndarray):
        def __array_function__(self, *args):
            raise RuntimeError

    assert type(there_and_back(np.arange(3).view(Odd))) is np.ndarray


@pytest.mark.parametrize("value", [object(), np.array([object()]), np.array(["a"]), {1, 2}, lambda: 1, 10**30])
def test_other_things_do_not_cross(value):
    with pytest.raises(carrier.NotPlain):
        there_and_back(value)


def test_too_much_text_does_not_cross():
    with pytest.raises(carrier.NotPlain, match="send arrays instead"):
        there_and_back("x" * (carrier.HEAD_LIMIT + 1))


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (array_head("|O", [1]), b"x" * 8),
        (array_head("<f8", [2]), b"x" * 8),
        (array_head("<f8", [-1]), b"x" * 8),
        (array_head("<f8", [2**40, 2**40]), b""),
        (array_head("<f8", [2**62]), b""),
        (array_head("<f8", "8"), b""),
        (array_head("<f8", [1.5]), b"x" * 8),
        (array_head("<f8", [1] * 40), b"x" * 8),
        (array_head("<U4", [1]), b"x" * 16),
        (array_head(["a"], [1]), b"x" * 16),
        (msgpack.packb(msgpack.ExtType(3, b"")), b""),
        (msgpack.packb(msgpack.ExtType(carrier.HANDLE, msgpack.packb(["0", 1]))), b""),
        (b"\xdd\xff\xff\xff\xff", b""),  # a list of four thousand million
        (b"\xc1", b""),
        (msgpack.packb(b"bytes"), b""),
        (msgpack.packb(msgpack.Timestamp(1)), b""),
        (b"\x91" * 40 + b"\x01", b""),
        (b"\x91" * 100_000, b""),  # lists in lists
        (b"\xa2\xff\xfe", b""),  # text that is none
        (b"", b""),
        (b"\x01\x01", b""),
    ],
)
def test_what_is_no_message_is_refused_as_such(head, body):
    with pytest.raises(carrier.Malformed):
        carrier.receive(framed(head, body))


def test_sizes_are_limited_before_anything_is_read():
    with pytest.raises(carrier.Malformed, match="bytes"):
        carrier.receive(io.BytesIO(struct.pack(">IQ", 2**31, 0)))
    with pytest.raises(carrier.Malformed, match="bytes"):
        carrier.receive(io.BytesIO(struct.pack(">IQ", 1, 2**40)))


def test_random_bytes_do_nothing_but_be_refused():
    rng = np.random.default_rng(0)
    for _ in range(3000):
        stream = framed(rng.bytes(rng.integers(0, 40)), rng.bytes(rng.integers(0, 40)))
        try:
            carrier.receive(stream)
        except carrier.Malformed:
            continue


def test_a_stream_that_breaks_off_is_an_end():
    head, _ = carrier.packed([1, 2, 3])
    whole = carrier.PREFIX.pack(len(head), 0) + head
    assert [carrier.receive(io.BytesIO(whole[:cut])) for cut in range(len(whole))] == [None] * len(whole)
    assert carrier.receive(io.BytesIO(whole)) == [1, 2, 3]
