import gzip
import io
import tarfile
from hashlib import md5

import numpy as np
import pytest
from PIL import Image

from vitkeras import datasets
from vitkeras.datasets import cifar10, cifar10_batches
from vitkeras.datasets.layout import Broken, Layout


@pytest.fixture
def load(tmp_path):
    """Load CIFAR-10 from what the test has put into this folder, or from a path; never from the net."""

    def load(path=tmp_path):
        return datasets.load("cifar10", path, download=False)

    return load


def assert_holds(data, arrays):
    assert data.x_train.shape == (50_000, 32, 32, 3)
    assert data.x_test.shape == (10_000, 32, 32, 3)
    assert data.y_train.shape == (50_000,)
    assert data.x_train.dtype == data.x_test.dtype == "uint8"
    assert data.y_train.dtype == data.y_test.dtype == "int32"
    assert data.class_names[0] == "airplane"
    assert data.class_names[9] == "truck"
    for name, array in arrays.items():
        assert (getattr(data, name) == array).all(), name


# Every form in which CIFAR-10 comes


def test_published_archive_is_read_and_known_by_the_sums_of_its_batches(
    load, cifar10_tar, cifar10_arrays, batch_files, monkeypatch
):
    for name, data in batch_files.items():
        _, says = cifar10_batches.BATCHES[name]
        monkeypatch.setitem(cifar10_batches.BATCHES, name, (md5(data).hexdigest(), says))
    data = load(cifar10_tar.parent)
    assert_holds(data, cifar10_arrays)
    assert data.title == "CIFAR-10"
    assert data.warning == ""
    assert str(cifar10_tar) in data.origin
    assert "MD5" in data.origin


def test_unpacked_folder_is_read_and_other_pixels_carry_a_warning(load, tmp_path, batch_files, cifar10_arrays):
    (tmp_path / "cifar-10-batches-py").mkdir()
    for name, data in batch_files.items():
        (tmp_path / "cifar-10-batches-py" / name).write_bytes(data)
    data = load()
    assert_holds(data, cifar10_arrays)
    assert "not those of the published CIFAR-10" in data.warning
    assert data.title != "CIFAR-10"


def test_npz_of_any_name_is_read(load, cifar10_npz, cifar10_arrays):
    data = load(cifar10_npz)
    assert_holds(data, cifar10_arrays)
    assert data.title == "CIFAR-10"
    assert "5,000 and 1,000 images a class" in data.origin


@pytest.mark.parametrize(
    "path",
    [
        "cifar-10-python.tar.gz", "cifar-10-python.tar", "cifar-10-batches-py.tar.gz",
        "cifar-10-batches-py-target_archive", "data_batch_1", "cifar-10-batches-py/test_batch",
        "cifar-10-batches-py-target/cifar-10-batches-py/data_batch_2", "cifar10.npz", "CIFAR-10 small.npz",
        "cifar10-jpeg.npz",
    ],
)  # fmt: skip
def test_names_that_keras_and_others_give_are_known(tmp_path, path):
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).touch()
    found = datasets.find("cifar10", tmp_path)
    assert found.path in (tmp_path / path, (tmp_path / path).parent)


@pytest.mark.parametrize(
    "name",
    ["cifar100.npz", "cifar-100-python.tar.gz", "mnist.npz", "cifar10.unfinished-7.npz", "cifar-10-python.tar.gz.part"],
)
def test_other_names_are_passed_over(tmp_path, name):
    (tmp_path / name).touch()
    assert datasets.find("cifar10", tmp_path) is None


def test_exact_pixels_go_before_a_jpeg_copy(tmp_path):
    for name in ("cifar10-jpeg.npz", "cifar10.npz"):
        (tmp_path / name).touch()
    assert datasets.find("cifar10", tmp_path).path.name == "cifar10.npz"


def test_npz_with_other_class_counts_carries_a_warning(load, small, tmp_path):
    np.savez(tmp_path / "cifar10.npz", **small)
    assert "not those of the published CIFAR-10" in load().warning


# Broken archives and batches


def refused(load, *words):
    with pytest.raises(Broken) as problem:
        load()
    for word in (*words, "python -m vitkeras.datasets fetch cifar10"):
        assert word in str(problem.value)


@pytest.fixture
def small(monkeypatch):
    """A CIFAR-10 of 30 and 20 images, in npz forms. Returns its four arrays."""
    monkeypatch.setattr(cifar10, "LAYOUT", Layout(train=30, test=20, image=(32, 32, 3)))
    rng = np.random.default_rng(0)
    return {
        "x_train": rng.integers(0, 256, (30, 32, 32, 3), "uint8"), "y_train": np.arange(30) % 10,
        "x_test": rng.integers(0, 256, (20, 32, 32, 3), "uint8"), "y_test": np.arange(20)[:, None] % 10,
    }  # fmt: skip


def test_archive_that_was_cut_off_is_refused(load, tmp_path, cifar10_tar):
    data = cifar10_tar.read_bytes()
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(data[: len(data) // 5])
    refused(load, str(tmp_path / "cifar-10-python.tar.gz"), "cannot be read")


@pytest.mark.parametrize("content", [b"", b"<html>sign in</html>" * 100, gzip.compress(b"no tar" * 1000), b"\x1f\x8b"])
def test_file_that_is_no_archive_is_refused(load, tmp_path, content):
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(content)
    refused(load, str(tmp_path / "cifar-10-python.tar.gz"))


def test_batches_that_are_missing_are_named(load, tmp_path, batch_files):
    for name in ("data_batch_1", "test_batch"):
        (tmp_path / name).write_bytes(batch_files[name])
    refused(load, "data_batch_2", "data_batch_5", "not whole")


def test_small_archive_that_unpacks_into_a_huge_one_is_refused(load, tmp_path, monkeypatch, tar_bytes):
    monkeypatch.setattr(cifar10_batches, "LARGEST_ARCHIVE", 1 << 20)
    bomb = gzip.compress(tar_bytes({"zeros": bytes(5 << 20)}))
    assert len(bomb) < 10_000
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(bomb)
    refused(load, "far more")


def test_sparse_member_of_any_size_is_refused_unread(load, tmp_path):
    member = tarfile.TarInfo("data_batch_1")
    member.type, member.size = tarfile.GNUTYPE_SPARSE, 512
    header = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    header[386:398] = header[398:410] = b"00000000000\0"  # one run of data, of no bytes
    header[483:495] = b"\x80" + (1 << 40).to_bytes(11, "big")  # in a file of a terabyte
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    (tmp_path / "cifar-10-python.tar").write_bytes(bytes(header) + bytes(2048))
    refused(load, "1,099,511,627,776")


def test_batch_larger_than_any_is_refused_unread(load, tmp_path, monkeypatch, batch_files):
    monkeypatch.setattr(cifar10_batches, "LARGEST_BATCH", 1 << 20)
    (tmp_path / "data_batch_1").write_bytes(batch_files["data_batch_1"])
    refused(load, "data_batch_1", "far more")


def test_names_in_an_archive_lead_nowhere(load, tmp_path, tar_bytes, batch_files):
    inner = tmp_path / "inner"
    inner.mkdir()
    files = {"../escaped": b"x", f"{tmp_path}/absolute": b"x", "../data_batch_1": batch_files["data_batch_1"]}
    (inner / "cifar-10-python.tar").write_bytes(tar_bytes(files))
    with pytest.raises(Broken, match="data_batch_2"):
        load(inner)
    assert [path.name for path in tmp_path.iterdir()] == ["inner"]
    assert [path.name for path in inner.iterdir()] == ["cifar-10-python.tar"]


def test_forbidden_pickle_is_refused_by_name_and_none_of_it_runs(load, tmp_path, tar_bytes):
    order = f"cos\nsystem\n(S'touch {tmp_path}/it-ran'\ntR.".encode()
    archive = gzip.compress(tar_bytes({"cifar-10-batches-py/data_batch_1": order}))
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(archive)
    refused(load, str(tmp_path / "cifar-10-python.tar.gz"), "data_batch_1", "os.system", "None of it has been run")
    assert not (tmp_path / "it-ran").exists()


LABELS = [i % 10 for i in range(10_000)]
PIXELS = np.zeros((10_000, 3072), "uint8")


@pytest.mark.parametrize(
    ("says", "labels", "pixels", "words"),
    [
        ("training batch 1 of 5", [10, *LABELS[1:]], PIXELS, ["0 to 10", "expected 0 to 9"]),
        ("training batch 1 of 5", [-1, *LABELS[1:]], PIXELS, ["-1 to 9"]),
        ("training batch 1 of 5", LABELS[:-1], PIXELS, ["9,999", "10,000"]),
        ("training batch 1 of 5", LABELS, PIXELS[:5000], ["(5000, 3072)", "(10000, 3072)"]),
        ("training batch 1 of 5", LABELS, PIXELS.reshape(20_000, 1536), ["(20000, 1536)"]),
        ("testing batch 1 of 1", LABELS, PIXELS, ["'testing batch 1 of 1'", "'training batch 1 of 5'", "exchanged"]),
        ("training batch 2 of 5", LABELS, PIXELS, ["'training batch 2 of 5'"]),
    ],
)
def test_batch_with_other_contents_is_refused(load, tmp_path, python2_pickle, says, labels, pixels, words):
    (tmp_path / "data_batch_1").write_bytes(python2_pickle(says, labels, pixels))
    refused(load, str(tmp_path), "data_batch_1", *words)


# The npz forms


def test_npz_whose_sets_or_arrays_were_exchanged_is_refused(load, tmp_path, small):
    swapped = {"x_train": "x_test", "x_test": "x_train", "y_train": "y_test", "y_test": "y_train"}
    np.savez(tmp_path / "cifar10.npz", **{swapped[name]: array for name, array in small.items()})
    refused(load, "training and test set had been exchanged")


def test_npz_with_colour_as_the_first_axis_is_refused(load, tmp_path, small):
    np.savez(tmp_path / "cifar10.npz", **{**small, "x_train": small["x_train"].transpose(0, 3, 1, 2)})
    refused(load, "(30, 3, 32, 32)", "(30, 32, 32, 3)")


def jpeg_of(image, quality=95):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=quality)
    return np.frombuffer(stream.getvalue(), "uint8")


def jpeg_copy(arrays):
    packed = {}
    for split in ("train", "test"):
        files = [jpeg_of(image) for image in arrays[f"x_{split}"]]
        packed[f"jpeg_{split}"] = np.concatenate(files)
        packed[f"len_{split}"] = np.array([len(file) for file in files], "int32")
        packed[f"y_{split}"] = arrays[f"y_{split}"].reshape(-1)
    return packed


def flat_images(small):
    """A colour for each image, which JPEG keeps nearly."""
    return {name: np.tile(a[:, :1, :1], (1, 32, 32, 1)) if name[0] == "x" else a for name, a in small.items()}


def test_jpeg_copy_is_decoded_and_says_that_it_is_one(load, tmp_path, small):
    images = flat_images(small)
    np.savez(tmp_path / "cifar10-jpeg.npz", **jpeg_copy(images))
    data = load()
    np.testing.assert_allclose(data.x_train.astype(int), images["x_train"], atol=6)
    np.testing.assert_allclose(data.x_test.astype(int), images["x_test"], atol=6)
    np.testing.assert_array_equal(data.y_train, small["y_train"])
    assert data.title == "JPEG copy of CIFAR-10"
    assert "JPEG copy" in data.warning
    assert "JPEG" in data.origin


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a: {"len_train": a["len_train"] + 1}, ["len_train adds up to", "jpeg_train has"]),
        (lambda a: {"len_train": a["len_train"] * np.array([-1] + [1] * 29)}, ["the least is -"]),
        (lambda a: {"len_test": a["len_test"][:-1]}, ["len_test", "(19,)", "(20,)"]),
        (lambda a: {"jpeg_test": a["jpeg_test"].astype("int16")}, ["jpeg_test", "int16"]),
        (lambda a: {"jpeg_test": np.zeros(4096 * 20 + 1, "uint8")}, ["jpeg_test", "at most"]),
        (lambda a: {"jpeg_train": a["jpeg_train"] * 0}, ["image 0 of train", "no JPEG"]),
        (lambda a: {"y_train": a["y_train"] + 1}, ["1 to 10"]),
    ],
)
def test_damaged_jpeg_copy_is_refused(load, tmp_path, small, change, words):
    packed = jpeg_copy(flat_images(small))
    np.savez(tmp_path / "cifar10-jpeg.npz", **{**packed, **change(packed)})
    refused(load, str(tmp_path / "cifar10-jpeg.npz"), *words)


def test_jpeg_of_another_size_is_refused_before_it_is_unpacked(load, tmp_path, small):
    packed = jpeg_copy(flat_images(small))
    large = jpeg_of(np.zeros((64, 48, 3), "uint8"))
    packed["jpeg_train"] = np.concatenate([large, packed["jpeg_train"][packed["len_train"][0] :]])
    packed["len_train"][0] = len(large)
    np.savez(tmp_path / "cifar10-jpeg.npz", **packed)
    refused(load, "48 by 64 pixels", "32 by 32")


def test_jpeg_copy_without_an_array_is_refused(load, tmp_path, small):
    packed = jpeg_copy(flat_images(small))
    del packed["y_test"]
    np.savez(tmp_path / "cifar10-jpeg.npz", **packed)
    refused(load, "y_test is missing")
