"""A class that has been graded: what the grader leaves in its folder, for tests of what is made of it."""

import json
from types import SimpleNamespace

import pytest

SECRET = "the-secret-of-the-hidden-test"  # no page of a student's may hold it
SEED = "5eed5eed5eed"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAAAAADRSSBWAAAAC0lEQVR4nGNg+A8AAQIBAEK+vGgAAAAASUVORK5CYII="
HOSTILE = "<script>alert(1)</script> \x1b[31mred\x1b[0m \x1b]0;title\x07 nul\x00 \u202egnp.exe "
HOSTILE += '& "quoted" \' ]]> \ud800 \ufffe'
TEXTS = {"SECRET": SECRET, "SEED": SEED, "PNG": PNG, "HOSTILE": HOSTILE}


def a_test(title, worth=2.0, hidden=False, status="passed", **more):
    """One test's result; a hidden one that failed is full of what must not be told."""
    test = {
        "name": "test_" + title.replace(" ", "_"), "title": title, "max_points": worth, "hidden": hidden,
        "points": worth if status == "passed" else 0.0, "status": status, "hint": f"Hint on {title}.",
        "message": "", "expected": "", "got": "", "seconds": 0.125, "pictures": [],
    }  # fmt: skip
    if status != "passed":
        test |= {"message": f"{title}: it does not hold", "expected": "[1, 2]", "got": "[2, 1]"}
        test["pictures"] = [{"title": "your answer", "png": PNG}, {"title": "as expected", "png": PNG}]
    if hidden:
        test |= {key: f"{SECRET} {test[key]}" for key in ("message", "expected", "got")}
        test["pictures"] = [{"title": SECRET, "png": PNG}]
    return test | more


def a_result(student="Ana Souza", exercise="patches", statuses=("passed",) * 4, **more):
    """One student's result in one exercise: two visible tests and two hidden ones."""
    order, titles = {
        "patches": (1, ["the first patch is the top left corner", "patches are counted", "any size", "and back again"]),
        "attention": (2, ["each row sums to one", "a mask hides", "equal to the formula", "gradients too"]),
    }[exercise]
    worths, hidden = (2.0, 2.5, 2.5, 3.0), (False, False, True, True)
    tests = [a_test(*each[:3], status=each[3]) for each in zip(titles, worths, hidden, statuses, strict=True)]
    return {
        "student": student, "slug": "", "exercise": exercise, "title": exercise.capitalize(), "order": order,
        "points": sum(test["points"] for test in tests), "max_points": 10.0, "notes": [], "problem": "", "seconds": 1.5,
        "seed": SEED, "submission": "sha256:abc", "tests_fingerprint": "sha256:def", "walls": "bubblewrap: no network",
        "output": "", "tests": tests,
    } | more  # fmt: skip


def a_run():
    exercises = []
    for result in (a_result(), a_result(exercise="attention")):
        tests = [{key: test[key] for key in ("name", "title", "max_points", "hidden")} for test in result["tests"]]
        told = {key: result[key] for key in ("title", "order", "max_points")}
        exercises.append(told | {"name": result["exercise"], "tests": tests})
    return {"started": "2030-01-02 10:00", "seed": SEED, "walls": "bubblewrap", "exercises": exercises, "versions": {}}


def the_class():
    """Slug → results of one who has all, one with accents, one hostile, one who handed in nothing, one who is late."""
    missing = "patches.py was not handed in. Found: notes.txt."
    nothing = a_result("Bo Li", statuses=("failed",) * 4, problem=missing)
    for test in nothing["tests"]:
        test |= {"message": missing, "expected": "", "got": "", "pictures": []}
    hostile = a_result(HOSTILE, statuses=("failed", "passed", "error", "failed"), notes=[HOSTILE], output=HOSTILE)
    hostile["tests"][0] |= {"message": HOSTILE, "expected": HOSTILE, "got": f"line\n::error::{HOSTILE}"}
    return {
        "ana-souza": [a_result(), a_result(exercise="attention")],
        "bo-li": [nothing, a_result("Bo Li", "attention", ("failed", "passed", "failed", "failed"))],
        "chidi": [a_result("=1+1", statuses=("passed", "failed", "passed", "late"))],  # and no file for attention
        "hostile": [hostile, a_result(HOSTILE, "attention", ("ended", "ended", "ended", "skipped"))],
        "jose-avila": [
            a_result("José Ávila", statuses=("passed", "passed", "failed", "passed"), notes=["two files"]),
            a_result("José Ávila", "attention", ("passed", "late", "passed", "passed"), output="epoch 1\nepoch 2\n"),
        ],
    }


@pytest.fixture
def made():
    """What tests of the writers make results with."""
    return SimpleNamespace(
        test=a_test,
        result=a_result,
        run=a_run(),
        the_class=the_class(),
        SECRET=SECRET,
        SEED=SEED,
        HOSTILE=HOSTILE,
        PNG=PNG,
    )


@pytest.fixture
def grades(tmp_path, made):
    """GRADES as a run of the grader leaves it, before anything is written of it."""
    (tmp_path / "run.json").write_text(json.dumps(made.run), encoding="utf-8")
    for slug, results in made.the_class.items():
        folder = tmp_path / "students" / slug
        folder.mkdir(parents=True)
        for result in results:
            (folder / f"{result['exercise']}.json").write_text(json.dumps(result | {"slug": slug}), encoding="utf-8")
    return tmp_path
