"""Whose is what: the submissions of a class, in the forms in which they arrive."""

import os
from dataclasses import dataclass
from pathlib import Path

from vitkeras.errors import Misuse
from vitkeras.grading.handed_in.deliveries import (
    CANVAS,
    GRADESCOPE,
    METADATA,
    MOODLE,
    Entry,
    entries_of,
    in_a_form,
    submitters,
)
from vitkeras.grading.handed_in.naming import Refused, shown, skipped, slug, words

ONE_FILE = (".py", ".py.txt", ".zip", ".ipynb", ".rar", ".7z", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
MOST_NOTES = 100


@dataclass(frozen=True)
class Submission:
    student: str  # the name to show
    slug: str  # the name for files: ASCII, no other student's, the same in each run over the same delivery
    parts: tuple[Path, ...]  # folders, zips and files as they arrived
    members: tuple[str, ...] = ()  # if the class came in one zip, `parts` is that zip, and these are names in it
    notes: tuple[str, ...] = ()


def find(source, *, exercises=()):
    """The submissions in `source`, a folder or the zip of a whole class, sorted by student; and what was left out.

    `exercises` are their names: where there is nothing but files and folders of these names, `source` is not a class
    but one student's submission.
    """
    given, source = source, Path(os.path.realpath(source))  # a link of the instructor's own may be followed
    left_out = []
    try:
        entries = level(source, left_out)
    except (OSError, Refused) as fault:
        reason = (fault.strerror or type(fault).__name__) if isinstance(fault, OSError) else fault
        raise Misuse(
            f"{given} cannot be taken for submissions: {'it ' if isinstance(fault, Refused) else ''}{reason}. Name the "
            "folder that holds a folder, a zip or a file for each student, or the zip that Moodle, Canvas or "
            "Gradescope gave you."
        ) from fault

    own = [words(name) for name in exercises]
    handed_in = [entry for entry in entries if takes(entry)]
    if handed_in and all(words(stem(entry)) in own for entry in handed_in):
        left_out.append(f"{shown(source.name)} holds exercises and no students: it was taken as one submission")
        name = shown(stem(Entry(source.name, source.is_dir(), source)))
        return [Submission(name, slug(name), (source,))], left_out

    students = grouped(entries, left_out)
    if not students:
        raise Misuse(
            f"{given} holds no submission{': ' if left_out else ''}{'; '.join(left_out[:5])}. It was expected to hold "
            "a folder, a zip or a .py file for each student."
        )
    return named(students), left_out


def level(source, left_out):
    """The entries of `source`, or of the one folder or zip in it that holds the whole class."""
    entries, notes = visible(source)
    while len(entries) == 1:
        only = entries[0]
        if not only.folder and (only.member or not only.name.lower().endswith(".zip")):
            break
        try:
            below, more = visible(only if only.folder else only.path)
        except (OSError, Refused):
            break  # one student's, then, who will hear of it
        same_name = source.is_file() and words(only.name) == words(source.stem)
        if not any(map(in_a_form, below)) and not (same_name and all(map(takes, below))):
            break
        entries = below
        notes += more
    notes = list(dict.fromkeys(notes))
    left_out += notes[:MOST_NOTES]
    if len(notes) > MOST_NOTES:
        left_out.append(f"and {len(notes) - MOST_NOTES:,} more names that were left out")
    return entries


def visible(place):
    notes = []

    def note(name, reason):
        if not skipped(name) or name.startswith(".."):
            notes.append(f"{shown(name)} {reason}")

    entries = entries_of(place, note)
    return [entry for entry in entries if not skipped(entry.name)], notes


def takes(entry):
    """Whether this can be a student's submission."""
    return entry.folder or in_a_form(entry) or entry.name.lower().endswith(ONE_FILE)


def stem(entry):
    if entry.folder:
        return entry.name
    return entry.name[: -len(end)] if (end := next(filter(entry.name.lower().endswith, ONE_FILE), "")) else entry.name


def grouped(entries, left_out):
    """(name, number) of each student -> (entries, notes)."""
    names = submitters(entries)
    students = {}
    for entry in sorted(entries, key=lambda entry: (not entry.folder, entry.name, str(entry.path))):
        if not takes(entry):
            if entry.name != METADATA:
                left_out.append(f"{shown(entry.name)} is no submission")
            continue
        moodle = MOODLE.fullmatch(entry.name)
        canvas = None if entry.folder else CANVAS.fullmatch(entry.name)
        gradescope = GRADESCOPE.fullmatch(entry.name) if entry.folder else None
        name, number = stem(entry), ""
        if form := moodle or canvas:
            name, number = form["name"], form["number"]
        elif gradescope:
            name, number = names.get(entry.name, entry.name), gradescope["number"]
        parts, notes = students.setdefault((name, number), ([], []))
        if moodle and moodle["kind"] != "file":
            if moodle["kind"] == "onlinetext":
                notes.append("a text typed into Moodle came along; it is not graded")
            continue
        if canvas and canvas["late"]:
            notes.append("handed in late, says Canvas")
        parts.append(entry)
    return students


def named(students):
    """A Submission for each. Who shares the name with another is told apart by the number, or a counter in the slug."""
    shared = [shown(name).casefold() for name, _ in students]
    found, taken = [], set()
    for name, number in sorted(students, key=lambda who: (shown(who[0]).casefold(), who)):
        parts, notes = students[name, number]
        student = shown(name)
        if number and shared.count(student.casefold()) > 1:
            student = f"{student} ({number})"
        short = unique(slug(student), taken)
        taken.add(short)
        paths = tuple(dict.fromkeys(part.path for part in parts))  # the zip of a class only once
        members = tuple(part.member for part in parts if part.member)
        found.append(Submission(student, short, paths, members, tuple(dict.fromkeys(notes))))
    return found


def unique(short, taken):
    count = 2
    name = short
    while name in taken:
        name, count = f"{short}-{count}", count + 1
    return name
