"""What the tests of lessons share: a lesson is run as a student runs it, in a process and a folder of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LESSONS = Path(__file__).parents[2] / "lessons"


@pytest.fixture(scope="session")
def lesson_command():
    """`lesson_command("03_attention", "--quick")`: the words that start a lesson, whatever the current folder is."""

    def words_to_start(name, *words):
        return [sys.executable, str(LESSONS / f"{name}.py"), *map(str, words)]

    return words_to_start


@pytest.fixture(scope="session")
def run_lesson(lesson_command):
    """`run_lesson("03_attention", folder, "--quick", "--data", "drawn", PATH="")`, from within `folder`.

    Returned is the process that has ended: its `returncode`, `stdout` and `stderr`. Further names are environment.
    """

    def run(name, folder, *words, **environment):
        return subprocess.run(
            lesson_command(name, *words),
            cwd=folder,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
        )

    return run


@pytest.fixture(scope="session")
def record_of():
    """`record_of(folder)`: what run.json in a run folder says."""

    def read(folder):
        return json.loads(Path(folder, "run.json").read_text(encoding="utf-8"))

    return read
