import gzip
import hashlib
import os
import sys

import numpy as np
import pytest

from vitkeras import datasets
from vitkeras.datasets import mnist
from vitkeras.datasets.layout import Broken, Layout
from vitkeras.errors import Misuse


@pytest.fixture
def load(tmp_path):
    """Load MNIST from what the test has put into this folder, or from a path; never from the net."""

    def load(path=tmp_path):
        return datasets.load("mnist", path, download=False)

    return load


@pytest.fixture
def small(monkeypatch):
    """An MNIST of 200 images, for what is seen only after all of them have been read. Returns its four arrays."""
    monkeypatch.setattr(mnist, "LAYOUT", Layout(train=150, test=50, image=(28, 28, 1)))
    rng = np.random.default_rng(0)
    return {
        "x_train": rng.integers(0, 256, (150, 28, 28), "uint8"), "y_train": np.arange(150, dtype="uint8") % 10,
        "x_test": rng.integers(0, 256, (50, 28, 28), "uint8"), "y_test": np.arange(50, dtype="uint8") % 10,
    }  # fmt: skip


def assert_holds(data, arrays):
    assert data.x_train.shape == (60_000, 28, 28, 1)
    assert data.x_test.shape == (10_000, 28, 28, 1)
    assert data.y_train.shape == (60_000,)
    assert data.x_train.dtype == data.x_test.dtype == "uint8"
    assert data.y_train.dtype == data.y_test.dtype == "int32"
    assert data.class_names == tuple("0123456789")
    for name, array in arrays.items():
        np.testing.assert_array_equal(getattr(data, name).reshape(array.shape), array)


# Every form in which MNIST comes


def test_keras_npz_is_read_and_given_a_channel_axis(load, mnist_npz, mnist_arrays):
    data = load(mnist_npz.parent)
    assert_holds(data, mnist_arrays)
    assert str(mnist_npz) in data.origin
    assert "\n" not in data.origin


def test_npz_may_have_any_name_when_it_is_named_itself(load, mnist_npz, tmp_path, mnist_arrays):
    os.link(mnist_npz, tmp_path / "digits.npz")
    assert_holds(load(tmp_path / "digits.npz"), mnist_arrays)


def test_npz_may_have_a_channel_axis_and_wide_labels(load, small, tmp_path):
    images = {name: small[name][..., None] for name in ("x_train", "x_test")}
    labels = {name: small[name].astype("int64")[:, None] for name in ("y_train", "y_test")}
    np.savez(tmp_path / "mnist_784.npz", **images, **labels)
    data = load()
    np.testing.assert_array_equal(data.x_train, images["x_train"])
    np.testing.assert_array_equal(data.y_test, small["y_test"])


@pytest.mark.parametrize(("folder", "separator"), [("", "-"), ("MNIST/raw", "."), ("raw", "-")])
def test_four_idx_files_are_read_where_they_were_unpacked(
    load, tmp_path, mnist_idx_files, mnist_arrays, folder, separator
):
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    for name, data in mnist_idx_files.items():
        (tmp_path / folder / name.replace("-idx", f"{separator}idx")).write_bytes(data)
    assert_holds(load(), mnist_arrays)


def test_gzipped_idx_files_are_read_and_one_of_them_stands_for_all(load, tmp_path, mnist_idx_gz_files, mnist_arrays):
    for name, data in mnist_idx_gz_files.items():
        (tmp_path / name).write_bytes(data)
    assert_holds(load(tmp_path / "t10k-labels-idx1-ubyte.gz"), mnist_arrays)


def test_fashion_mnist_of_torchvision_is_not_taken_for_mnist(tmp_path, mnist_idx_files):
    (tmp_path / "FashionMNIST" / "raw").mkdir(parents=True)
    for name, data in mnist_idx_files.items():
        (tmp_path / "FashionMNIST" / "raw" / name).write_bytes(data[:100])
    assert datasets.find("mnist", tmp_path) is None


def test_files_that_a_program_left_unfinished_are_not_taken_for_mnist(tmp_path):
    for name in ("mnist.unfinished-123.npz", "mnist.npz.part", "mnist.npz.part.lock"):
        (tmp_path / name).write_bytes(b"half")
    assert datasets.find("mnist", tmp_path) is None


# Whether it is MNIST


def test_other_pixels_in_the_form_of_mnist_carry_a_warning(load, mnist_npz):
    data = load(mnist_npz)
    assert "not" in data.warning
    assert "Fashion-MNIST" in data.warning
    assert "not the published" in data.origin
    assert data.title != "MNIST"


def test_published_pixels_are_known_by_the_sum_of_their_bytes(load, mnist_npz, mnist_arrays, monkeypatch):
    sums = hashlib.sha256(b"".join(array.tobytes() for array in mnist_arrays.values())).hexdigest()
    monkeypatch.setattr(mnist, "FINGERPRINT", sums)
    data = load(mnist_npz)
    assert data.title == "MNIST"
    assert data.warning == ""
    assert "published MNIST" in data.origin


# What is refused, and what the refusal says


def refused(load, *words):
    with pytest.raises(Broken) as problem:
        load()
    assert problem.value.exit_code == 1
    for word in (*words, "python -m vitkeras.datasets fetch mnist", "Delete"):
        assert word in str(problem.value)


def test_truncated_npz_is_refused(load, tmp_path, mnist_npz):
    (tmp_path / "mnist.npz").write_bytes(mnist_npz.read_bytes()[:-5000])
    refused(load, str(tmp_path / "mnist.npz"), "zip")


def test_web_page_under_the_name_of_mnist_is_refused(load, tmp_path):
    (tmp_path / "mnist.npz").write_text("<html>Please sign in</html>")
    refused(load, str(tmp_path / "mnist.npz"))


def test_damage_within_an_npz_is_seen_by_its_checksum(load, tmp_path, small):
    np.savez(tmp_path / "mnist.npz", **small)
    data = bytearray((tmp_path / "mnist.npz").read_bytes())
    data[40_000] ^= 1  # one bit of one pixel
    (tmp_path / "mnist.npz").write_bytes(data)
    refused(load, "CRC")


def test_folder_in_the_place_of_a_file_is_refused(load, tmp_path):
    (tmp_path / "mnist.npz").mkdir()
    refused(load, str(tmp_path / "mnist.npz"))


@pytest.mark.skipif(sys.platform == "win32", reason="links are for administrators there")
def test_dangling_link_in_the_place_of_a_file_is_refused(load, tmp_path):
    (tmp_path / "mnist.npz").symlink_to(tmp_path / "gone")
    refused(load, str(tmp_path / "mnist.npz"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a: {"x_train": a["x_test"], "y_train": a["y_test"], "x_test": a["x_train"], "y_test": a["y_train"]},
         ["(50, 28, 28) uint8", "(150, 28, 28, 1) uint8", "training and test set had been exchanged"]),
        (lambda a: {"x_train": a["y_train"], "y_train": a["x_train"], "x_test": a["y_test"], "y_test": a["x_test"]},
         ["images and labels had been exchanged"]),
        (lambda a: {"x_train": a["x_train"] / np.float32(255)}, ["x_train", "float32", "uint8"]),
        (lambda a: {"x_train": a["x_train"].transpose(1, 2, 0)}, ["x_train", "(28, 28, 150)"]),
        (lambda a: {"x_train": a["x_train"][:-1]}, ["(149, 28, 28)"]),
        (lambda a: {"y_test": np.eye(10)[a["y_test"]]}, ["y_test", "(50, 10) float64", "whole numbers"]),
        (lambda a: {"y_train": a["y_train"].astype(object)}, ["y_train", "object"]),
        (lambda a: {"y_train": a["y_train"] + 1}, ["training", "from 1 to 10", "0 to 9"]),
        (lambda a: {"y_test": a["y_test"].astype(int) - 1}, ["test", "from -1 to 8"]),
        (lambda a: {"y_train": np.minimum(a["y_train"], 7)}, ["training", "8, 9"]),
        (lambda a: {"x_test": np.zeros_like(a["x_test"])}, ["50 test images are the same"]),
    ],
)  # fmt: skip
def test_npz_with_other_contents_is_refused(load, tmp_path, small, change, words):
    np.savez(tmp_path / "mnist.npz", **{**small, **change(small)})
    refused(load, str(tmp_path / "mnist.npz"), *words)


def test_npz_without_an_array_is_refused_and_says_what_it_has(load, tmp_path, small):
    np.savez(tmp_path / "mnist.npz", train=small["x_train"], labels=small["y_train"])
    refused(load, "x_train is missing", "labels, train")


def test_missing_idx_file_is_named(load, tmp_path, mnist_idx_files):
    for name, data in mnist_idx_files.items():
        if not name.startswith("t10k-labels"):
            (tmp_path / name).write_bytes(data[:100])
    refused(load, str(tmp_path), "no t10k-labels")


def small_idx_files(small):
    from struct import pack

    kinds = dict(zip(small, ("train-images", "train-labels", "t10k-images", "t10k-labels"), strict=True))
    return {
        f"{kinds[name]}-idx{array.ndim}-ubyte":
            bytes([0, 0, 8, array.ndim]) + pack(f">{array.ndim}I", *array.shape) + array.tobytes()
        for name, array in small.items()
    }  # fmt: skip


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda data: data[:-10], ["not whole", "117,600", "only 117,590"]),
        (lambda data: data + b"x", ["not whole", "more"]),
        (lambda data: data[:9], ["header"]),
        (lambda data: b"", ["not an idx file"]),
        (lambda data: b"\x89PNG" + data, ["not an idx file", "89 50"]),
        (lambda data: data[:3] + b"\x04" + data[4:], ["not an idx file"]),
        (lambda data: data[:4] + b"\xff" * 12 + data[16:], ["4294967295"]),
        (lambda data: gzip.compress(data)[:-4000], ["cannot be read"]),
        (lambda data: gzip.compress(data)[:-6] + b"wrong!", ["cannot be read"]),
    ],
)
def test_damaged_idx_file_is_refused_and_named(load, tmp_path, small, damage, words):
    files = small_idx_files(small)
    files["train-images-idx3-ubyte"] = damage(files["train-images-idx3-ubyte"])
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    refused(load, str(tmp_path), *words)


def test_idx_files_under_each_others_names_are_refused(load, tmp_path, small):
    files = small_idx_files(small)
    swapped = {"train": "t10k", "t10k": "train"}
    for name, data in files.items():
        prefix, rest = name.split("-", 1)
        (tmp_path / f"{swapped[prefix]}-{rest}").write_bytes(data)
    refused(load, "training and test set had been exchanged")


def test_file_in_no_known_form_is_a_misuse(load, tmp_path):
    (tmp_path / "holiday.jpg").write_bytes(b"\xff\xd8")
    with pytest.raises(Misuse, match=r"holiday\.jpg"):
        load(tmp_path / "holiday.jpg")
