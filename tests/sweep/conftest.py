"""A course of one small lesson that trains nothing, swept over as a user does it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import vitkeras

LESSON = '''"""01_tiny: a lesson that gives its settings back

Run:     python lessons/01_tiny.py
"""

from vitkeras.options import lesson_options

SIZE = 3
TWICE = 2 * SIZE
WAIT = 0.0

options = lesson_options("01_tiny", __doc__, epochs=1, kind=("a", "b"))
import json, os, sys, time
with open(os.environ["BEGUN"], "a") as file:
    print(SIZE, options.seed, os.getpid(), file=file)
time.sleep(WAIT)
if SIZE == 5:
    sys.exit("ValueError: 5 does not fit")
options.out.mkdir(parents=True)
(options.out / "picture.png").write_bytes(b"png")
results = {"test_accuracy": TWICE / 100 + options.seed / 1000, "kind": options.kind}
record = {"finished": "now", "seconds": 1, "data": {"title": "made-up data"}, "results": results}
(options.out / "run.json").write_text(json.dumps(record))
'''


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The package without the project around it, so that the lessons are those of the current folder."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(Path(vitkeras.__file__).parent, folder / "vitkeras", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture
def course(tmp_path, site):
    """`course.start(words)` starts a sweep; `course.swept(words)` also waits: (exit code, what it said)."""

    class Course:
        folder = tmp_path

        def start(self, *words):
            environment = os.environ | {"PYTHONPATH": str(site), "COLUMNS": "140", "BEGUN": str(tmp_path / "begun")}
            return subprocess.Popen(
                [sys.executable, "-m", "vitkeras.sweep", "1", "--out", "out", "--memory", "0.1", *words],
                cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip

        def swept(self, *words):
            process = self.start(*words)
            said, _ = process.communicate(timeout=240)
            assert "Traceback" not in said, said
            return process.returncode, said

        @property
        def begun(self):
            """(size, seed, process) of every run that has begun, in all sweeps so far."""
            path = tmp_path / "begun"
            return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

        def table(self):
            return (tmp_path / "out" / "runs.csv").read_text().splitlines()

    (tmp_path / "lessons").mkdir()
    (tmp_path / "lessons" / "01_tiny.py").write_text(LESSON)
    return Course()
