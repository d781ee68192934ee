import subprocess
import sys

import pytest

from vitkeras import errors

PROGRAM = """
from vitkeras.errors import Interrupted, Misuse, Problem, speak_plainly
speak_plainly()
raise {fault}
"""


def run(fault):
    return subprocess.run([sys.executable, "-c", PROGRAM.format(fault=fault)], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("fault", "code"), [("Problem('no more')", 1), ("Misuse('no more')", 2), ("Interrupted('no more')", 130)]
)
def test_a_problem_ends_with_its_text_and_code_and_without_a_traceback(fault, code):
    done = run(fault)
    assert done.returncode == code
    assert "no more" in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_before_anything_was_saved_says_so():
    done = run("KeyboardInterrupt")
    assert done.returncode == 130
    assert "Traceback" not in done.stderr


def test_a_bug_keeps_its_traceback():
    done = run("ZeroDivisionError('a bug')")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "a bug" in done.stderr


def test_in_a_notebook_ctrl_c_and_a_problem_are_one_message_each(capsys):
    errors.tell_in_notebook(None, KeyboardInterrupt, KeyboardInterrupt(), None)
    errors.tell_in_notebook(None, errors.Misuse, errors.Misuse("no such folder"), None)
    stopped, problem = capsys.readouterr().err.splitlines()
    assert stopped.startswith("stopped: ")
    assert "--resume" in stopped
    assert problem == "error: no such folder"
