"""What the tests of lessons share: a lesson is run by its options, in a process and a folder of its own."""

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
def warm():
    """A process that runs lessons in copies of itself, see warm.py; nothing where processes cannot be copied."""
    if sys.platform != "linux":
        yield None
        return
    words = [sys.executable, str(Path(__file__).with_name("warm.py"))]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process


@pytest.fixture(scope="session")
def run_lesson(lesson_command, warm, tmp_path_factory):
    """`run_lesson("03_attention", folder, "--quick", "--data", "drawn", PATH="")`, from within `folder`.

    Returned is the process that has ended: its `returncode`, `stdout` and `stderr`. Further names are environment; of
    the libraries' own, which they read when they are loaded, a process that has loaded them takes no notice; with
    `fresh` they are loaded anew.
    """

    def run(name, folder, *words, fresh=False, **environment):
        command = lesson_command(name, *words)
        environment = os.environ | environment
        if warm is None or fresh:
            return subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8"
            )
        said = [tmp_path_factory.mktemp("said") / stream for stream in ("stdout", "stderr")]
        for path in said:
            path.touch()
        request = {
            "words": command[1:], "folder": str(folder), "environment": environment, "stdout": str(said[0]),
            "stderr": str(said[1]),
        }  # fmt: skip
        print(json.dumps(request), file=warm.stdin, flush=True)
        status = warm.stdout.readline()
        assert status, f"the process that runs lessons has ended, with {warm.wait()}"
        return subprocess.CompletedProcess(command, int(status), *(path.read_text(encoding="utf-8") for path in said))

    return run


@pytest.fixture(scope="session")
def record_of():
    """`record_of(folder)`: what run.json in a run folder says."""

    def read(folder):
        return json.loads(Path(folder, "run.json").read_text(encoding="utf-8"))

    return read
