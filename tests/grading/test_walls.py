"""Processes of students, behind walls and without: they answer, end in time, and leave nothing."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from vitkeras.errors import Misuse
from vitkeras.grading import exercise, walls
from vitkeras.grading.student import Ended, Raised, Student, TooLate

COURSE = Path(__file__).parent / "course"


@pytest.fixture(scope="module")
def sums():
    return exercise.read(COURSE / "sums")


@pytest.fixture(scope="module", params=["bubblewrap", "limits only", "none"])
def place(request, sums):
    if request.param == "bubblewrap" and walls.bubblewrap_lacks():
        pytest.skip(walls.bubblewrap_lacks())
    kinds = {"bubblewrap": lambda: walls.Bubblewrap(sums), "none": lambda: walls.best(sums, open_to_all=True)}
    place = kinds.get(request.param, lambda: walls.Open(sums, "only limits"))()
    yield place
    place.close()


@pytest.fixture
def student_with(place, sums, tmp_path):
    students = []

    def handing_in(source):
        path = tmp_path / f"{len(students)}.py"
        path.write_text(source)
        students.append(Student(place, sums, {"sums.py": path}, "a seed"))
        return students[-1]

    yield handing_in
    for student in students:
        student.close()


def test_a_call_is_answered_with_plain_data(student_with):
    student = student_with("def double(array, *, more=0): return [2 * array, {'a': (1, None, True, 'ç')}, more]")
    array, plain, more = student.double(np.arange(3.0), more=2.5)
    np.testing.assert_array_equal(array, [0, 2, 4])
    assert (plain, more) == ({"a": [1, None, True, "ç"]}, 2.5)


def test_dtypes_and_shapes_arrive_as_they_were(student_with):
    student = student_with("def double(array): return array")
    for array in (
        np.zeros((0, 3), "uint8"),
        np.float16(2),
        np.arange(6).reshape(2, 3).T,
        np.array([1 + 2j]),
        np.ones(2) > 0,
    ):
        got = student.double(np.asarray(array))
        assert (got.dtype, got.shape) == (np.asarray(array).dtype, np.asarray(array).shape)
        np.testing.assert_array_equal(got, array)


def test_an_error_is_told_with_its_line(student_with):
    with pytest.raises(Raised, match=r"ValueError: no such luck \(sums.py, line 2: raise ValueError"):
        student_with("def double(array):\n    raise ValueError('no such luck')").double(1)


def test_a_late_call_is_ended_and_the_next_one_answered(student_with):
    student = student_with("def double(array):\n    while array: pass\n    return 5")
    with pytest.raises(TooLate, match="longer than 2 seconds"):
        student.double(1)
    assert student.double(0) == 5


def test_a_process_that_ends_is_told_and_the_next_call_answered(student_with):
    student = student_with("import os\ndef double(array):\n    return 5 if array else os._exit(7)")
    with pytest.raises(Ended, match="exit code 7"):
        student.double(0)
    assert student.double(1) == 5


def test_what_cannot_be_loaded_is_not_loaded_again_for_each_test(student_with):
    student = student_with("print('once')\nraise ImportError('no such thing')")
    for _ in range(3):
        with pytest.raises(Raised, match="no such thing"):
            student.double(1)
    assert student.printed().count("once") == 1


def test_too_much_memory_is_refused(student_with):
    with pytest.raises((Raised, Ended), match="(?i)memory"):
        student_with("import numpy as np\ndef double(array): return np.ones(10**9)").double(1)


def test_nothing_is_left_behind(student_with):
    student = student_with("import os\ndef double(array): open('x', 'w').close(); return os.getcwd()")
    folder = Path(student.double(1))
    student.close()
    assert not folder.exists()


def test_without_bubblewrap_the_report_says_so(sums, monkeypatch):
    monkeypatch.setattr(walls, "bubblewrap_lacks", lambda: "bubblewrap is not installed")
    monkeypatch.setattr(walls, "everyone_has_python", lambda: True)
    description = walls.best(sums).description
    assert description.startswith("limits on time and memory")
    assert "bubblewrap is not installed" in description
    assert "network" in description


def test_strangers_code_never_runs_as_root(sums, monkeypatch):
    monkeypatch.setattr(walls, "bubblewrap_lacks", lambda: "bubblewrap is not installed")
    monkeypatch.setattr(walls, "everyone_has_python", lambda: False)
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)
    with pytest.raises(Misuse, match="would run as root"):
        walls.best(sums)
    monkeypatch.setattr(walls, "everyone_has_python", lambda: True)
    assert walls.best(sums, slot=3).user == walls.STRANGER + 3
    monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)
    assert walls.best(sums).user is None


def test_bubblewrap_that_does_not_work_is_noticed(monkeypatch, tmp_path):
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho 'No permissions to create new namespace' >&2\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert "No permissions" in walls.bubblewrap_lacks.__wrapped__()
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "not installed" in walls.bubblewrap_lacks.__wrapped__()


@pytest.mark.skipif(bool(walls.bubblewrap_lacks()), reason="bubblewrap")
def test_exercises_within_pythons_own_folder_are_refused(sums, monkeypatch):
    monkeypatch.setattr(walls, "python_folders", lambda: [str(COURSE.parent)])
    with pytest.raises(Misuse, match="Move one of them"):
        walls.Bubblewrap(sums)


@pytest.mark.skipif(bool(walls.bubblewrap_lacks()), reason="bubblewrap")
def test_nothing_of_the_machine_is_seen_but_python(sums):
    listed = subprocess.run([*walls.bwrap_arguments(), "/bin/ls", "/"], capture_output=True, text=True, check=True)
    allowed = {"bin", "dev", "etc", "kit", "lib", "lib32", "lib64", "proc", "sbin", "scratch", "tmp", "usr"}
    allowed |= {Path(folder).parts[1] for folder in walls.python_folders()}
    assert set(listed.stdout.split()) <= allowed
