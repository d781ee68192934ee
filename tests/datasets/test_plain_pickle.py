import os
import pickle
import subprocess

import numpy as np
import pytest

from vitkeras.datasets import plain_pickle
from vitkeras.datasets.plain_pickle import Forbidden, read

PIXELS = np.arange(24, dtype="uint8").reshape(4, 6)


def test_batch_of_python_2_is_read(python2_pickle):
    batch = read(python2_pickle("training batch 1 of 5", [3, 1, 4, 1], PIXELS))
    assert list(batch) == ["batch_label", "labels", "data", "filenames"]
    assert batch["labels"] == [3, 1, 4, 1]
    assert batch["filenames"] == ["0.png", "1.png", "2.png", "3.png"]
    np.testing.assert_array_equal(batch["data"], PIXELS)


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("order", ["C", "F"])
def test_batch_that_somebody_wrote_anew_is_read(protocol, order):
    batch = {"data": np.asarray(PIXELS, order=order), b"labels": list(range(1000)), "none": None, "yes": [True, False],
             "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)], "big": 1 << 40, "bytes": b"\xff\0"}  # fmt: skip
    copy = read(pickle.dumps(batch, protocol=protocol))
    np.testing.assert_array_equal(copy.pop("data"), PIXELS)
    del batch["data"]
    assert copy == batch


# Hostile pickles


class Calls:
    """Pickles into a call of any function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize(
    ("function", "name"),
    [(os.system, "system"), (eval, "eval"), (subprocess.Popen, "Popen"), (np.load, "load")],
)
def test_function_outside_an_array_is_named_and_not_called(tmp_path, protocol, function, name):
    with pytest.raises(Forbidden, match=name):
        read(pickle.dumps({"data": Calls(function, f"touch {tmp_path}/it-ran")}, protocol=protocol))
    assert not (tmp_path / "it-ran").exists()


@pytest.mark.parametrize(
    "program",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"(S'true'\nios\nsystem\n.",  # the same in one instruction
        b"(cos\nsystem\nS'true'\no.",
        b"cnumpy.core.multiarray\n_reconstruct\n(cos\nsystem\n(K\x09tS'b'\ntR.",
        b"cnumpy.core.multiarray\nscalar\n.",
        b"\x80\x02\x82\x01.",  # from the registry of extensions
        b"P0\n.",  # a persistent identity
    ],
)
def test_every_way_to_name_a_function_is_refused(program):
    with pytest.raises(Forbidden):
        read(program)


@pytest.mark.parametrize("array_type", [b"O8", b"O", b"V8", b"f8", b"M8"])
def test_array_of_objects_or_other_types_is_refused(python2_pickle, array_type):
    with pytest.raises(Forbidden, match=array_type.decode()):
        read(python2_pickle("x", [1], PIXELS, array_type))


@pytest.mark.parametrize("shape", [(1 << 30, 1 << 30), (4, 7), (0, 0), (-4, -6)])
def test_array_that_claims_another_size_than_its_bytes_is_refused(python2_pickle, shape):
    with pytest.raises(ValueError, match=r"array"):
        read(python2_pickle("x", [1], PIXELS, shape=shape))


@pytest.mark.parametrize(
    "arguments",
    [
        (b"cnumpy\nndarray\n", b"(K\x01(I1000000000000\nttR."),  # NumPy's own constructor, called directly
        (b"cnumpy\nndarray\n", b"}S'__array_finalize__'\nNsb."),  # an attribute of NumPy's class
        (b"cnumpy\ndtype\n", b"(S'u1'\ntR}S'x'\nK\x01ss."),  # items of a type
        (b"c_codecs\nencode\n", b"(S'x'\nS'zip'\ntR."),  # a codec that unpacks
        (b"c_codecs\nencode\n", b"(K\x05S'latin1'\ntR."),
        (b"cnumpy\ndtype\n", b"((S'u1'\nK\x09ttR."),  # a type of many items
    ],
)
def test_functions_that_arrays_need_do_nothing_else(arguments):
    with pytest.raises(ValueError, match=r"\w"):
        read(b"".join(arguments))


def test_memo_does_not_grow_with_the_numbers_in_it():
    assert read(b"\x80\x02}r\xff\xff\xff\x7f.") == {}  # pickle.loads takes gigabytes for this one


def test_nested_tuples_are_not_hashed():
    doubled = b")" + b"q\0h\0\x86" * 60  # a tuple of itself and itself, 60 times over
    with pytest.raises(ValueError, match=r"dict"):
        read(b"}" + doubled + b"K\1s.")


def test_instructions_come_to_an_end(monkeypatch):
    monkeypatch.setattr(plain_pickle, "MOST_INSTRUCTIONS", 1000)
    with pytest.raises(Forbidden, match="1,000 instructions"):
        read(b"}" * 2000 + b".")


def test_nothing_is_made_of_a_pickle_that_is_no_dict():
    with pytest.raises(ValueError, match="list"):
        read(pickle.dumps([1, 2, 3], protocol=2))


def test_damage_of_any_kind_is_a_value_error(python2_pickle):
    whole = python2_pickle("training batch 1 of 5", [3, 1, 4, 1], PIXELS)
    rng = np.random.default_rng(0)
    for _ in range(2000):
        data = bytearray(whole[: rng.integers(len(whole) + 1)] if rng.random() < 0.3 else whole)
        for place in rng.integers(len(data), size=rng.integers(3)) if data else ():
            data[place] = rng.integers(256)
        try:  # a flipped bit of a pixel is no damage that could be seen
            read(bytes(data))
        except ValueError as fault:
            assert str(fault)  # noqa: PT017


def test_numpy_is_never_asked_to_unpickle(python2_pickle):
    """NumPy 2.4 warns at what Python 2 wrote for a dtype, and the tests make errors of warnings."""
    whole = python2_pickle("x", [1], PIXELS)
    assert b"K\x00K\x01\x87" in whole  # the arguments that it warns at: align=0, copy=1
    np.testing.assert_array_equal(plain_pickle.read(whole)["data"], PIXELS)
