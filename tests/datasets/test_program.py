"""python -m vitkeras.datasets"""

import hashlib
import importlib
import inspect
import os
import sys

import numpy as np
import pytest
from PIL import Image

from vitkeras import datasets
from vitkeras.datasets import __main__ as program
from vitkeras.datasets import cifar10, contact_sheet, mnist
from vitkeras.datasets.dataset import Dataset
from vitkeras.datasets.downloads import Published
from vitkeras.datasets.layout import Layout


@pytest.fixture
def small(monkeypatch):
    """Both data sets with few images. Returns arrays of MNIST."""
    monkeypatch.setattr(mnist, "LAYOUT", Layout(train=30, test=20, image=(28, 28, 1)))
    monkeypatch.setattr(cifar10, "LAYOUT", Layout(train=30, test=20, image=(32, 32, 3)))
    return arrays((28, 28))


def arrays(shape):
    rng = np.random.default_rng(0)
    return {
        "x_train": rng.integers(0, 256, (30, *shape), "uint8"), "y_train": np.arange(30) % 10,
        "x_test": rng.integers(0, 256, (20, *shape), "uint8"), "y_test": np.arange(20) % 10,
    }  # fmt: skip


def publish(server, monkeypatch, arrays, path):
    np.savez(path, **arrays)
    server.content = path.read_bytes()
    sums = hashlib.sha256(server.content).hexdigest()
    monkeypatch.setattr(mnist, "PUBLISHED", Published(f"{server.url}mnist.npz", len(server.content), sums))


# The list


def test_list_says_what_is_there_and_how_to_get_the_rest(tmp_path, small, capsys):
    np.savez(tmp_path / "mnist.npz", **small)
    assert program.main(["--data", str(tmp_path), "--no-sheet"]) == 0
    said = capsys.readouterr().out
    lines = said.splitlines()
    rows = {name: next(line for line in lines if f" {name} " in line) for name in datasets.NAMES}
    assert "yes" in rows["mnist"]
    assert "30 + 20" in rows["mnist"]
    assert "28 x 28 x 1" in rows["mnist"]
    assert " no " in rows["cifar10"]
    for name, shape in (("drawn", "28 x 28 x 1"), ("coloured", "32 x 32 x 3"), ("shapes", "96 x 96 x 1")):
        assert "on demand" in rows[name]
        assert shape in rows[name]
    assert f"mnist: {tmp_path / 'mnist.npz'} (npz)" in said
    assert "not the published pixels" in said
    assert "fetch cifar10" in said
    assert "NOT MNIST" in said
    assert "NOT CIFAR-10" in said


def test_sizes_in_the_list_are_those_of_the_data_sets():
    for name, sizes in program.MADE.items():
        module = importlib.import_module(f"vitkeras.datasets.{name}")
        defaults = inspect.signature(module.load).parameters
        assert sizes == f"{defaults['train'].default:,} + {defaults['test'].default:,}"


def test_list_draws_a_sheet_of_every_data_set_that_is_there(tmp_path, small, capsys):
    np.savez(tmp_path / "mnist.npz", **small)
    np.savez(tmp_path / "cifar10.npz", **arrays((32, 32, 3)))
    out = tmp_path / "out"
    assert program.main(["--data", str(tmp_path), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == sorted(f"{name}.png" for name in datasets.NAMES)
    for path in out.iterdir():
        assert str(path) in said
        with Image.open(path) as picture:
            assert picture.width > 500


def test_broken_data_set_is_told_of_after_the_others(tmp_path, small, capsys):
    (tmp_path / "mnist.npz").write_bytes(b"broken")
    np.savez(tmp_path / "cifar10.npz", **arrays((32, 32, 3)))
    assert program.main(["--data", str(tmp_path), "--no-sheet"]) == 1
    said = capsys.readouterr()
    assert "broken" in said.out
    assert "30 + 20" in said.out
    assert str(tmp_path / "mnist.npz") in said.err


def test_brackets_in_a_path_are_not_lost(tmp_path, small, capsys):
    (tmp_path / "[bold]").mkdir()
    np.savez(tmp_path / "[bold]" / "mnist.npz", **small)
    assert program.main(["--data", str(tmp_path / "[bold]"), "--no-sheet"]) == 0
    assert str(tmp_path / "[bold]" / "mnist.npz") in capsys.readouterr().out


def test_folder_for_pictures_that_cannot_be_made_is_told(tmp_path, small, capsys):
    (tmp_path / "file").touch()
    assert program.main(["--out", str(tmp_path / "file" / "out")]) == 1
    assert "could not be written" in capsys.readouterr().err


# fetch


def test_fetch_downloads_and_the_second_time_says_that_it_is_there(tmp_path, small, server, monkeypatch, capsys):
    publish(server, monkeypatch, small, tmp_path / "published.npz")
    monkeypatch.setattr(mnist, "FINGERPRINT", mnist.fingerprint(small))
    for words in ("is there now", "is there already"):
        assert program.main(["fetch", "mnist", "--data", str(tmp_path)]) == 0
        said = capsys.readouterr().out
        assert words in said
        assert str(tmp_path / "mnist.npz") in said
    assert len(server.asked) == 1


@pytest.mark.parametrize("order", [["--data", "{}", "fetch", "mnist"], ["fetch", "mnist", "--data", "{}"]])
def test_data_folder_may_be_named_before_fetch_or_after_it(tmp_path, small, server, monkeypatch, order):
    publish(server, monkeypatch, small, tmp_path / "published.npz")
    assert program.main([word.format(tmp_path) for word in order]) == 0
    assert (tmp_path / "mnist.npz").exists()


def test_fetch_does_not_take_a_likeness_for_the_published_images(tmp_path, small, server, monkeypatch, capsys):
    publish(server, monkeypatch, {**small, "x_train": small["x_train"] // 2}, tmp_path / "published.npz")
    np.savez(tmp_path / "mnist-like.npz", **small)
    assert program.main(["fetch", "mnist", "--data", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "mnist-like.npz are not those of the published MNIST" in said
    assert f"mnist is there now: {tmp_path / 'mnist.npz'}" in said


def test_fetch_never_writes_over_a_file(tmp_path, small, server, monkeypatch, capsys):
    publish(server, monkeypatch, small, tmp_path / "published.npz")
    np.savez(tmp_path / "mnist.npz", **{**small, "x_train": small["x_train"] // 2})
    before = (tmp_path / "mnist.npz").read_bytes()
    assert program.main(["fetch", "mnist", "--data", str(tmp_path)]) == 1
    assert "in the way" in capsys.readouterr().err
    assert (tmp_path / "mnist.npz").read_bytes() == before


def test_fetch_says_so_if_another_copy_comes_first(tmp_path, small, server, monkeypatch, capsys, project_folder):
    publish(server, monkeypatch, small, tmp_path / "published.npz")
    np.savez(tmp_path / "likeness.npz", **{**small, "x_train": small["x_train"] // 2})
    assert program.main(["fetch", "mnist", "--data", str(tmp_path / "likeness.npz")]) == 0
    said = capsys.readouterr().out
    assert f"is there now: {project_folder / 'mnist.npz'}" in said
    assert f"But {tmp_path / 'likeness.npz'} comes first" in said


# As a program of its own: exit codes, and no traceback


def told(outcome, code, *words):
    assert outcome.code == code, outcome.err
    assert "Traceback" not in outcome.err
    for word in words:
        assert str(word) in outcome.err


def test_help_names_fetch_and_all_options(run):
    outcome = run(None, "--help")
    assert outcome.code == 0
    for word in ("fetch", "--data", "--out", "--no-sheet"):
        assert word in outcome.out


@pytest.mark.parametrize(
    "arguments", [["--bad"], ["fetch"], ["fetch", "imagenet"], ["fetch", "drawn"], ["--data", "no-such-folder"],
                  ["fetch", "mnist", "--data", "no-such-folder"], ["--data", "drawn"], ["list"]],
)  # fmt: skip
def test_misuse_ends_with_2(run, arguments):
    told(run(None, *arguments), 2, "error:")


def test_fetch_without_a_network_ends_with_1_and_the_ways_out(run, project_folder):
    told(run(None, "fetch", "mnist"), 1, "error:", "could not be reached", "Ways out", project_folder)
    assert list(project_folder.iterdir()) == []


def test_broken_file_ends_with_1_and_says_what_to_do(run, tmp_path):
    (tmp_path / "mnist.npz").write_bytes(b"broken")
    told(run(None, "fetch", "mnist", "--data", tmp_path), 1, tmp_path / "mnist.npz", "Delete it")


def test_options_are_read_before_anything_heavy_is_imported(run):
    outcome = run("""
import sys
from vitkeras.datasets.__main__ import main
try:
    main(["--help"])
finally:
    print("heavy:", {"tensorflow", "keras", "jax", "torch", "matplotlib", "rich"} & set(sys.modules))
""")
    assert outcome.out.splitlines()[-1] == "heavy: set()"


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write anywhere")
def test_fetch_into_a_project_that_cannot_be_written_to_is_told(project_folder, capsys):
    project_folder.chmod(0o555)
    assert program.main(["fetch", "mnist"]) == 1
    assert f"{project_folder / 'mnist.npz'} could not be written" in capsys.readouterr().err


# The contact sheet


def test_sheet_has_a_row_for_each_class_with_its_first_images():
    images = np.arange(40, dtype="uint8").reshape(40, 1, 1, 1) * np.ones((1, 4, 5, 3), "uint8")
    labels = np.array([0, 1] * 20)
    data = Dataset("two", "two", images, labels, images, labels, ("even", "odd"), "here")
    picture = contact_sheet.mosaic(data)
    assert picture.shape == (2 * 4 + 2, 12 * 5 + 11 * 2, 3)
    for row in (0, 1):
        shown = [int(picture[row * 6, column * 7, 0]) for column in range(12)]
        assert shown == [row + 2 * column for column in range(12)]


def test_sheet_leaves_room_where_a_class_has_few_images():
    images, labels = np.zeros((3, 4, 4, 1), "uint8"), np.array([0, 0, 1])
    data = Dataset("few", "few", images, labels, images, labels, ("two", "one"), "here")
    picture = contact_sheet.mosaic(data)
    assert (picture[6:, 0:4] == 0).all()
    assert (picture[6:, 6:] == contact_sheet.WHITE).all()


def test_sheet_has_several_rows_of_each_class_where_images_are_large_and_classes_few():
    images = np.arange(40, dtype="uint8").reshape(40, 1, 1, 1) * np.ones((1, 96, 96, 1), "uint8")
    labels = np.array([0, 1] * 20)
    picture = contact_sheet.mosaic(Dataset("two", "two", images, labels, images, labels, ("even", "odd"), "here"))
    assert picture.shape == (6 * 98 - 2, 6 * 98 - 2, 1)
    shown = picture[::98, ::98, 0]  # (rows, columns)
    np.testing.assert_array_equal(shown[:3].ravel(), np.arange(0, 36, 2))
    np.testing.assert_array_equal(shown[3:].ravel(), np.arange(1, 37, 2))
