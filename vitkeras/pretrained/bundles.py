"""A preset as a folder or zip that can be carried to another machine, with a list of what has to be in it."""

import contextlib
import datetime
import hashlib
import json
import lzma
import shutil
import stat
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from vitkeras.errors import Misuse, Problem
from vitkeras.files import written_whole

MANIFEST = "vitkeras-preset.json"
LARGEST = 8 << 30  # bytes in all; ViT-H, the largest preset, has 2.5 GB
MOST_FILES = 200
DESCRIPTIONS = {"config.json", "card.json"}
WEIGHTS = (".h5", ".safetensors", ".keras")
BROKEN_ZIP = (
    zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, RuntimeError, zlib.error, lzma.LZMAError,
)  # fmt: skip
MOST_PACKED = 20  # times; random weights do not get smaller at all, and descriptions some ten times
LARGEST_LIST = 1 << 20  # bytes
CHUNK = 1 << 20


class Damaged(Problem):
    """What was carried is not what was packed."""


def pack(name, source, handle, out, as_zip):
    """Copy a preset's files, with their SHA-256, into the folder or the zip `out/name`. Returns the path."""
    source = Path(source)
    files = sorted(path for path in source.rglob("*") if path.is_file() and wanted(path.relative_to(source)))
    names = {path.name for path in files}
    if not names & DESCRIPTIONS or not any(name.endswith(WEIGHTS) for name in names):
        raise Problem(
            f"{source} holds no whole preset: a description ({', '.join(sorted(DESCRIPTIONS))}) and weights "
            f"({', '.join(WEIGHTS)}) were expected. A .keras file by itself is carried as it is."
        )
    target = Path(out, f"{name}.zip" if as_zip else name)
    if target.exists():
        raise Misuse(f"{target} is there already. Delete it, or choose another --out.")
    manifest = {
        "preset": name,
        "handle": handle,
        "packed": datetime.date.today().isoformat(),
        "files": {
            path.relative_to(source).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256(path)}
            for path in files
        },
    }
    with written_whole(target) as temporary:
        if as_zip:
            # Stored, for weights do not get smaller. Files from before 1980 are dated 1980, as zips have no other way.
            with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED, strict_timestamps=False) as bundle:
                for path in files:
                    bundle.write(path, path.relative_to(source).as_posix())
                bundle.writestr(MANIFEST, json.dumps(manifest, indent=2))
        else:
            try:
                for path in files:
                    to = temporary / path.relative_to(source)
                    to.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, to)
                (temporary / MANIFEST).write_text(json.dumps(manifest, indent=2), encoding="utf-8")
            except BaseException:
                shutil.rmtree(temporary, ignore_errors=True)
                raise
    return target


def wanted(relative):
    """No hidden files, no manifest of an earlier packing, nothing that is a program or a pickle."""
    hidden = any(part.startswith(".") for part in relative.parts)
    return not hidden and relative.name != MANIFEST and relative.suffix in (".json", ".h5", ".safetensors", ".keras")


def verify(folder, called=None):
    """Compare a folder with its list, if it has one: a copy that was cut off is told before anything reads it."""
    file, called = Path(folder, MANIFEST), called or folder
    if not file.is_file():
        return
    for name, expected in listed(file.read_bytes(), file).items():
        path = Path(folder, *PurePosixPath(name).parts)
        if not path.is_file():
            raise Damaged(f"{called} lacks {name}, which its list names. Copy it again, whole.")
        if path.stat().st_size != expected["bytes"] or sha256(path) != expected["sha256"]:
            raise Damaged(f"{name} in {called} is not the file that was packed: its SHA-256 differs. Copy it again.")


@contextlib.contextmanager
def unpacked(archive):
    """The folder that a zip holds, in a temporary place. If it has a list, what is on it has to be as it says."""
    with tempfile.TemporaryDirectory(prefix="vitkeras-preset-") as folder:
        yield unpack(Path(archive), Path(folder))


def unpack(archive, folder):
    try:
        with zipfile.ZipFile(archive) as bundle:
            members = plain_members(bundle, archive)
            for member, name in members:
                to = Path(folder, *PurePosixPath(name).parts)
                to.parent.mkdir(parents=True, exist_ok=True)
                with bundle.open(member) as source, to.open("wb") as target:
                    copy(source, target, member.file_size, archive)
    except BROKEN_ZIP as fault:
        raise Damaged(
            f"{archive} is no zip that can be read, or only a part of one: {fault}. Copy it again."
        ) from fault
    except OSError as fault:
        raise Problem(f"{archive} could not be unpacked: {fault.strerror or fault}.") from fault
    inside = folder / common_folder(members)
    verify(inside, archive)
    return inside


def plain_members(bundle, archive):
    """[(member, its name)]: files under plain relative names, within limits."""
    members = [(member, member.filename) for member in bundle.infolist() if not member.is_dir()]
    members = [(member, name) for member, name in members if not name.startswith("__MACOSX/")]  # macOS adds these
    for member, name in members:
        path = PurePosixPath(name.replace("\\", "/"))
        linked = stat.S_ISLNK(member.external_attr >> 16)
        if path.is_absolute() or ".." in path.parts or ":" in name or "\\" in name or linked:
            raise Damaged(f"{archive} holds {name!r}, which no preset has: it is not unpacked.")
    packed = sum(member.compress_size for member, _ in members)
    if sum(member.file_size for member, _ in members) > MOST_PACKED * packed + CHUNK:
        raise Damaged(
            f"{archive} would grow to more than {MOST_PACKED} times its size, as weights do not. Not unpacked."
        )
    if len(members) > MOST_FILES or sum(member.file_size for member, _ in members) > LARGEST:
        raise Damaged(f"{archive} holds more than {MOST_FILES} files or {LARGEST >> 30} GB: it is not unpacked.")
    return members


def common_folder(members):
    """The folder in which all lies, if somebody zipped the folder and not its files.

    >>> common_folder([(None, "deit/config.json"), (None, "deit/model.safetensors")])
    'deit'
    """
    tops = {PurePosixPath(name).parts[0] for _, name in members if "/" in name}
    return tops.pop() if len(tops) == 1 and all("/" in name for _, name in members) else ""


def copy(source, target, size, archive):
    """No more than was announced: what is packed small may be endless."""
    left = size
    while chunk := source.read(CHUNK):
        left -= len(chunk)
        if left < 0:
            raise Damaged(f"{archive} holds more than it announces: it is not unpacked.")
        target.write(chunk)


def listed(text, file):
    try:
        if len(text) > LARGEST_LIST:
            raise ValueError("it is too long")
        files = json.loads(text)["files"]
        for name, expected in files.items():
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                raise ValueError(f"{name!r} leads out of the folder")
            int(expected["bytes"]), str(expected["sha256"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as fault:
        raise Damaged(f"{file} is no list of a preset's files ({type(fault).__name__}: {fault}).") from fault
    return files


def sha256(path):
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
