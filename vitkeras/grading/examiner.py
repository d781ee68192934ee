"""A desk at which one exercise is examined: a process with pytest, that takes submission after submission.

The tests are collected once, and run for each submission that comes. Orders arrive on standard input, results leave on
standard output, a line of JSON each; nothing of a student's is ever imported here.
"""

import contextlib
import io
import json
import os
import sys
import time
from pathlib import Path

import pytest

from vitkeras.errors import Problem
from vitkeras.grading import exercise as exercises
from vitkeras.grading import plugin, walls
from vitkeras.grading.student import Student


def main(folder, slot):
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what pytest or a test prints must not get among the replies
    orders = os.fdopen(os.dup(0), encoding="utf-8")  # pytest will take the descriptor itself away
    exercise = exercises.read(folder)
    examiner = Examiner(exercise, slot, orders, replies)
    said = io.StringIO()
    with contextlib.redirect_stderr(said):  # where pytest says what is wrong with marks and options
        code = pytest.main(words(exercise), plugins=[examiner])
    if not examiner.opened:
        lines = [*examiner.trouble, *said.getvalue().strip().splitlines()] or [f"pytest ended with {int(code)}"]
        examiner.reply(problem=f"the tests of {exercise.name} cannot be collected: {' '.join(lines)[:1500]}")


def words(exercise):
    """pytest's command line: our tests, our plugin, and nothing that a machine or a folder may add."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
        os.environ.pop(name, None)
    plugins = ["vitkeras.grading.plugin", "no:cacheprovider", "no:terminal", "no:faulthandler"]
    folders = ["-c", os.devnull, "--rootdir", str(exercise.folder.parent), "--noconftest"]
    how = ["--import-mode=importlib", "--strict-markers", "--assert=plain"]
    return [*map(str, exercise.tests), *(word for name in plugins for word in ("-p", name)), *folders, *how]


class Examiner(plugin.Sitting):
    def __init__(self, exercise, slot, orders, replies):
        self.exercise, self.orders, self.replies = exercise, orders, replies
        self.place = walls.best(exercise, slot)
        self.opened, self.trouble, self.students = False, [], {}

    def reply(self, **what):
        self.replies.write(json.dumps(what) + "\n")
        self.replies.flush()

    def student(self, exercise, hidden):
        if hidden not in self.students:
            for other in self.students.values():
                other.close()  # one process at a time
            self.students[hidden] = Student(self.place, self.exercise, self.submitted, self.seed)
        return self.students[hidden]

    def pytest_sessionstart(self, session):
        session.config.stash[plugin.SITTING] = self

    def pytest_collectreport(self, report):
        if report.failed:
            self.trouble.append(f"{report.nodeid or 'the tests'}: {str(report.longrepr)[-800:]}")

    def pytest_internalerror(self, excrepr):
        print(str(excrepr).strip().splitlines()[-1], file=sys.stderr)

    def pytest_runtestloop(self, session):
        if session.testsfailed or not session.items:
            return True
        try:
            self.place.open()
            self.opened = True
            self.reply(tests=[plugin.blank(item) for item in session.items], walls=self.place.description)
            for line in self.orders:
                self.reply(**self.examined(session.items, json.loads(line)))
        except Problem as problem:
            self.opened = True
            self.reply(problem=str(problem))
        finally:
            self.place.close()
        return True

    def examined(self, items, order):
        """One submission, test by test. What a test leaves behind is cleared away before the next submission."""
        from _pytest.runner import runtestprotocol  # as plugins do that run tests again

        self.submitted = {name: Path(path) for name, path in order["files"].items()}
        self.seed, started = order["seed"], time.perf_counter()
        for item, following in zip(items, [*items[1:], None], strict=True):
            for key in (plugin.RESULT, plugin.PICTURES):
                if key in item.stash:
                    del item.stash[key]
            runtestprotocol(item, nextitem=following, log=False)
        tests = [item.stash.get(plugin.RESULT, None) or plugin.blank(item) for item in items]
        visible = self.students.get(False)
        notes = list(dict.fromkeys(note for student in self.students.values() for note in student.notes))
        for student in self.students.values():
            student.close()
        output = visible.printed() if visible else ""
        self.students = {}
        return {"tests": tests, "output": output, "notes": notes, "seconds": time.perf_counter() - started}


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
