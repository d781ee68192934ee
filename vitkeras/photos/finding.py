"""Which files are meant by the words of a command line, or lie in a folder."""

import glob
import os
import re
from collections import Counter
from pathlib import Path
from unicodedata import category

from vitkeras.errors import Misuse, Problem

FROM_STDIN = "-"
SUFFIXES = {
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".gif", ".webp", ".avif", ".bmp", ".tif", ".tiff",
    ".ppm", ".pgm", ".pbm", ".pnm",
}  # fmt: skip
TOLD = {".heic", ".heif"}  # photos that are not read, and would be missed if nobody said so


def find(words):
    """The files that words of a command line name: a list of paths, each once; `FROM_STDIN` stays as it is.

    A word is a file, taken whatever its name; a folder, which stands for the images directly in it; or a pattern
    (`*`, `?`, `[abc]`, and `**` for folders of any depth), which stands for all files that it matches, for shells that
    do not expand patterns. A file that is not there stays in the list, and beside others so does a folder without
    images: `read` says so when its turn comes.
    """
    found = {}
    words = [words] if isinstance(words, str | os.PathLike) else list(words)
    for word in words:
        for path in [word] if word == FROM_STDIN else named_by(word, alone=len(words) == 1):
            found.setdefault(os.path.normcase(os.path.abspath(path)) if path != FROM_STDIN else path, path)
    return list(found.values())


def named_by(word, alone):
    word = os.fspath(word)
    if not word:
        raise Misuse("The name of an image is empty text. Name a file, a folder or a pattern.")
    if os.path.isdir(word):
        images, others = sort_out(word, SUFFIXES | TOLD)
        if not images and not alone:
            return [Path(word)]
        if not images:
            there = f"It has {counted(others) or 'nothing at all'}."
            raise Misuse(f"{shown(word)} has no images directly in it. {there} Known are {' '.join(sorted(SUFFIXES))}.")
        return images
    if os.path.lexists(word) or not glob.has_magic(word):
        return [Path(word)]
    matches = [Path(match) for match in glob.glob(word, recursive=True) if not os.path.isdir(match)]
    if not matches:
        raise Misuse(f"No file matches {shown(word)}. See whether the folder and the suffix are right.")
    return sorted(matches, key=natural_order)


def sort_out(folder, suffixes=SUFFIXES):
    """The images directly in a folder, by suffix, in natural order; and what else is there. Hidden files do not count.

    Out: a list of paths, and a Counter of suffixes, with "folder" for folders.
    """
    images, others = [], Counter()
    for path in entries(folder):
        if os.path.isdir(path):
            others["folder"] += 1
        elif path.suffix.lower() in suffixes:
            images.append(path)
        else:
            others[path.suffix.lower() or "without a suffix"] += 1
    return images, others


def entries(folder):
    """What is in a folder, in natural order, without what is hidden."""
    try:
        names = [name for name in os.listdir(folder) if not name.startswith(".")]
    except OSError as fault:
        raise Problem(f"{shown(folder)} cannot be looked into: {fault.strerror}. See who may read it.") from fault
    return sorted((Path(folder, name) for name in names), key=natural_order)


def natural_order(path):
    """A key to sort by: photo 2 comes before photo 10."""
    parts = re.split(r"(\d+)", str(path).casefold())
    parts[1::2] = map(int, parts[1::2])
    return parts, str(path)


def counted(others):
    """As text: .heic: 3, folder: 1"""
    return ", ".join(f"{shown(kind)}: {count}" for kind, count in sorted(others.items()))


def shown(path):
    """A name as it can be printed anywhere, in one line: bytes that are no text, and line breaks, are spelled out."""
    return "".join(ascii(c)[1:-1] if category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in os.fsdecode(path))
