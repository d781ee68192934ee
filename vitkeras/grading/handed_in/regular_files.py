"""Ordinary files opened, and folders looked through, without being led elsewhere or kept waiting."""

import collections
import errno
import io
import itertools
import os
import stat

from vitkeras.grading.handed_in.naming import DEEPEST, Refused, skipped

FLAGS = os.O_RDONLY | sum(
    getattr(os, flag, 0)
    for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY")  # what this system has of them
)
JUNCTION = 0xA0000003  # a folder of Windows that is another one
VENV_FOLDERS = {"bin", "scripts", "lib", "lib64", "include", "share"}  # beside a pyvenv.cfg


class TooMuch(Exception):
    """The submission is larger than a submission may be; the text goes on after "the submission"."""


def kind_of(info):
    """ "file" or "folder", by what `os.lstat` said; anything else is refused."""
    if stat.S_ISLNK(info.st_mode) or getattr(info, "st_reparse_tag", 0) == JUNCTION:
        raise Refused("is a link to another place; links are not followed. Hand in the file itself")
    if stat.S_ISDIR(info.st_mode):
        return "folder"
    if not stat.S_ISREG(info.st_mode):
        raise Refused("is no ordinary file, but a pipe, a socket or a device; it was not opened")
    return "file"


def open_regular(path, longest):
    """`path`, opened for reading, if it is an ordinary file of at most `longest` bytes."""
    try:
        if kind_of(os.lstat(path)) == "folder":  # a device is not even opened: that alone can do something
            raise Refused("is a folder, not a file")
        handle = os.open(path, FLAGS)
    except OSError as fault:
        raise Refused(told(fault)) from fault
    file = io.FileIO(handle)
    try:
        info = os.fstat(handle)  # of what was opened, whatever happened in between
        if kind_of(info) == "folder":
            raise Refused("is a folder, not a file")
        check_size(info.st_size, longest)
    except BaseException:
        file.close()
        raise
    return file


def check_size(size, longest):
    if size > longest:
        raise Refused(f"has {size:,} bytes; at most {longest:,} are read, so it was left out")


def told(fault):
    if fault.errno in (errno.ELOOP, errno.EMLINK):
        return "is a link to another place; links are not followed. Hand in the file itself"
    if isinstance(fault, PermissionError):
        return "may not be read by the user who grades; give that user the right to read it"
    return f"could not be read: {fault.strerror or type(fault).__name__}"


def walk(folder, most, note):
    """Every ordinary file below `folder`, as (name, path): the upper folders first, and Python files first in each.

    `note(name, reason)` hears of links, devices and unreadable folders. More than `most` names raise TooMuch.
    """
    waiting = collections.deque([("", os.fspath(folder))])
    while waiting:
        above, place = waiting.popleft()
        try:
            with os.scandir(place) as listing:
                entries = list(itertools.islice(listing, most + 1))
        except OSError as fault:
            note(above.strip("/") or os.path.basename(place), told(fault))
            continue
        most -= len(entries)
        if most < 0:
            raise TooMuch("holds too many files and folders; the rest was left out. Hand in only what the task names")
        venv = any(entry.name == "pyvenv.cfg" for entry in entries)
        for entry in sorted(entries, key=lambda entry: (not entry.name.lower().endswith(".py"), entry.name)):
            name = above + entry.name
            if skipped(entry.name) or (venv and entry.name.lower() in VENV_FOLDERS):
                continue
            try:
                kind = kind_of(entry.stat(follow_symlinks=False))
            except OSError as fault:
                note(name, told(fault))
            except Refused as refusal:
                note(name, refusal)
            else:
                if kind == "file":
                    yield name, entry.path
                    continue
                if name.lower().endswith(".py"):
                    note(name, "is a folder, not a file")
                if name.count("/") < DEEPEST:
                    waiting.append((f"{name}/", entry.path))
                else:
                    note(name, "lies too deep in folders; it was left out")
