"""Data sets through one door: the same small object, whatever file it came from.

    data = datasets.load("mnist")       # or "cifar10", "shapes": are two shapes the same?
                                        # or "drawn", "coloured": digits drawn from fonts, neither MNIST nor CIFAR-10
    data.x_train, data.y_train          # uint8 (60000, 28, 28, 1), int32 (60000,)
    print(data.describe())              # what it is, where it came from, what was checked

    python -m vitkeras.datasets                 which data sets are there, and a picture of each
    python -m vitkeras.datasets fetch mnist     download one

Where files are looked for and in which forms: data/README.md.
"""

import dataclasses
from pathlib import Path

from vitkeras.datasets import cifar10, downloads, mnist, search, shapes
from vitkeras.datasets.dataset import Dataset
from vitkeras.datasets.downloads import Unreachable
from vitkeras.datasets.layout import Broken
from vitkeras.errors import Misuse

__all__ = ["NAMES", "SOURCES", "Dataset", "fetch", "find", "load", "read"]

SOURCES = {"mnist": mnist, "cifar10": cifar10}
STAND_INS = {"mnist": "drawn", "cifar10": "coloured"}
NAMES = (*SOURCES, *STAND_INS.values(), "shapes")


def load(name, folder=None, stand_in=False, download=True):
    """The data set called `name`: the first copy found, checked; or downloaded, if there is none.

    folder: where to look first, a folder or a file; "drawn" means digits drawn from fonts instead of MNIST, and such
        digits in colour instead of CIFAR-10
    stand_in: where the set can neither be found nor downloaded, give these digits; their `warning` says so.
        A copy that is broken is an error all the same: whoever put it there would not want it passed over.
    download: whether the network may be asked
    """
    if name not in NAMES:
        raise Misuse(f"There is no data set called {name!r}. There are: {', '.join(NAMES)}.")
    if name not in SOURCES:
        return made(name, folder)
    if folder == "drawn":
        return made(STAND_INS[name])
    found = find(name, folder)
    if folder is not None and Path(folder).is_file() and not SOURCES[name].find(Path(folder)):
        raise Misuse(f"{folder} is called as another data set, and {SOURCES[name].TITLE} was wanted. {FORMS}")
    if found:
        return read(name, found)
    reason = "A download was not asked for."
    if download:
        try:
            return read(name, SOURCES[name].find(downloads.fetch(SOURCES[name].PUBLISHED, search.destination(folder))))
        except Unreachable as fault:
            reason = fault
    if stand_in:
        digits = made(STAND_INS[name])
        why = f"No copy of {SOURCES[name].TITLE} was found. {reason}"
        return dataclasses.replace(digits, warning=f"{digits.warning} ({why})")
    raise Unreachable(ways_out(name, folder, reason))


def find(name, folder=None):
    """The first copy of a data set, as a `search.Found`, or None. Names alone are looked at."""
    found = search.look(SOURCES[name].find, folder)
    for place in search.given(folder):
        if place.path.is_file() and not any(source.find(place.path) for source in SOURCES.values()):
            raise Misuse(f"{place.path} ({place.role}) is in no form that is known here. {FORMS}")
    return found


def read(name, found):
    """The data set in a copy that was found. What is wrong with the copy is told with what to do about it."""
    try:
        return found.read()
    except Broken as fault:
        raise Broken(
            f"{fault} Delete it, or move it away if you still want it; then "
            f"`python -m vitkeras.datasets fetch {name}` gets a good copy."
        ) from fault


def fetch(name, folder=None):
    """Download the published file into `folder`, or the project's data folder. Returns its path."""
    try:
        return downloads.fetch(SOURCES[name].PUBLISHED, search.destination(folder))
    except Unreachable as fault:
        raise Unreachable(ways_out(name, folder, fault)) from fault


def made(name, folder=None):
    """A data set that is drawn when it is asked for. Only the drawn digits are kept, in `folder` or the project's."""
    if name != "drawn":
        if folder not in (None, "drawn"):
            raise Misuse(f"{folder} is not needed: {name} are drawn when asked for. Leave the data folder out.")
        if name == "shapes":
            return shapes.load()
        from vitkeras.datasets import coloured  # it needs matplotlib's fonts

        return coloured.load()
    from vitkeras.datasets import drawn  # likewise

    if folder is None or folder == "drawn":
        return drawn.load(search.project_folder())
    if not Path(folder).expanduser().is_dir():
        raise Misuse(f"There is no folder {folder}, where the drawn digits could be kept.")
    return drawn.load(Path(folder).expanduser())


FORMS = (
    "Known are npz files with x_train, y_train, x_test and y_test, MNIST's four idx files, CIFAR-10's tar archive and "
    "its six batches (data/README.md)."
)


def ways_out(name, folder, reason):
    source = SOURCES[name]
    looked = "".join(f"\n  {place.path} ({place.role})" for place in search.places(folder))
    lines = [
        f"No copy of {source.TITLE} was found. Looked in:{looked}",
        str(reason),
        "Ways out:",
        f"- with a network: python -m vitkeras.datasets fetch {name}",
        f"- without one: get {source.PUBLISHED.url} on another machine, and put {source.PUBLISHED.file_name} into "
        f"{search.project_folder()}, or into any folder that you then name with --data or {search.ENVIRONMENT}",
    ]
    what = {"mnist": "digits", "cifar10": "coloured digits"}[name]
    lines.append(f"- for a first try: --data drawn, {what} drawn from fonts; they are not {source.TITLE}")
    return "\n".join(lines)
