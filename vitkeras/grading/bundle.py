"""The bundle that Gradescope makes an autograder of: the kit, the exercises with their hidden tests, two scripts."""

from pathlib import Path

from vitkeras.errors import Misuse
from vitkeras.grading.exercise import DESCRIPTION, FOR_INSTRUCTORS
from vitkeras.grading.release import kit_files, write_zip

SCRIPTS = ("setup.sh", "run_autograder")


def write(folder, exercises, out):
    """Write `out`, a zip. Returns the names in it."""
    folder, out = Path(folder), Path(out)
    if out.suffix != ".zip":
        raise Misuse(f"{out} should be the name of a zip, such as autograder.zip.")
    if out.exists():
        raise Misuse(f"{out} is there already. Remove it, or choose another name.")
    files = {name: folder / FOR_INSTRUCTORS / "gradescope" / name for name in SCRIPTS} | kit_files(folder)
    for exercise in exercises:
        paths = [exercise.folder / DESCRIPTION, *exercise.tests]
        paths += [path for path in exercise.for_instructors.glob("*.npz") if path.name not in exercise.optional]
        files |= {f"exercises/{path.relative_to(exercise.folder.parent).as_posix()}": path for path in paths}
    if missing := [path for path in files.values() if not path.is_file()]:
        raise Misuse(f"{missing[0]} is not there. The bundle is made in a checkout of the project.")
    write_zip({name: path.read_bytes() for name, path in files.items()}, out, programs=SCRIPTS)
    return list(files)
