"""Which lessons there are, in the course's order. They are read, never imported."""

import ast
import itertools
import os
import re
from dataclasses import dataclass
from pathlib import Path

from vitkeras.errors import Misuse, Problem

PROGRAM_P = ("05", "tr02c")  # the lecture's program keeps its name; it comes first in lesson 5


@dataclass(frozen=True)
class Lesson:
    path: Path

    @property
    def name(self):
        return self.path.stem

    @property
    def number(self):
        return PROGRAM_P[0] if self.name == PROGRAM_P[1] else self.name[:2]

    @property
    def bare_name(self):
        return self.name if self.name == PROGRAM_P[1] else self.name[3:]

    @property
    def idea(self):
        """What the first line of the docstring says after the name. A script that is broken says so instead."""
        try:
            docstring = ast.get_docstring(ast.parse(self.path.read_bytes())) or ""
        except (SyntaxError, ValueError, OSError) as fault:
            return f"(cannot be read: {fault})"
        return docstring.partition("\n")[0].removeprefix(f"{self.name}:").strip()

    @property
    def command(self):
        """The script as one would name it from the current folder."""
        here = Path.cwd()
        return str(self.path.relative_to(here) if self.path.is_relative_to(here) else self.path)


def find():
    """The lessons of this checkout; without one, those of `lessons/` in the current folder."""
    checkout = Path(__file__).absolute().parents[2]
    for folder in [checkout, Path.cwd()] if (checkout / "pyproject.toml").is_file() else [Path.cwd()]:
        if lessons := lessons_in(folder / "lessons"):
            return lessons
    raise Misuse(
        "There are no lessons here: they come with a checkout of the project, not with the installed package. "
        "Get the checkout, and run this in its folder."
    )


def lessons_in(folder):
    """
    >>> lessons_in(Path("no-such-folder"))
    []
    """
    try:
        names = os.listdir(folder) if folder.is_dir() else []
    except OSError as fault:
        raise Problem(f"{folder} cannot be looked into: {fault.strerror or fault}.") from fault
    scripts = [name for name in names if re.fullmatch(r"\d\d_\w+\.py", name) or name == f"{PROGRAM_P[1]}.py"]
    lessons = [Lesson(folder / name) for name in scripts]
    return sorted(lessons, key=lambda lesson: (lesson.number, lesson.name != PROGRAM_P[1], lesson.name))


def choose(lessons, names):
    """Those that are named, each once, in the order of naming.

    A name is a number (3, 03: every script of that lesson), a script's name with or without its number, or a part of it
    that only one has; `all` is all of them.
    """
    return list(dict.fromkeys(itertools.chain.from_iterable(called(lessons, name) for name in names)))


def called(lessons, name):
    if name == "all":
        return lessons
    if name.isdecimal():
        if found := [lesson for lesson in lessons if int(lesson.number) == int(name)]:
            return found
    else:
        word = Path(name).name.removesuffix(".py")
        found = [lesson for lesson in lessons if word in (lesson.name, lesson.bare_name)]
        found = found or [lesson for lesson in lessons if word and word in lesson.name]
        if len(found) == 1:
            return found
        if found:
            raise Misuse(f"{name!r} may be {' or '.join(lesson.name for lesson in found)}. Say which.")
    raise Misuse(f"There is no lesson {name!r}. There are: {', '.join(lesson.name for lesson in lessons)}; or all.")
