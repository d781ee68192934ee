"""Hand-outs and bundles: what is in them, and what must not be."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from vitkeras.errors import Misuse
from vitkeras.grading import __main__ as program
from vitkeras.grading import bundle, exercise
from vitkeras.grading.release import release

ROOT = Path(__file__).parents[2]
COURSE = Path(__file__).parent / "course"
EXERCISES = exercise.read_all(ROOT / "exercises")


@pytest.fixture(scope="module")
def hand_out(tmp_path_factory):
    out = tmp_path_factory.mktemp("release") / "hand-out"
    release(ROOT / "exercises", EXERCISES, out)
    return out


def test_a_hand_out_has_every_task_stub_and_visible_test(hand_out):
    for one in EXERCISES:
        names = {path.name for path in (hand_out / "exercises" / one.name).iterdir()}
        assert {"TASK.md", "exercise.toml", one.files[0], f"test_{one.name}.py"} <= names
    assert (hand_out / "exercises/README.md").is_file()


def test_a_hand_out_has_no_solution_and_no_hidden_test(hand_out):
    handed = {path: path.read_bytes() for path in hand_out.rglob("*") if path.is_file()}
    assert not [path for path in handed if "for_instructors" in path.parts or "hidden" in path.name]
    secrets = {path.read_bytes() for one in EXERCISES for path in one.for_instructors.iterdir() if path.is_file()}
    assert not secrets & set(handed.values())
    for path in handed:
        assert path.suffix in (".md", ".toml", ".py", ".png", ".npz")


def test_the_front_page_lists_what_is_handed_out(tmp_path):
    release(ROOT / "exercises", EXERCISES[:2], tmp_path / "out")
    for name in ("README.md", "README.pt-BR.md"):
        page = (tmp_path / "out/exercises" / name).read_text(encoding="utf-8")
        assert "(patches/TASK.md)" in page
        assert "(attention/TASK.md)" not in page


def test_a_zip_holds_the_same(hand_out, tmp_path):
    release(ROOT / "exercises", EXERCISES, tmp_path / "hand-out.zip")
    with zipfile.ZipFile(tmp_path / "hand-out.zip") as archive:
        names = set(archive.namelist())
    assert names == {path.relative_to(hand_out).as_posix() for path in hand_out.rglob("*") if path.is_file()}


def test_a_workflow_comes_along_when_asked_for(tmp_path):
    release(ROOT / "exercises", EXERCISES[:1], tmp_path / "out", classroom=True)
    assert "autograding-grading-reporter" in (tmp_path / "out/.github/workflows/classroom.yml").read_text()


@pytest.fixture
def course(tmp_path):
    return Path(shutil.copytree(COURSE, tmp_path / "course"))


def test_a_solution_in_the_place_of_the_stub_is_not_handed_out(course, tmp_path):
    shutil.copy(course / "for_instructors/sums/sums.py", course / "sums/sums.py")
    with pytest.raises(Misuse, match="no stub"):
        release(course, [exercise.read(course / "sums")], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_hidden_test_among_the_visible_ones_is_not_handed_out(course, tmp_path):
    path = course / "sums/test_sums.py"
    path.write_text(path.read_text() + "\n\n@pytest.mark.hidden\ndef test_secret():\n    pass\n")
    with pytest.raises(Misuse, match="hidden"):
        release(course, [exercise.read(course / "sums")], tmp_path / "out")


def test_somebodys_work_is_not_handed_out(course, tmp_path):
    shutil.copy(course / "for_instructors/sums/sums.py", course / "sums/mine.py")
    with pytest.raises(Misuse, match="mine.py"):
        release(course, [exercise.read(course / "sums")], tmp_path / "out")


def test_the_kit_comes_along_without_solutions(tmp_path):
    names = release(ROOT / "exercises", EXERCISES[:1], tmp_path / "out.zip", kit=True)
    assert {"kit/pyproject.toml", "kit/vitkeras/layers/attention.py", "exercises/patches/TASK.md"} <= set(names)
    assert not [name for name in names if "for_instructors" in name]


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    assert program.main(["release", str(tmp_path)]) == 2
    (tmp_path / "autograder.zip").write_text("mine")
    assert program.main(["gradescope", str(tmp_path / "autograder.zip")]) == 2
    assert program.main(["gradescope", str(tmp_path / "autograder")]) == 2


def test_the_bundle_for_gradescope_grades_a_submission(tmp_path, course):
    bundle.write(ROOT / "exercises", EXERCISES, tmp_path / "autograder.zip")
    home = tmp_path / "autograder"
    with zipfile.ZipFile(tmp_path / "autograder.zip") as archive:
        archive.extractall(home / "source")
        names = archive.namelist()
    assert {"setup.sh", "run_autograder", "pyproject.toml", "vitkeras/grading/inside/cell.py"} <= set(names)
    assert not [
        name for name in names if name.endswith(".keras") or name.endswith("for_instructors/patches/patches.py")
    ]
    shutil.rmtree(home / "source/exercises")
    shutil.copytree(course, home / "source/exercises", ignore=shutil.ignore_patterns("networks", "__pycache__"))
    (home / "python/bin").mkdir(parents=True)
    (home / "python/bin/python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (home / "python/bin/python").chmod(0o755)
    (home / "results").mkdir()
    (home / "submission").mkdir()
    shutil.copy(COURSE / "for_instructors/sums/sums.py", home / "submission/sums.py")
    subprocess.run(
        ["bash", home / "source/run_autograder"],
        check=True,
        env=os.environ | {"AUTOGRADER": str(home)},
        capture_output=True,
    )
    results = json.loads((home / "results/results.json").read_text())
    assert results["score"] == 14
    assert {test["visibility"] for test in results["tests"]} == {"visible", "after_published"}
