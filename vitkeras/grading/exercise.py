"""An exercise: its folder, what is handed in, what its task allows, and the limits of its calls."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from vitkeras.errors import Misuse

DESCRIPTION = "exercise.toml"
FOR_INSTRUCTORS = "for_instructors"
LIMITS = {
    "load_seconds": 60,
    "call_seconds": 20,
    "total_seconds": 600,
    "memory_mb": 4096,
    "scratch_mb": 256,
    "file_mb": 64,
    "processes": 256,  # threads count as well
}
KIT = {  # what solves most tasks by itself, and is open only where an exercise says so
    "vitkeras": "the task is to write it yourself",
    "keras_hub": "the task is to write it yourself",
}
LIBRARIES = ("numpy", "keras", "tensorflow", "keras_hub", "vitkeras")  # loaded before any student's code comes


@dataclass(frozen=True, eq=False)
class Exercise:
    name: str
    folder: Path
    title: str
    order: int
    files: tuple[str, ...]  # the first is the module that tests call
    optional: tuple[str, ...]
    imports: tuple[str, ...]
    data: tuple[str, ...]  # data sets that tests look for
    forbidden: dict[str, str]  # dotted name -> why
    limits: dict[str, float]

    @property
    def module(self):
        return Path(self.files[0]).stem

    @property
    def for_instructors(self):
        return self.folder.parent / FOR_INSTRUCTORS / self.name

    @property
    def tests(self):
        """The files of tests, what students may see first."""
        return [*sorted(self.folder.glob("test_*.py")), *sorted(self.for_instructors.glob("test_*.py"))]

    @property
    def closed(self):
        return {package: why for package, why in KIT.items() if package not in self.imports}

    @property
    def libraries(self):
        return [package for package in LIBRARIES if package in self.imports]


def read(folder):
    """The exercise in `folder`."""
    path = Path(folder) / DESCRIPTION
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
        check(told)
        return Exercise(
            name=path.parent.name,
            folder=path.parent,
            title=told["title"],
            order=told["order"],
            files=tuple(told["files"]),
            optional=tuple(told.get("optional", ())),
            imports=tuple(told.get("imports", ("numpy",))),
            data=tuple(told.get("data", ())),
            forbidden=dict(told.get("forbidden", {})),
            limits=LIMITS | told.get("limits", {}),
        )
    except (OSError, ValueError, AttributeError) as fault:
        raise Misuse(
            f"{path} does not describe an exercise: {fault}. It wants title, order, files, and may have optional, "
            f"imports, data, [forbidden], and [limits] with {', '.join(LIMITS)}."
        ) from None


def check(told):
    """Raise ValueError for what cannot be meant."""
    kinds = {"title": str, "order": int, "files": list, "optional": list, "imports": list, "data": list}
    kinds |= {"forbidden": dict, "limits": dict}
    limits = told.get("limits", {})
    if unknown := told.keys() - kinds.keys() | limits.keys() - LIMITS.keys():
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    if missing := [name for name in ("title", "order", "files") if name not in told]:
        raise ValueError(f"there is no {missing[0]}")
    for name, value in told.items():
        if type(value) is not kinds[name]:
            raise ValueError(f"{name} should be a {kinds[name].__name__}, and is {value!r}")
    for name in (*told["files"], *told.get("optional", ())):
        if not isinstance(name, str) or Path(name).name != name:
            raise ValueError(f"files and optional should be names of files, without folders; {name!r} is none")
    if not told["files"] or not told["files"][0].endswith(".py"):
        raise ValueError("the first of files should be a .py file, for it is the module that tests call")
    if unknown := set(told.get("imports", ())) - set(LIBRARIES):
        raise ValueError(f"imports takes {', '.join(LIBRARIES)}; not {', '.join(map(str, unknown))}")
    for name, value in limits.items():
        if type(value) not in (int, float) or value <= 0:
            raise ValueError(f"{name} should be a number above 0, and is {value!r}")


def read_all(folder):
    """The exercises below `folder`, in the order of the course."""
    folder = Path(folder)
    found = [read(path.parent) for path in folder.glob(f"*/{DESCRIPTION}")]
    if not found:
        raise Misuse(
            f"there are no exercises in {folder}: no folder there has an {DESCRIPTION}. --exercises wants the folder "
            "`exercises` of a checkout of this project."
        )
    return sorted(found, key=lambda exercise: (exercise.order, exercise.name))


def of_test(path):
    """The exercise that a file of tests belongs to; None if to none."""
    folder = Path(path).parent
    if (folder / DESCRIPTION).is_file():
        return read(folder)
    if folder.parent.name == FOR_INSTRUCTORS and (folder.parent.parent / folder.name / DESCRIPTION).is_file():
        return read(folder.parent.parent / folder.name)
    return None
