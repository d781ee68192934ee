"""The bundle that Gradescope makes an autograder of: the kit, the exercises with their hidden tests, two scripts."""

import zipfile
from pathlib import Path

from vitkeras.errors import Misuse
from vitkeras.files import written_whole
from vitkeras.grading.exercise import DESCRIPTION, FOR_INSTRUCTORS

PROJECT = ("pyproject.toml", "constraints.txt", "README.md", "LICENSE")
SCRIPTS = ("setup.sh", "run_autograder")


def write(folder, exercises, out):
    """Write `out`, a zip. Returns the names in it."""
    out, root = Path(out), Path(folder).resolve().parent
    if out.suffix != ".zip":
        raise Misuse(f"{out} should be the name of a zip, such as autograder.zip.")
    if out.exists():
        raise Misuse(f"{out} is there already. Remove it, or choose another name.")
    if missing := [name for name in PROJECT if not (root / name).is_file()]:
        raise Misuse(
            f"{root} has no {missing[0]}. The bundle brings the kit along, so make it in a checkout of this project."
        )
    files = {name: root / "exercises" / FOR_INSTRUCTORS / "gradescope" / name for name in SCRIPTS}
    files |= {name: root / name for name in PROJECT}
    files |= {str(path.relative_to(root)): path for path in sorted((root / "vitkeras").rglob("*.py"))}
    for exercise in exercises:
        for path in [exercise.folder / DESCRIPTION, *exercise.tests]:
            files[str(Path("exercises", path.relative_to(exercise.folder.parent)))] = path
    with written_whole(out) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, path in files.items():
            info = zipfile.ZipInfo(Path(name).as_posix(), date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system, info.compress_type = 3, zipfile.ZIP_DEFLATED
            info.external_attr = (0o100755 if name in SCRIPTS else 0o100644) << 16
            bundle.writestr(info, path.read_bytes().replace(b"\r\n", b"\n"))
    return list(files)
