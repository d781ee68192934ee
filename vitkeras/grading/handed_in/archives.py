"""Zip files of strangers: what they list, read without trusting a number in them."""

import contextlib
import io
import os
import stat
import zipfile

from vitkeras.grading.handed_in.naming import Refused, inner_name, skipped
from vitkeras.grading.handed_in.regular_files import VENV_FOLDERS

DIRECTORY = 4_000_000  # bytes of the list of names: some 40,000 of them
CLASS_DIRECTORY = 32_000_000  # for the download of a whole class
BLOCK = 1 << 18
READ_HERE = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # the others give out a block of any size at once
OTHER_KINDS = {b"Rar!": "RAR", b"7z\xbc\xaf": "7-Zip", b"\x1f\x8b": "gzip", b"%PDF": "PDF", b"BZh": "bzip2"}
AGAIN = "pack it again as an ordinary .zip, or hand in the files themselves"


class Guarded(io.BufferedReader):
    """A file that gives out no piece larger than `largest`: zipfile reads a zip's whole list of names at once."""

    def __init__(self, raw, largest):
        super().__init__(raw)
        self.largest = largest
        self.size = os.fstat(raw.fileno()).st_size

    def read(self, size=-1):
        left = max(self.size - self.tell(), 0)
        if (left if size is None or size < 0 else min(size, left)) > self.largest:
            raise Refused("lists too many files; take out what does not belong there, such as data or an environment")
        return super().read(size)


@contextlib.contextmanager
def zip_in(raw, largest=DIRECTORY):
    """The zip in the open file `raw`, which is closed afterwards."""
    with Guarded(raw, largest) as file:
        try:
            start = file.read(4)
            archive = zipfile.ZipFile(file)
        except Refused:
            raise
        except Exception as fault:  # zipfile, fed with anything, raises nearly anything
            if start == b"PK\3\4":
                raise Refused(f"is a damaged zip, perhaps cut off on its way; {AGAIN}") from fault
            looks = next(
                (f" (it looks like {kind})" for magic, kind in OTHER_KINDS.items() if start.startswith(magic)), ""
            )
            raise Refused(f"is called .zip but is none{looks}; {AGAIN}") from fault
        with archive:
            yield archive


def members(archive, note):
    """(name, info) of all that `archive` lists and that is somebody's work; `note(name, reason)` hears of the others.

    Upper folders come first, and Python files first in each. A folder's name ends in `/`.
    """
    found = []
    for info in archive.infolist():
        raw = true_name(info)
        try:
            name = inner_name(raw)
        except Refused as refusal:
            note(raw, refusal)
            continue
        found.append((f"{name}/" if raw.endswith(("/", "\\")) else name, info))
    venvs = {name[: -len("pyvenv.cfg")] for name, _ in found if f"/{name}".endswith("/pyvenv.cfg")}
    found = [(name, info) for name, info in found if not any(map(skipped, name.rstrip("/").split("/")))]
    found = [(name, info) for name, info in found if not venvs or not in_venv(name, venvs)]
    return sorted(found, key=lambda item: (item[0].count("/"), not item[0].lower().endswith(".py")))


def in_venv(name, venvs):
    root = ""
    for folder in name.split("/")[:-1]:
        if root in venvs and folder.lower() in VENV_FOLDERS:
            return True
        root += f"{folder}/"
    return False


def true_name(info):
    """The name that was meant: without the flag for UTF-8, zipfile takes any name for one in the letters of DOS."""
    name = info.orig_filename
    if not info.flag_bits & 0x800:
        with contextlib.suppress(UnicodeError):
            raw = name.encode("cp437")
            try:
                name = raw.decode("utf-8")
            except UnicodeDecodeError:
                if any("─" <= letter <= "▟" or "Α" <= letter <= "ω" for letter in name):  # ã and õ of DOS in Portuguese
                    name = raw.decode("cp850")
    return name


def check_member(info, longest):
    """Refuse what is no ordinary file of at most `longest` bytes, as far as the zip itself says so."""
    mode = stat.S_IFMT(info.external_attr >> 16)
    if mode == stat.S_IFLNK:
        raise Refused("is a link to another place; links are not followed. Hand in the file itself")
    if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise Refused("is no ordinary file, but a pipe, a socket or a device; it was left out")
    if info.flag_bits & 0x41:
        raise Refused("is locked with a password; pack it again without one")
    if info.compress_type not in READ_HERE:
        kind = zipfile.compressor_names.get(info.compress_type, info.compress_type)
        raise Refused(f"is packed in a way that is not read here ({kind}); {AGAIN}")
    if info.file_size > longest:
        raise Refused(f"has {info.file_size:,} bytes unpacked; at most {longest:,} are read, so it was left out")


@contextlib.contextmanager
def member_in(archive, info):
    """The open member: `read(size)` gives at most so many bytes, or refuses what is damaged."""
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(archive.open(info))
        except Exception as fault:
            raise Refused(f"is damaged inside the zip; {AGAIN}") from fault
        yield file


def blocks(file):
    """The bytes of `file`, a zip's member or a file of a folder, in small pieces."""
    while True:
        try:
            block = file.read(BLOCK)
        except Exception as fault:  # a sum that does not fit, packed data that are none, a disk that fails
            raise Refused(f"is damaged and cannot be read to its end; {AGAIN}") from fault
        if not block:
            return
        yield block
