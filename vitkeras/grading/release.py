"""The hand-out for students: tasks, stubs and visible tests, with the kit if it is asked for, and nothing else."""

import ast
import re
import shutil
import tempfile
import zipfile
from pathlib import Path

from vitkeras.errors import Misuse, Problem
from vitkeras.files import written_whole
from vitkeras.grading.exercise import DESCRIPTION, FOR_INSTRUCTORS

ASIDE = (".md", ".png", ".npz")  # besides description, stub and tests
FRONT_PAGES = ("README.md", "README.pt-BR.md")
WORKFLOW = "classroom.yml"  # in for_instructors
PROJECT = ("pyproject.toml", "constraints.txt", "README.md", "LICENSE")


def release(folder, exercises, out, kit=False, classroom=False):
    """Write the hand-out into the new folder `out`, or into a zip if its name ends so. Returns the names in it.

    kit: with the kit itself, to be installed from it.  classroom: with it, and with a workflow for GitHub Classroom.
    """
    out, folder = Path(out), Path(folder)
    if out.exists() and (out.suffix == ".zip" or not out.is_dir() or any(out.iterdir())):
        raise Misuse(f"{out} is there already. release wants a new folder, or the name of a new zip.")
    files = {f"exercises/{name}": folder / name for name in FRONT_PAGES if (folder / name).is_file()}
    for exercise in exercises:
        files |= {f"exercises/{exercise.name}/{path.name}": path for path in handed_out(exercise)}
    if kit or classroom:
        files |= {f"kit/{name}": path for name, path in kit_files(folder).items()}
    if classroom:
        files[f".github/workflows/{WORKFLOW}"] = folder / FOR_INSTRUCTORS / WORKFLOW
    files = {name: content(name, path, exercises) for name, path in files.items()}
    try:
        write_zip(files, out) if out.suffix == ".zip" else write_folder(files, out)
    except OSError as fault:
        raise Problem(f"{out} could not be written: {fault.strerror or fault}. Choose another place.") from fault
    return list(files)


def content(name, path, exercises):
    """The bytes of a file; the front pages list what comes along, and nothing else."""
    data = path.read_bytes()
    if name.removeprefix("exercises/") not in FRONT_PAGES:
        return data
    names = {exercise.name for exercise in exercises}
    rows = ((re.match(rb"\| \d+ \| \[(\w+)\]", line), line) for line in data.splitlines(keepends=True))
    return b"".join(line for row, line in rows if not row or row[1].decode() in names)


def handed_out(exercise):
    """The files of an exercise that students get. Nobody hands out an own solution by mistake."""
    require_stub(exercise)
    known = {DESCRIPTION, exercise.files[0]}
    for path in sorted(exercise.folder.iterdir()):
        if path.name.startswith("test_") and path.suffix == ".py":
            require_visible(path)
        elif path.name in exercise.files[1:] + exercise.optional or (path.suffix == ".py" and path.name not in known):
            raise Misuse(
                f"{path} is no part of the exercise, and looks like somebody's work. Move it away before you hand the "
                "exercise out."
            )
        elif path.name not in known and path.suffix not in ASIDE:
            continue
        yield path


def require_stub(exercise):
    path = exercise.folder / exercise.files[0]
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if "NotImplementedError" not in text:
        raise Misuse(
            f"{path} is no stub: nothing in it raises NotImplementedError. Put the stub back (git checkout) before you "
            "hand it out."
        )


def require_visible(path):
    """A file of tests that is handed out holds no hidden one."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr == "hidden":
            raise Misuse(
                f"{path}, line {node.lineno}, marks a test as hidden, but this file is handed out. Hidden tests belong "
                f"into {FOR_INSTRUCTORS}/{path.parent.name}."
            )


def kit_files(folder):
    """The kit, without lessons and exercises: what `pip install` needs."""
    root = Path(folder).resolve().parent
    if missing := [name for name in (*PROJECT, "vitkeras") if not (root / name).exists()]:
        raise Misuse(f"{root} has no {missing[0]}. The kit is to come along, so do this in a checkout of the project.")
    files = {name: root / name for name in PROJECT}
    return files | {path.relative_to(root).as_posix(): path for path in sorted((root / "vitkeras").rglob("*.py"))}


def write_folder(files, out):
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as held:
        for name, data in files.items():
            target = Path(held, "hand-out", name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        if out.exists():
            out.rmdir()
        shutil.move(Path(held, "hand-out"), out)


def write_zip(files, out, programs=()):
    """The same bytes each time: no dates, and Unix's line ends. `programs` may be run."""
    with written_whole(out) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system, info.compress_type = 3, zipfile.ZIP_DEFLATED
            info.external_attr = (0o100755 if name in programs else 0o100644) << 16
            text = Path(name).suffix not in (".png", ".npz")
            archive.writestr(info, data.replace(b"\r\n", b"\n") if text else data)
