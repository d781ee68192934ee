import os
import sys
from pathlib import Path

import pytest

from vitkeras import datasets
from vitkeras.datasets import search
from vitkeras.errors import Misuse, Problem


@pytest.fixture
def places(tmp_path, project_folder, monkeypatch):
    """The four places, in the order in which they are looked into."""
    keras = project_folder.parent / "keras" / "datasets"
    places = [tmp_path / "given", tmp_path / "environment", project_folder, keras]
    for place in places:
        place.mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("VITKERAS_DATA", str(places[1]))
    return places


def test_given_folder_goes_before_environment_project_and_keras(places):
    for place in places:
        (place / "mnist.npz").touch()
    for place in places:
        assert datasets.find("mnist", places[0]).path == place / "mnist.npz"
        (place / "mnist.npz").unlink()
    assert datasets.find("mnist", places[0]) is None


def test_without_a_given_folder_the_environment_comes_first(places):
    for place in places:
        (place / "cifar10.npz").touch()
    assert datasets.find("cifar10").path == places[1] / "cifar10.npz"


def test_file_in_place_of_a_folder_is_passed_over_for_the_other_data_set(places):
    (places[0] / "mnist.npz").touch()
    (places[2] / "cifar-10-python.tar.gz").touch()
    assert datasets.find("cifar10", places[0] / "mnist.npz").path == places[2] / "cifar-10-python.tar.gz"


def test_broken_copy_is_not_passed_over_for_a_good_one(places, mnist_npz):
    (places[0] / "mnist.npz").write_bytes(b"broken")
    os.link(mnist_npz, places[2] / "mnist.npz")
    with pytest.raises(Problem, match="given/mnist.npz"):
        datasets.load("mnist", places[0])


def test_named_place_that_does_not_exist_is_a_misuse(tmp_path, monkeypatch):
    with pytest.raises(Misuse, match="nothing-here") as misuse:
        datasets.find("mnist", tmp_path / "nothing-here")
    assert misuse.value.exit_code == 2
    with pytest.raises(Misuse):
        datasets.find("mnist", "")
    monkeypatch.setenv("VITKERAS_DATA", str(tmp_path / "unset"))
    with pytest.raises(Misuse, match="VITKERAS_DATA"):
        datasets.find("mnist")


def test_home_may_be_written_as_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "mnist.npz").touch()
    assert datasets.find("mnist", "~").path == tmp_path / "mnist.npz"


def test_path_stays_as_it_was_given(places, monkeypatch):
    (places[0] / "mnist.npz").touch()
    monkeypatch.chdir(places[0].parent)
    assert datasets.find("mnist", "given").path == Path("given", "mnist.npz")


@pytest.mark.parametrize("stand_in", [False, True])
def test_file_of_another_data_set_is_refused_and_never_passed_over(places, stand_in):
    file = places[0] / "cifar10.npz"
    file.touch()
    with pytest.raises(Misuse, match="cifar10.npz is called as another data set, and MNIST was wanted"):
        datasets.load("mnist", str(file), stand_in=stand_in)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may look anywhere")
def test_place_that_may_not_be_looked_into_is_a_problem(places):
    places[0].chmod(0)
    with pytest.raises(Problem, match="cannot be looked into"):
        datasets.find("mnist", places[0])


def test_place_that_fails_to_be_looked_into_is_a_problem(places, monkeypatch):
    def fails(folder):
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr("vitkeras.datasets.mnist.names_in", fails)
    with pytest.raises(Problem, match="given.*cannot be looked into: Permission denied"):
        datasets.find("mnist", places[0])


# Where a download goes


def test_download_goes_to_the_first_named_folder(places):
    assert search.destination(places[0]) == places[0]
    assert search.destination() == places[1]


def test_download_goes_to_the_project_if_a_file_or_nothing_was_named(places, project_folder, monkeypatch):
    monkeypatch.delenv("VITKERAS_DATA")
    (places[0] / "mnist.npz").touch()
    assert search.destination(places[0] / "mnist.npz") == project_folder
    assert search.destination() == project_folder


def test_download_goes_to_the_project_if_the_named_folders_cannot_be_written_to(places, project_folder, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) == project_folder)
    assert search.destination(places[0]) == project_folder


def test_project_folder_is_beside_the_package_in_a_checkout_and_else_in_the_current_folder(tmp_path, run):
    import shutil

    ask = "from vitkeras.datasets import search; print(search.project_folder())"
    site = tmp_path / "copy"
    shutil.copytree(Path(search.__file__).parents[1], site / "vitkeras", ignore=shutil.ignore_patterns("__pycache__"))
    installed = run(ask, PYTHONPATH=str(site))
    assert Path(installed.out.strip()) == tmp_path / "data"
    (site / "pyproject.toml").touch()
    checkout = run(ask, PYTHONPATH=str(site))
    assert Path(checkout.out.strip()) == site / "data"
