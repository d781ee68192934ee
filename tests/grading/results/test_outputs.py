import json
import tracemalloc

import pytest

from vitkeras.errors import Problem
from vitkeras.grading.results import gradescope
from vitkeras.grading.results.outputs import write_all


def files(folder):
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}


def test_all_that_is_promised_is_written_and_nothing_else(grades):
    before = set(files(grades))
    write_all(grades)
    slugs = ["ana-souza", "bo-li", "chidi", "hostile", "jose-avila"]
    names = ("feedback/{}.html", "review/{}.html", "gradescope/{}/results.json", "classroom/{}.json")
    expected = {name.format(slug) for name in names for slug in slugs}
    assert set(files(grades)) - before == expected | {"gradebook.csv", "summary.html", "junit.xml"}


def test_no_file_for_students_holds_a_hidden_detail_or_the_seed(grades, made):
    write_all(grades)
    for name, path in files(grades).items():
        if name.startswith(("feedback/", "gradescope/", "classroom/")):
            text = path.read_text(encoding="utf-8")
            assert made.SECRET not in text, name
            assert made.SEED not in text, name


def test_written_twice_it_is_the_same(grades):
    write_all(grades)
    first = {name: path.read_bytes() for name, path in files(grades).items()}
    write_all(grades)
    assert first == {name: path.read_bytes() for name, path in files(grades).items()}


def test_exercises_are_told_in_their_order(grades, made):
    run = made.run | {"exercises": made.run["exercises"][::-1]}
    (grades / "run.json").write_text(json.dumps(run))
    write_all(grades)
    assert (
        (grades / "gradebook.csv").read_text(encoding="utf-8-sig").startswith("student,slug,Patches (of 10),Attention")
    )


def test_a_missing_result_costs_all_its_points_and_none_of_its_tests(grades):
    write_all(grades)
    tests = json.loads((grades / "gradescope/chidi/results.json").read_text())["tests"]
    assert [test["score"] for test in tests[4:]] == [0, 0, 0, 0]
    assert [test["max_score"] for test in tests[4:]] == [2, 2.5, 2.5, 3]


def test_a_damaged_result_is_named_and_no_grade_is_made_up(grades):
    (grades / "students/bo-li/patches.json").write_text('{"student": "Bo')
    with pytest.raises(Problem, match=r"bo-li.patches\.json.*could not be read.*grade command again"):
        write_all(grades)
    assert not (grades / "gradebook.csv").exists()


def test_a_run_without_students_is_written_too(tmp_path, made):
    (tmp_path / "run.json").write_text(json.dumps(made.run))
    write_all(tmp_path)
    assert set(files(tmp_path)) == {"run.json", "gradebook.csv", "summary.html", "junit.xml"}


def test_memory_does_not_grow_with_the_class(tmp_path, made):
    megabyte = 1_000_000

    def peak(students):
        folder = tmp_path / str(students)
        for number in range(students):
            place = folder / "students" / f"student-{number:03}"
            place.mkdir(parents=True)
            result = made.result(output="x" * megabyte)
            (place / "patches.json").write_text(json.dumps(result))
        (folder / "run.json").write_text(json.dumps(made.run))
        tracemalloc.start()
        write_all(folder)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(1)
    assert peak(20) - peak(2) < megabyte


def test_the_numbers_are_never_made_from_outcomes_alone(made):
    """A fixture that fails must not take its points out of what could be had."""
    report = gradescope.for_gradescope([made.result(statuses=("error", "skipped", "passed", "passed"))])
    assert sum(test["max_score"] for test in report["tests"]) == 10
