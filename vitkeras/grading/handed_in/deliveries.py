"""The forms in which Moodle, Canvas and Gradescope hand out what a class has handed in."""

import contextlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from vitkeras.grading.handed_in.archives import CLASS_DIRECTORY, blocks, check_member, member_in, members, zip_in
from vitkeras.grading.handed_in.naming import Refused, clean
from vitkeras.grading.handed_in.regular_files import kind_of, open_regular, told

MOODLE = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<own>.*))?", re.DOTALL)
CANVAS = re.compile(r"(?P<name>[^_]+)_(?P<late>LATE_)?(?P<number>\d+)_\d+_(?P<own>.+)", re.DOTALL)
GRADESCOPE = re.compile(r"submission_(?P<number>\d+)")
METADATA = "submission_metadata.yml"  # of Gradescope
LONGEST_METADATA = 64_000_000


@dataclass(frozen=True)
class Entry:
    """A file or folder of the delivery, in a folder or in the zip of a whole class."""

    name: str
    folder: bool
    path: Path  # its own, or that of the zip
    member: str = ""  # its name in that zip


def own_name(name):
    """What the student called this file: "souzaana_12345_678901_attention-1.py" -> "attention-1.py"."""
    found = MOODLE.fullmatch(name) or CANVAS.fullmatch(name)
    return (found and found["own"]) or name


def entries_of(place, note):
    """What lies directly in `place`, a folder, a zip, or an Entry that is a folder in a zip."""
    if isinstance(place, Entry):
        return entries_of_zip(place.path, note, place.member) if place.member else entries_of_folder(place.path, note)
    return entries_of_folder(place, note) if place.is_dir() else entries_of_zip(place, note)


def entries_of_folder(folder, note):
    found = []
    with os.scandir(folder) as listing:
        for entry in listing:
            try:
                kind = kind_of(entry.stat(follow_symlinks=False))
            except (Refused, OSError) as fault:
                note(entry.name, told(fault) if isinstance(fault, OSError) else fault)
                continue
            found.append(Entry(clean(entry.name), kind == "folder", Path(entry.path)))
    return found


def entries_of_zip(path, note, below=""):
    """The names are those that `members` gives, so that they can be found again."""
    found = {}
    with zip_in(open_regular(path, float("inf")), CLASS_DIRECTORY) as archive:
        for name, _ in members(archive, note):
            if below and not name.startswith(f"{below}/"):
                continue
            first, folder, _ = name[len(below) + 1 if below else 0 :].partition("/")
            if first and not (first in found and found[first].folder):
                found[first] = Entry(first, bool(folder), path, f"{below}/{first}" if below else first)
    return list(found.values())


def in_a_form(entry):
    """Whether one of the three has named this."""
    if entry.folder:
        return bool(MOODLE.fullmatch(entry.name) or GRADESCOPE.fullmatch(entry.name))
    return bool(MOODLE.fullmatch(entry.name) or CANVAS.fullmatch(entry.name))


def submitters(entries):
    """Folder -> names, as Gradescope's metadata among `entries` tell them; where they cannot be read, nothing."""
    entry = next((entry for entry in entries if entry.name == METADATA and not entry.folder), None)
    if entry is None:
        return {}
    with contextlib.suppress(Refused):
        if not entry.member:
            with open_regular(entry.path, LONGEST_METADATA) as file:
                return names_in(b"".join(blocks(file)))
        with zip_in(open_regular(entry.path, float("inf")), CLASS_DIRECTORY) as archive:
            info = next(info for name, info in members(archive, lambda *_: None) if name == entry.member)
            check_member(info, LONGEST_METADATA)
            with member_in(archive, info) as file:
                return names_in(b"".join(blocks(file)))
    return {}


def names_in(metadata):
    """The names below `:submitters:` of each submission.

    The same file holds what students' programs printed, but always further to the right, and a line ends in a line
    feed only: so what begins where Gradescope's own lines begin is Gradescope's.
    """
    found, submission, among = {}, None, False
    for line in metadata.decode("utf-8", "replace").split("\n"):
        if start := re.fullmatch(r"(submission_[0-9]+): *\r?", line):
            submission, among = start[1], False
        elif re.match(r"  :[a-z_]+:", line):
            among = line.strip() == ":submitters:" and submission not in found
        elif submission and among and (name := re.match(r"  (?:- |  ):name: (.+)", line)):
            found.setdefault(submission, []).append(unquoted(name[1].strip()))
    return {folder: names for folder, each in found.items() if (names := ", ".join(filter(None, map(clean, each))))}


def unquoted(text):
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) >= 2 and text[0] == text[-1] == '"':
        with contextlib.suppress(ValueError):
            return str(json.loads(re.sub(r"\\x([0-9A-Fa-f]{2})", r"\\u00\1", text)))
    return text
