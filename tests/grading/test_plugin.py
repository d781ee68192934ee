"""What a student sees: `pytest exercises/sums`, in a folder as it is handed out."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COURSE = Path(__file__).parent / "course"


@pytest.fixture
def hand_out(tmp_path):
    folder = tmp_path / "exercises"
    shutil.copytree(COURSE, folder, ignore=shutil.ignore_patterns("conftest.py", "networks", "__pycache__"))
    return folder


def tried(folder, *words):
    """pytest's exit code and what it prints, as a student starts it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *words], cwd=folder.parent, capture_output=True, text=True, env=environment
    )
    return ended.returncode, ended.stdout + ended.stderr


def test_a_stub_earns_nothing_and_every_failure_names_what_to_write(hand_out):
    code, said = tried(hand_out, "exercises/sums")
    assert code == 1
    assert said.count("NotImplementedError: sums.py: write ") == 2
    assert re.search(r"\b0 of 3 +in all", said)
    assert "hint:     Twice as much." in said


def test_a_failure_says_what_was_expected_and_what_came_and_shows_no_frames(hand_out):
    (hand_out / "sums/sums.py").write_text("def double(array):\n    print('I was here')\n    return 3 * array\n")
    _, said = tried(hand_out, "exercises/sums")
    assert re.search(r"expected: .*\ngot:  ", said)
    assert "12 of 12 values differ" in said
    assert "I was here" in said
    assert not re.search(r"Traceback|\.py:\d+: |^>|^E  ", said, re.MULTILINE)


def test_a_solution_passes_and_the_points_are_added(hand_out):
    shutil.copy(COURSE / "for_instructors/sums/sums.py", hand_out / "sums/sums.py")
    code, said = tried(hand_out, "exercises")
    assert code == 0
    assert re.search(r"\b3 of 3 +in all", said)


def test_hidden_tests_run_when_they_are_named(hand_out):
    words = ["exercises/sums", "exercises/for_instructors/sums", "--submission", "exercises/for_instructors/sums"]
    code, said = tried(hand_out, *words)
    assert code == 0
    assert re.search(r"\b14 of 14 +in all", said)


def test_other_tests_in_the_same_run_are_left_alone(hand_out):
    (hand_out.parent / "test_own.py").write_text("def test_one():\n    assert 1 == 2\n")
    _, said = tried(hand_out, "test_own.py", "exercises/sums")
    assert "assert 1 == 2" in said
    assert re.search(r"\b0 of 3 +in all", said)


def test_a_folder_that_is_not_there_is_told(hand_out):
    code, said = tried(hand_out, "exercises/sums", "--submission", "nowhere")
    assert code not in (0, 1) or "is no folder" in said
    assert "nowhere is no folder" in said


def test_a_mistake_in_the_file_comes_without_hints_and_a_test_that_was_not_run_says_so(hand_out):
    (hand_out / "sums/sums.py").write_text("def double(array:\n")
    _, said = tried(hand_out, "exercises/sums", "-x")
    assert "is no Python" in said
    assert "Twice as much" not in said
    assert "not run" in said


def test_a_missing_file_is_told(hand_out):
    (hand_out / "sums/sums.py").unlink()
    code, said = tried(hand_out, "exercises/sums")
    assert code == 1
    assert "sums.py was not handed in" in said


def test_a_broken_description_is_told(hand_out):
    path = hand_out / "sums/exercise.toml"
    path.write_text(path.read_text().replace("order = 1", "ordre = 1"))
    code, said = tried(hand_out, "exercises/sums")
    assert code not in (0, 1)
    assert "unknown: ordre" in said
    assert "Traceback" not in said


def test_every_exercise_of_the_course_has_what_a_student_needs():
    from vitkeras.grading import exercise

    exercises = exercise.read_all(Path(__file__).parents[2] / "exercises")
    assert [one.name for one in exercises] == [
        "patches", "positions", "attention", "encoder_block", "vit", "shapes", "mnist_995", "attention_maps",
        "pretrained",
    ]  # fmt: skip
    for one in exercises:
        assert f"pytest exercises/{one.name}" in (one.folder / "TASK.md").read_text(encoding="utf-8")
        stub = (one.folder / one.files[0]).read_text(encoding="utf-8")
        assert f'NotImplementedError("{one.files[0]}: write ' in stub
        assert json.dumps(one.limits)
        assert len(one.tests) == 2
