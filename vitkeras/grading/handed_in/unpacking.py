"""One submission laid open: every file that it holds, copied out of folders and zips, within limits."""

import contextlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from vitkeras.files import written_whole
from vitkeras.grading.handed_in.archives import (
    CLASS_DIRECTORY,
    DIRECTORY,
    blocks,
    check_member,
    member_in,
    members,
    zip_in,
)
from vitkeras.grading.handed_in.deliveries import own_name
from vitkeras.grading.handed_in.naming import Refused, inner_name, shown
from vitkeras.grading.handed_in.regular_files import TooMuch, check_size, kind_of, open_regular, told, walk

SUBMISSION = 400_000_000  # bytes, unpacked, whether they are kept or not
FILE = 2**26  # as much as an exercise takes, unless its limits say otherwise
SOURCE = 2_000_000  # of a .py file: Python takes a hundred times that to read it
FILES = 2_000
LISTED = 20_000  # names in all folders and zips, of files to keep and of others
RATIO, RATIO_FROM = 200, 1_000_000
DEPTH = 3  # zips within zips
NOTES = 40

ONLY = "Hand in only what the task names"
OTHER_ARCHIVES = (".rar", ".7z", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".tbz", ".txz", ".zst", ".zipx")


@dataclass(frozen=True)
class Opened:
    files: dict[str, Path]  # the name within the submission, `/` between folders -> a copy that is ours
    notes: list[str] = field(default_factory=list)
    student: str = ""


def opened(submission, into):
    """Copy all files of `submission` into the folder `into`; what is wrong with some of them is noted.

    On the disk they are called by numbers, so that no name in a zip can lead anywhere. Whatever is in the submission,
    nothing is raised; a full disk is no fault of the student and is a Problem.
    """
    unpacking = Unpacking(Path(into))
    for note in submission.notes:
        unpacking.note("", note)
    try:
        for part in submission.parts:
            if submission.members:
                unpacking.take_from_class(part, submission.members)
            else:
                unpacking.take_part(part, only=len(submission.parts) == 1)
    except TooMuch as limit:
        unpacking.last.append(f"the submission {limit}")
    if not unpacking.files:
        unpacking.last.append(
            "no file could be taken from the submission" if unpacking.notes else "the submission holds no file"
        )
    return Opened(unpacking.files, unpacking.all_notes(), submission.student)


class Unpacking:
    """A submission on its way into the folder `into`, and what is left of its limits."""

    def __init__(self, into):
        self.into = into
        self.files = {}
        self.notes = {}  # for their order, each once
        self.unsaid = 0
        self.last = []  # is said in any case
        self.bytes_left, self.names_left = SUBMISSION, LISTED

    def note(self, name, reason):
        line = f"{shown(name)} {reason}" if name else str(reason)
        if len(self.notes) < NOTES:
            self.notes[line] = None
        elif line not in self.notes:
            self.unsaid += 1

    def all_notes(self):
        more = [f"and {self.unsaid:,} more notes of this kind"] if self.unsaid else []
        return [*self.notes, *more, *self.last]

    def take_part(self, part, only):
        """A folder, a zip or a file as it arrived; `only` if it is all that arrived."""
        try:
            kind = kind_of(os.lstat(part))
        except (Refused, OSError) as fault:
            self.note(part.name, told(fault) if isinstance(fault, OSError) else fault)
            return
        if kind == "file":
            self.take_path(own_name(part.name), part, only)
            return
        for raw, path in walk(part, self.names_left, self.note):
            self.names_left -= 1
            self.take_path(raw, path)

    def take_path(self, raw, path, only=False):
        try:
            name = inner_name(raw)
            check_kind(name)
            if is_zip(name):
                self.unpack(open_regular(path, SUBMISSION), "" if only else f"{name}/")
                return
            with open_regular(path, longest(name)) as file:
                self.keep(name, file)
        except Refused as refusal:
            self.note(raw, refusal)

    def take_from_class(self, path, wanted):
        """The files and folders `wanted`, of one student, out of the zip of a whole class."""
        try:
            with zip_in(open_regular(path, float("inf")), CLASS_DIRECTORY) as archive:
                found = []
                for name, info in members(archive, lambda *_: None):  # `find` has told of names that lead elsewhere
                    for place in wanted:
                        if name == place:
                            found.append((own_name(Path(name).name), info))
                        elif name.startswith(f"{place}/") and name != f"{place}/":
                            found.append((name[len(place) + 1 :], info))
                alone = len(found) == 1 and "/" not in found[0][0]
                self.take_members(archive, found, "", alone=alone)
        except Refused as refusal:
            self.note(path.name, refusal)

    def unpack(self, raw, above, depth=1, outer=()):
        """All of the zip in the open file `raw`; its names begin with `above`. What it unpacks to, the zips around it,
        `outer`, unpack to as well."""
        with zip_in(raw, DIRECTORY) as archive:
            found = members(archive, lambda name, reason: self.note(above + name, reason))
            self.names_left -= len(archive.infolist()) - len(found)  # what is not taken has cost time as well
            self.take_members(archive, found, above, depth, [*outer, Spent(os.fstat(raw.fileno()).st_size)])

    def take_members(self, archive, found, above, depth=0, zips=(), alone=False):
        self.names_left -= len(found)
        for name, info in found[: self.names_left] if self.names_left < 0 else found:
            try:
                if name.endswith("/"):
                    if name.lower().endswith(".py/"):
                        self.note(above + name.rstrip("/"), "is a folder, not a file")
                    continue
                check_kind(name)
                check_member(info, longest(name))
                with member_in(archive, info) as file:
                    spent = [*zips, Spent(info.compress_size)]
                    if is_zip(name):
                        inner = "" if alone else f"{above}{name}/"
                        self.unpack_inner(above + name, file, spent, inner, depth + 1)
                    else:
                        self.keep(above + name, file, spent)
            except Refused as refusal:
                self.note(above + name, refusal)
        if self.names_left < 0:
            raise TooMuch(f"lists more than {LISTED:,} files and folders; the rest was left out. {ONLY}")

    def unpack_inner(self, name, file, spent, above, depth):
        if depth > DEPTH:
            raise Refused(f"is a zip in {DEPTH} others; it was not opened. Hand in one zip, or the files themselves")
        path = self.into / f"zip-{depth}.zip"
        self.copy(name, file, path, spent)
        try:
            self.unpack(open_regular(path, FILE), above, depth, spent)
        finally:
            with contextlib.suppress(OSError):
                path.unlink()

    def keep(self, name, file, spent=()):
        if name in self.files:
            raise Refused("is there more than once under the same name; the first was taken")
        if len(self.files) == FILES:
            raise TooMuch(f"holds more than {FILES:,} files; the rest was left out. {ONLY}")
        path = self.into / f"{len(self.files) + 1:04}{disk_suffix(name)}"
        self.copy(name, file, path, spent)
        self.files[name] = path

    def copy(self, name, file, path, spent):
        """The bytes are counted as they come: what a zip says of their number may be a lie."""
        size = 0
        with written_whole(path) as temporary, open(temporary, "wb") as copy:
            for block in blocks(file):
                size += len(block)
                self.bytes_left -= len(block)
                if self.bytes_left < 0:
                    raise TooMuch(f"holds more than {SUBMISSION:,} bytes unpacked; the rest was left out")
                check_size(size, longest(name))
                for each in spent:
                    each.check(len(block))
                copy.write(block)


@dataclass
class Spent:
    """How many bytes came out of so many packed ones."""

    packed: int
    unpacked: int = 0

    def check(self, size):
        self.unpacked += size
        if self.unpacked > max(RATIO_FROM, RATIO * self.packed):
            raise Refused(f"unpacks to more than {RATIO} times its size, as a zip bomb does; it was left out")


def longest(name):
    return SOURCE if name.lower().endswith((".py", ".py.txt")) else FILE


def is_zip(name):
    return name.lower().endswith(".zip")


def check_kind(name):
    if name.lower().endswith(OTHER_ARCHIVES):
        raise Refused("is an archive that is not opened here; pack the files as .zip, or hand them in as they are")


def disk_suffix(name):
    found = re.search(r"\.[A-Za-z0-9]{1,8}$", name)
    return found[0].lower() if found else ""
