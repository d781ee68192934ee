"""Where data sets are looked for, and where a download goes."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from vitkeras.datasets.dataset import Dataset
from vitkeras.errors import Misuse, Problem

ENVIRONMENT = "VITKERAS_DATA"


@dataclass(frozen=True)
class Found:
    """A file, or a folder of files, that by its name holds a data set. Whether it does, `read` finds out."""

    path: Path
    read: Callable[[], Dataset]


class Place(NamedTuple):
    path: Path
    role: str


def project_folder():
    """`data/` beside the package in a checkout of the project; elsewhere `data/` in the current folder."""
    checkout = Path(__file__).absolute().parents[2]
    return (checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()) / "data"


def own_folder():
    """Where this machine has its data, named from the root: what the environment says, or else the project's."""
    return Path(os.environ.get(ENVIRONMENT) or project_folder()).absolute()


def keras_folder():
    return Path(os.path.expanduser(os.environ.get("KERAS_HOME") or "~/.keras"), "datasets")


def given(folder):
    """What the user named: by an option first, then by the environment. Each of them has to exist."""
    named = [
        Place(Path(os.path.expanduser(path)), role)  # as it was given, for that is what a record should say
        for path, role in ((folder, "the data folder given"), (os.environ.get(ENVIRONMENT) or None, ENVIRONMENT))
        if path is not None
    ]
    if folder is not None and not str(folder):
        raise Misuse("The data folder given is empty text. Name a folder or a file, or leave the option out.")
    for path, role in named:
        if not os.path.exists(path):  # not path.exists(), which raises at a folder that may not be entered
            raise Misuse(f"There is no {path} ({role}). Name a folder that holds data sets, or a file that is one.")
    return named


def places(folder=None):
    """Where to look, the first place first."""
    return [*given(folder), Place(project_folder(), "the project's"), Place(keras_folder(), "Keras's cache")]


def look(find, folder=None):
    """The first thing that `find`, a function of a place, finds in any place; or None.

    A place that does not hold the data set is passed over. One that holds a broken copy is not: `find` goes by names
    alone, so the copy is found, and reading it says what is wrong.
    """
    for place in places(folder):
        try:
            found = find(place.path)
        except OSError as fault:
            raise Problem(f"{place.path} ({place.role}) cannot be looked into: {fault.strerror or fault}.") from fault
        if found:
            return found
    return None


def destination(folder=None):
    """Where a download goes: the first of the folders that the user named which can be written to, or the project's."""
    for path, _ in given(folder):
        if path.is_dir() and os.access(path, os.W_OK):
            return path
    return project_folder()


def names_in(folder):
    """The names in a folder, in order; none if there is no such folder. A dangling link counts: it has a name."""
    return sorted(os.listdir(folder)) if folder.is_dir() else []
