import hashlib
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from vitkeras import datasets
from vitkeras.datasets import Dataset, mnist
from vitkeras.datasets.downloads import Published, Unreachable
from vitkeras.datasets.layout import Broken, Layout
from vitkeras.errors import Misuse, Problem


@pytest.fixture
def drawn(monkeypatch):
    """In place of the drawn digits, which take seconds: something that keeps the folder that it was given."""

    def load(folder, train=60_000, test=10_000, seed=0):
        images, labels = np.zeros((20, 28, 28, 1), "uint8"), np.arange(20, dtype="int32") % 10
        names = tuple("0123456789")
        return Dataset(
            "drawn", "drawn digits", images, labels, images, labels, names, f"{folder}", "This is NOT MNIST."
        )

    monkeypatch.setitem(sys.modules, "vitkeras.datasets.drawn", SimpleNamespace(load=load))
    monkeypatch.setattr(datasets, "drawn", SimpleNamespace(load=load), raising=False)


@pytest.fixture
def coloured(monkeypatch):
    """In place of the coloured digits, which take seconds."""
    images, labels = np.zeros((20, 32, 32, 3), "uint8"), np.arange(20, dtype="int32") % 10
    digits = Dataset(
        "coloured", "coloured digits", images, labels, images, labels, tuple("0123456789"), "drawn",
        "This is NOT CIFAR-10.",
    )  # fmt: skip
    module = SimpleNamespace(load=lambda: digits)
    monkeypatch.setitem(sys.modules, "vitkeras.datasets.coloured", module)
    monkeypatch.setattr(datasets, "coloured", module, raising=False)


@pytest.fixture
def online(server, tmp_path, monkeypatch):
    """An MNIST of 200 images, published on the loopback. Returns its arrays."""
    monkeypatch.setattr(mnist, "LAYOUT", Layout(train=150, test=50, image=(28, 28, 1)))
    rng = np.random.default_rng(0)
    arrays = {
        "x_train": rng.integers(0, 256, (150, 28, 28), "uint8"), "y_train": np.arange(150, dtype="uint8") % 10,
        "x_test": rng.integers(0, 256, (50, 28, 28), "uint8"), "y_test": np.arange(50, dtype="uint8") % 10,
    }  # fmt: skip
    np.savez(tmp_path / "published.npz", **arrays)
    server.content = (tmp_path / "published.npz").read_bytes()
    sums = hashlib.sha256(server.content).hexdigest()
    monkeypatch.setattr(mnist, "PUBLISHED", Published(f"{server.url}mnist.npz", len(server.content), sums))
    monkeypatch.setattr(
        mnist, "FINGERPRINT", hashlib.sha256(b"".join(a.tobytes() for a in arrays.values())).hexdigest()
    )
    return arrays


def test_data_set_that_is_nowhere_is_downloaded_once(online, server, project_folder):
    for _ in range(2):
        data = datasets.load("mnist")
        np.testing.assert_array_equal(data.x_train[..., 0], online["x_train"])
        assert str(project_folder / "mnist.npz") in data.origin
    assert len(server.asked) == 1


def test_download_goes_to_the_folder_given(online, tmp_path):
    (tmp_path / "mine").mkdir()
    assert str(tmp_path / "mine" / "mnist.npz") in datasets.load("mnist", tmp_path / "mine").origin


def test_without_a_network_all_ways_out_are_listed(project_folder):
    with pytest.raises(Problem) as problem:
        datasets.load("mnist")
    said = str(problem.value)
    assert problem.value.exit_code == 1
    for place in (project_folder, project_folder.parent / "keras" / "datasets"):
        assert str(place) in said
    for words in ("could not be reached", "fetch mnist", "mnist.npz", "VITKERAS_DATA", "--data drawn", "not MNIST"):
        assert words in said
    with pytest.raises(Problem) as problem:
        datasets.load("cifar10")
    for words in ("cifar-10-python.tar.gz", "--data drawn", "not CIFAR-10"):
        assert words in str(problem.value)


def test_network_is_left_alone_if_asked(online, server):
    with pytest.raises(Unreachable, match="not asked for"):
        datasets.load("mnist", download=False)
    assert server.asked == []


def test_unknown_name_is_a_misuse():
    with pytest.raises(Misuse, match="mnist, cifar10, drawn"):
        datasets.load("MNIST")


# Drawn digits


def test_drawn_digits_are_given_when_they_are_asked_for(drawn, project_folder, tmp_path):
    assert datasets.load("drawn").origin == str(project_folder)
    assert datasets.load("mnist", "drawn").origin == str(project_folder)
    assert datasets.load("drawn", tmp_path).origin == str(tmp_path)


def test_coloured_digits_are_given_when_they_are_asked_for(coloured, tmp_path):
    assert datasets.load("coloured").name == "coloured"
    assert datasets.load("cifar10", "drawn").name == "coloured"
    with pytest.raises(Misuse, match="drawn when asked for"):
        datasets.load("coloured", tmp_path)


def test_drawn_digits_are_kept_in_no_folder_that_is_not_there(drawn, tmp_path):
    with pytest.raises(Misuse, match="nowhere"):
        datasets.load("drawn", tmp_path / "nowhere")


def test_drawn_digits_stand_in_for_mnist_that_cannot_be_had_and_say_why(drawn):
    data = datasets.load("mnist", stand_in=True)
    assert data.name == "drawn"
    assert "NOT MNIST" in data.warning
    assert "could not be reached" in data.warning


def test_drawn_digits_stand_in_where_a_download_was_cut_off(drawn, online, server, project_folder):
    server.stops_after = 100
    server.goes_on.set()
    assert "100 of" in datasets.load("mnist", stand_in=True).warning
    server.stops_after = None
    assert datasets.load("mnist", stand_in=True).title == "MNIST"


def test_nothing_stands_in_for_what_is_there(drawn, online):
    assert datasets.load("mnist", stand_in=True).title == "MNIST"


def test_nothing_stands_in_for_a_broken_copy(drawn, project_folder):
    (project_folder / "mnist.npz").write_bytes(b"broken")
    with pytest.raises(Broken, match="mnist.npz"):
        datasets.load("mnist", stand_in=True)


def test_nothing_stands_in_for_a_download_that_was_changed(drawn, online, server):
    server.content = bytes(len(server.content))
    with pytest.raises(Problem, match="SHA-256"):
        datasets.load("mnist", stand_in=True)


def test_coloured_digits_stand_in_for_cifar10_that_cannot_be_had_and_say_why(coloured):
    data = datasets.load("cifar10", stand_in=True)
    assert data.name == "coloured"
    assert "NOT CIFAR-10" in data.warning
    assert "No copy of CIFAR-10 was found" in data.warning
    assert "could not be reached" in data.warning


def test_nothing_stands_in_for_a_broken_copy_of_cifar10(coloured, project_folder):
    (project_folder / "cifar10.npz").write_bytes(b"broken")
    with pytest.raises(Broken, match="cifar10.npz"):
        datasets.load("cifar10", stand_in=True)


def test_nothing_stands_in_for_a_folder_that_does_not_exist(drawn, tmp_path):
    with pytest.raises(Misuse):
        datasets.load("mnist", tmp_path / "typo", stand_in=True)
    with pytest.raises(Misuse):
        datasets.load("cifar10", tmp_path / "typo", stand_in=True)
