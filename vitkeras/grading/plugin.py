"""The part of pytest that knows exercises: marks, fixtures, and a table of points at the end.

A test belongs to an exercise if its folder has an `exercise.toml`, or is that exercise's folder in `for_instructors`.
All other tests of a run are left alone. Points are counted from the tests that were collected, never from outcomes.
"""

import hashlib
import itertools
import math
import secrets
from pathlib import Path

import pytest

from vitkeras.errors import Problem
from vitkeras.grading import exercise as exercises

NOT_RUN = "the test was not run"
DOUBT = "[the test itself failed; tell whoever set the exercise]"


def pytest_addoption(parser):
    group = parser.getgroup("vitkeras", "exercises of the course kit vitkeras")
    group.addoption(
        "--submission",
        metavar="FOLDER",
        help="where the submitted files are (default: the exercise's own folder)",
    )
    group.addoption("--fresh-seed", metavar="TEXT", help="what the random inputs of exercises start from")
    group.addoption(
        "--walled", action="store_true", help="run the submission behind walls, as the grader does, though it is yours"
    )


def pytest_configure(config):
    config.addinivalue_line("markers", "points(number, hint=''): what this test of an exercise is worth (default 1)")
    config.addinivalue_line("markers", "hidden: students are told of this test's outcome, not of what it asks")
    config.stash[SITTING] = OneSubmission(config)


class Sitting:
    """Whose submission is looked at now. An examiner of many replaces this."""

    def student(self, exercise, hidden):
        """The `Student` for a test; hidden tests have a process of their own, which tells visible ones nothing."""
        raise NotImplementedError

    seed = ""


class OneSubmission(Sitting):
    """The files in the exercise's folder: one's own, so they run without walls unless asked for."""

    def __init__(self, config):
        self.config, self.open, self.printed = config, {}, []
        self.seed = config.getoption("fresh_seed") or secrets.token_hex(8)

    def student(self, exercise, hidden):
        from vitkeras.grading import walls
        from vitkeras.grading.student import Student

        where = exercise.folder, hidden
        if where not in self.open:
            self.close()  # one process at a time is enough
            folder = Path(self.config.getoption("submission") or exercise.folder)
            if not folder.is_dir():
                raise pytest.UsageError(f"{folder} is no folder. --submission wants the one with the submitted files.")
            submitted = {name: folder / name for name in exercise.files + exercise.optional if (folder / name).exists()}
            place = walls.best(exercise, open_to_all=not self.config.getoption("walled"))
            self.open[where] = Student(place, exercise, submitted, self.seed), place
        return self.open[where][0]

    def close(self):
        for student, place in self.open.values():
            student.close()
            place.close()
        self.printed += [student.printed() for student, _ in self.open.values()]
        self.open = {}


SITTING = pytest.StashKey[Sitting]()
EXERCISE = pytest.StashKey[exercises.Exercise]()
PICTURES = pytest.StashKey[list]()
RESULT = pytest.StashKey[dict]()


def pytest_ignore_collect(collection_path, config):
    """`pytest exercises` is for students; whoever wants what lies in for_instructors says so."""
    if collection_path.name == exercises.FOR_INSTRUCTORS:
        return None if any(exercises.FOR_INSTRUCTORS in word for word in config.args) else True
    return None


def pytest_collection_modifyitems(items, config):
    known = {}
    for item in items:
        folder = item.path.parent
        if folder not in known:
            try:
                known[folder] = exercises.of_test(item.path)
            except Problem as problem:
                raise pytest.UsageError(str(problem)) from None
        if exercise := known[folder]:
            item.stash[EXERCISE] = exercise
            if folder.parent.name == exercises.FOR_INSTRUCTORS:
                item.add_marker(pytest.mark.hidden)
            worth(item)
    items.sort(key=place_of)
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter and items and all(EXERCISE in item.stash for item in items):
        reporter.reportchars = ""  # the table of points says what failed


def place_of(item):
    """Exercises in the course's order; in each, visible tests first: what is printed tells nothing of hidden ones."""
    exercise = item.stash.get(EXERCISE, None)
    if exercise is None:
        return (0,)
    return 1, exercise.order, exercise.name, item.get_closest_marker("hidden") is not None


def worth(item):
    """(points, hint) of a test, as its mark says."""
    mark = item.get_closest_marker("points")
    points = mark.args[0] if mark and mark.args else 1
    good = isinstance(points, int | float) and not isinstance(points, bool) and math.isfinite(points) and points > 0
    if not good or (mark and (len(mark.args) > 1 or mark.kwargs.keys() - {"hint"})):
        raise pytest.UsageError(
            f"{item.nodeid}: points wants one number above 0, and a hint if there is one, as in "
            f"@pytest.mark.points(2, hint='…'). Received: {mark}."
        )
    return float(points), str(mark.kwargs.get("hint", "") if mark else "")


@pytest.fixture
def student(request):
    """The submitted module, behind the walls: `student.cut(images, 7)` calls its function `cut`."""
    exercise = request.node.stash.get(EXERCISE, None)
    if exercise is None:
        raise pytest.UsageError(f"the fixture `student` is for tests in the folder of an {exercises.DESCRIPTION}")
    hidden = request.node.get_closest_marker("hidden") is not None
    return request.config.stash[SITTING].student(exercise, hidden)


@pytest.fixture
def rng(request):
    """Random numbers that are fresh in every grading, the same for every student, and known to none."""
    import numpy as np

    name = f"{request.node.path.name}::{request.node.name}"
    digest = hashlib.sha256(f"{request.config.stash[SITTING].seed} {name}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest))


@pytest.fixture
def picture(request):
    """`picture(title, array, expected=None)`: show an answer on the feedback page, beside what was expected."""
    pictures = request.node.stash[PICTURES] = []

    def keep(title, array, expected=None):
        from vitkeras.grading import pictures as drawing

        pictures.extend(drawing.side_by_side(title, array, expected))

    return keep


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if EXERCISE not in item.stash:
        return report
    result = item.stash.setdefault(RESULT, blank(item)) if call.when != "setup" else blank(item)
    item.stash[RESULT] = result
    result["seconds"] += call.duration
    if report.skipped or hasattr(report, "wasxfail"):
        result |= {"status": "skipped", "message": f"the test was skipped: {reason(report)}"}
    elif call.excinfo is not None:
        result |= told(call.excinfo.value, call)
        report.longrepr = as_text(result)
    elif call.when == "call" and result["status"] == "error":
        result |= {"status": "passed", "message": ""}
    result["pictures"] = item.stash.get(PICTURES, [])
    result["points"] = result["max_points"] if result["status"] == "passed" else 0.0
    return report


def blank(item):
    """The result of a test before it has run, which is also that of a test that never does: no points."""
    points, hint = worth(item)
    return {
        "name": item.name, "title": title(item), "points": 0.0, "max_points": points, "status": "error",
        "hidden": item.get_closest_marker("hidden") is not None, "hint": hint, "message": NOT_RUN,
        "expected": "", "got": "", "seconds": 0.0, "pictures": [],
    }  # fmt: skip


def title(item):
    """A test's name in words.

    test_the_first_patch_is_the_top_left_corner[2-7] → the first patch is the top left corner (2-7)
    """
    name = (getattr(item, "originalname", None) or item.name).removeprefix("test_").replace("_", " ")
    case = item.name.partition("[")[2].rstrip("]")
    return f"{name} ({case})" if case else name


def told(fault, call):
    """Status and texts of a failure: what was expected and what came, and no stack of frames."""
    from vitkeras.grading.comparing import Different
    from vitkeras.grading.student import Fault, Missing

    if isinstance(fault, Different):
        return {"status": "failed", "message": fault.message, "expected": fault.expected, "got": fault.got}
    if isinstance(fault, Fault):
        about_the_file = {"hint": ""} if isinstance(fault, Missing) else {}  # a hint would lead astray
        return {"status": fault.status, "message": str(fault)} | about_the_file
    lines = str(fault).strip().splitlines()
    if isinstance(fault, AssertionError) and call.when == "call":
        own = list(itertools.takewhile(lambda line: not line.startswith("assert "), lines))  # not pytest's words
        return {"status": "failed", "message": "\n".join(own[:6]) or "the test's claim does not hold"}
    place = call.excinfo.traceback[-1]
    text = f"{type(fault).__name__}: {' '.join(lines[:2])} ({Path(place.path).name}, line {place.lineno + 1})"
    return {"status": "error", "message": f"{text}\n{DOUBT}"}


def reason(report):
    return str(report.longrepr[2] if isinstance(report.longrepr, tuple) else getattr(report, "wasxfail", ""))


def as_text(result):
    lines = [result["message"]]
    lines += [f"expected: {result['expected']}", f"got:      {result['got']}"] if result["expected"] else []
    lines += [f"hint:     {result['hint']}"] if result["hint"] else []
    return "\n".join(lines)


def pytest_terminal_summary(terminalreporter):
    items = getattr(terminalreporter._session, "items", []) if terminalreporter._session else []
    graded = [item for item in items if EXERCISE in item.stash]
    by_exercise = {}
    for item in graded:
        by_exercise.setdefault(item.stash[EXERCISE].title, []).append(item.stash.get(RESULT, None) or blank(item))
    sitting = terminalreporter.config.stash[SITTING]
    if graded and isinstance(sitting, OneSubmission):
        sitting.close()
        if said := "".join(sitting.printed).strip():
            terminalreporter.section("what your code printed")
            terminalreporter.write_line(said)
    for name, results in by_exercise.items():
        table(terminalreporter, name, results)


def table(terminal, name, results):
    terminal.section(name)
    for result in results:
        sign = {"passed": "ok", "failed": "no"}.get(result["status"], result["status"])
        sign = "not run" if result["message"] == NOT_RUN else sign
        markup = {"green": True} if sign == "ok" else {"red": True}
        of = f"{result['points']:4g} of {result['max_points']:g}"
        terminal.write_line(f"{sign:>8}  {of:12}  {result['title']}", **markup)
    points, most = (sum(result[key] for result in results) for key in ("points", "max_points"))
    rest = "" if any(result["hidden"] for result in results) else ", by the tests that you see; hidden ones add to it"
    terminal.write_line(f"{'':8}  {f'{points:4g} of {most:g}':12}  in all{rest}", bold=True)


def pytest_unconfigure(config):
    sitting = config.stash.get(SITTING, None)
    if hasattr(sitting, "close"):
        sitting.close()
