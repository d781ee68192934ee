"""Everything that is written of a run: `write_all`."""

import contextlib
import json
from pathlib import Path

from vitkeras.errors import Problem
from vitkeras.grading.results import classroom, feedback, gradebook, gradescope, junit, summary
from vitkeras.grading.results.tally import Tally


def write_all(grades):
    """From GRADES/run.json and GRADES/students, write gradebook, pages and reports into GRADES.

    One student's results are in memory at a time, so that a large class needs no more of it than a small one.
    """
    grades = Path(grades)
    run = read_run(grades)
    tally = Tally(run)
    with contextlib.ExitStack() as open_files:
        add_row = open_files.enter_context(gradebook.writer(grades / "gradebook.csv", run))
        add_suite = open_files.enter_context(junit.writer(grades / "junit.xml"))
        for slug, results in students(grades, run):
            for add in (add_row, add_suite, tally.add):
                add(slug, results)
            write_student(grades, slug, results)
    summary.write(grades / "summary.html", tally)


def write_student(grades, slug, results):
    """The files of one student."""
    feedback.write(grades / "feedback" / f"{slug}.html", results)
    feedback.write(grades / "review" / f"{slug}.html", results, for_instructor=True)
    gradescope.write(grades / "gradescope" / slug / "results.json", results)
    classroom.write(grades / "classroom" / f"{slug}.json", results)


def read_run(grades):
    run = read(Path(grades) / "run.json")
    return run | {"exercises": sorted(run["exercises"], key=lambda each: (each["order"], each["name"]))}


def students(grades, run):
    """Each student's slug and results, the exercises in their order."""
    folder = Path(grades) / "students"
    for place in sorted(folder.iterdir()) if folder.is_dir() else []:
        if place.is_dir():
            yield place.name, results_of(place, run)


def results_of(place, run):
    """The results in a student's folder; where there is none, one that says so and has no points."""
    found = {each["name"]: place / f"{each['name']}.json" for each in run["exercises"]}
    results = {name: read(path) for name, path in found.items() if path.is_file()}
    student = next((result["student"] for result in results.values()), place.name)
    return [results.get(each["name"]) or ungraded(each, student, place.name) for each in run["exercises"]]


def ungraded(exercise, student, slug):
    problem = (
        f"This exercise has not been graded yet: run grade again, for all exercises or --exercise {exercise['name']}."
    )
    nothing = {"points": 0, "status": "failed", "hint": "", "message": problem, "expected": "", "got": ""}
    return {
        "student": student,
        "slug": slug,
        "exercise": exercise["name"],
        "title": exercise["title"],
        "order": exercise["order"],
        "points": 0,
        "max_points": exercise["max_points"],
        "problem": problem,
        "notes": [],
        "tests": [test | nothing | {"seconds": 0, "pictures": []} for test in exercise["tests"]],
    }


def read(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise Problem(
            f"{path} could not be read: {fault}. It is written by `python -m vitkeras.grading grade`: "
            "remove it, and run the same grade command again."
        ) from fault
