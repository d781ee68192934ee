import io
import pickle
import zipfile

import numpy as np
import pytest

from vitkeras.datasets import npz
from vitkeras.datasets.layout import Broken

ARRAYS = {"x": np.arange(12, dtype="uint8").reshape(3, 4), "y": np.array([5, 6, 7])}


@pytest.fixture
def path(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", **ARRAYS)
    return tmp_path / "a.npz"


def write(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def all_of(headers):
    return list(headers)


def test_arrays_are_read_that_were_chosen_by_their_headers(path):
    def choose(headers):
        assert headers["x"] == ((3, 4), np.dtype("uint8"))
        return [name for name, header in headers.items() if header.dtype == "uint8"]

    arrays = npz.read(path, choose)
    assert list(arrays) == ["x"]
    np.testing.assert_array_equal(arrays["x"], ARRAYS["x"])


def test_refusal_comes_before_a_byte_of_the_array_is_unpacked(path):
    def choose(headers):
        raise Broken("no")

    write(path, x=npy(np.zeros(0, "uint8"))[:128] + b"not what deflate would give")
    with pytest.raises(Broken, match="no"):
        npz.read(path, choose)


def test_objects_are_never_unpickled(path, tmp_path):
    class Calls:
        def __reduce__(self):
            return open, (str(tmp_path / "it-ran"), "w")

    whole = npy(np.array([0], "int64"))
    write(path, x=whole[:128].replace(b"'<i8'", b"'|O' ") + pickle.dumps(np.array([Calls()])))
    with pytest.raises(Broken):
        npz.read(path, all_of)
    assert not (tmp_path / "it-ran").exists()


def test_member_that_unpacks_into_more_than_its_header_says_is_refused(path):
    write(path, x=npy(ARRAYS["x"]) + bytes(50_000_000))
    assert path.stat().st_size < 100_000
    with pytest.raises(Broken, match="does not fit its header"):
        npz.read(path, all_of)


def test_header_that_claims_more_than_there_is_is_refused(path):
    write(path, x=npy(ARRAYS["x"]).replace(b"(3, 4), ", b"(3, 4000000000), ")[:128] + bytes(12))
    with pytest.raises(Broken):
        npz.read(path, all_of)


def test_header_of_any_length_is_read_no_further_than_a_header_goes(path):
    write(path, x=b"\x93NUMPY\x02\x00" + (1 << 31).to_bytes(4, "little") + b" " * 20_000_000)
    with pytest.raises(Broken):
        npz.read(path, all_of)


NO_HEADERS = [b"", b"(" * 3000, b"-" * 3000 + b"1", b"{[]: 1}", b"{1: 2, 'a': 3}", b"'" * 3, b"\xff"]


@pytest.mark.parametrize("header", NO_HEADERS)
def test_header_that_is_no_header_is_refused(path, header):
    write(path, x=b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(5000))
    with pytest.raises(Broken, match="damaged header"):
        npz.read(path, all_of)


@pytest.mark.parametrize("shape", [b"(-5,)", b"(10**9,)", b"(True,)", b"5", b"('5',)", b"(4611686018427387904, 4)"])
def test_shape_that_is_no_shape_is_refused(path, shape):
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': " + shape + b"}"
    write(path, x=b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(5000))
    with pytest.raises(Broken):
        npz.read(path, all_of)


def test_encrypted_file_is_refused(path):
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    path.write_bytes(data)
    with pytest.raises(Broken, match="encrypted"):
        npz.read(path, all_of)


def test_damage_of_any_kind_is_told_with_the_name_of_the_file(path):
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(500):
        data = bytearray(whole[: rng.integers(len(whole) + 1)] if rng.random() < 0.3 else whole)
        for place in rng.integers(len(data), size=rng.integers(1, 4)) if data else ():
            data[place] = rng.integers(256)
        path.write_bytes(data)
        try:  # either it is refused, or what is read is right
            arrays = npz.read(path, lambda headers: [name for name in headers if name in ARRAYS])
        except Broken as problem:
            assert str(path) in str(problem)  # noqa: PT017
        else:
            for name, array in arrays.items():
                np.testing.assert_array_equal(array, ARRAYS[name])
