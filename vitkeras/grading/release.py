"""The hand-out for students: tasks, stubs and visible tests, and nothing else."""

import ast
import shutil
import tempfile
import zipfile
from pathlib import Path

from vitkeras.errors import Misuse
from vitkeras.files import written_whole

HANDED_OUT = (".md", ".toml", ".py", ".png", ".npz")
FRONT_PAGES = ("README.md", "README.pt-BR.md")
WORKFLOW = "classroom.yml"  # in for_instructors


def release(folder, exercises, out, classroom=False):
    """Write the hand-out into the new folder `out`, or into a zip if its name ends so. Returns the names in it."""
    out, folder = Path(out), Path(folder)
    if out.exists() and (out.suffix == ".zip" or not out.is_dir() or any(out.iterdir())):
        raise Misuse(f"{out} is there already. release wants a new folder, or the name of a new zip.")
    files = {f"exercises/{name}": folder / name for name in FRONT_PAGES if (folder / name).is_file()}
    for exercise in exercises:
        require_stub(exercise)
        for path in sorted(exercise.folder.iterdir()):
            if path.is_file() and not path.is_symlink() and path.suffix in HANDED_OUT:
                if path.name.startswith("test_"):
                    require_visible(path)
                files[f"exercises/{exercise.name}/{path.name}"] = path
    if classroom:
        files[f".github/workflows/{WORKFLOW}"] = folder / "for_instructors" / WORKFLOW
    with tempfile.TemporaryDirectory(dir=out.parent if out.parent.is_dir() else None) as held:
        for name, path in files.items():
            target = Path(held, "hand-out", name)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        if out.suffix == ".zip":
            with written_whole(out) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
                for name in files:
                    archive.write(Path(held, "hand-out", name), name)
        else:
            out.parent.mkdir(parents=True, exist_ok=True)
            if out.exists():
                out.rmdir()
            shutil.move(Path(held, "hand-out"), out)
    return list(files)


def require_stub(exercise):
    """Nobody hands out an own solution by mistake."""
    path = exercise.folder / exercise.files[0]
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    solution = exercise.for_instructors / exercise.files[0]
    if "NotImplementedError" not in text or (solution.is_file() and solution.read_text(encoding="utf-8") == text):
        raise Misuse(
            f"{path} is no stub: nothing in it raises NotImplementedError. Put the stub back (git checkout) before you "
            "hand it out."
        )
    others = [name for name in exercise.files[1:] if (exercise.folder / name).exists()]
    if others:
        raise Misuse(f"{exercise.folder} holds {', '.join(others)}, which students hand in. Move it away first.")


def require_visible(path):
    """A file of tests that is handed out holds no hidden one."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr == "hidden":
            raise Misuse(
                f"{path}, line {node.lineno}, marks a test as hidden, but this file is handed out. Hidden tests belong "
                f"into for_instructors/{path.parent.name}."
            )
