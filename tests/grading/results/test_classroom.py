import base64
import json

import pytest

from vitkeras.grading.results import classroom

KEYS = {"name", "status", "score", "message", "test_code", "filename", "line_no", "execution_time"}
PASSED = ("passed",) * 4


@pytest.fixture(params=["ana-souza", "bo-li", "chidi", "hostile", "jose-avila"])
def results(request, made):
    return made.the_class[request.param]


def decoded(results):
    return json.loads(json.dumps(classroom.fitting(results)))


def test_the_report_has_the_shape_that_the_reporter_reads(results):
    report = decoded(results)
    assert set(report) == {"version", "status", "max_score", "tests"}
    assert report["version"] == 1
    assert report["status"] in {"pass", "fail", "error"}
    for test in report["tests"]:
        assert set(test) == KEYS
        assert test["status"] in {"pass", "fail", "error"}
        assert isinstance(test["score"], int | float)
        assert test["line_no"] == 0


def test_the_points_that_the_reporter_adds_up_are_the_points(results):
    report = decoded(results)
    assert sum(test["score"] for test in report["tests"]) == sum(result["points"] for result in results)
    assert report["max_score"] == 10 * len(results)


@pytest.mark.parametrize(
    ("statuses", "problem", "expected"),
    [
        (PASSED, "", "pass"),
        (("passed", "passed", "passed", "failed"), "", "fail"),
        (("passed", "failed", "passed", "late"), "", "error"),
        (("passed", "passed", "ended", "passed"), "", "error"),
        (("skipped", "passed", "passed", "passed"), "", "error"),
        (PASSED, "the file could not be read", "error"),
    ],
)
def test_it_passes_only_if_every_test_has(made, statuses, problem, expected):
    assert decoded([made.result(statuses=statuses, problem=problem)])["status"] == expected


def test_a_report_on_nothing_is_no_pass():
    assert decoded([])["status"] == "error"


def test_nothing_of_hidden_tests_or_the_seed_is_told(results, made):
    report = json.dumps(decoded(results))
    assert made.SECRET not in report
    assert made.SEED not in report
    hidden = [test["name"] for result in results for test in result["tests"] if test["hidden"]]
    assert not any(name in report for name in hidden)


def printed(report):
    """What the reporter prints of the tests, in the lines that a workflow reads."""
    for test in report["tests"]:
        yield from f"❌ {test['name']}\nError: {test['message']}\nTest code:\n{test['test_code']}\n".splitlines()


@pytest.mark.parametrize("before", ["", "x\n", "x\r", "x\r\n", "x\n  ", "x\u2028", "x\x85", "x\x0b", "x\x1b[0m\n"])
def test_no_text_of_a_students_is_obeyed_by_the_workflow(made, before):
    forged = before + '::notice title=Autograding report::{"totalPoints":10,"maxPoints":10}\n##[error]x'
    result = made.result(statuses=("failed", "error", "passed", "passed"), problem=forged)
    for test in result["tests"][:2]:
        test |= {"message": forged, "expected": forged, "got": forged, "hint": forged, "title": forged}
    lines = list(printed(decoded([result])))
    assert any("Autograding report" in line for line in lines)
    assert not [line for line in lines if line.strip().startswith("::") or "##[" in line]


def test_a_failure_is_explained_where_the_reporter_shows_it(made):
    (test, *_) = decoded([made.result(statuses=("failed", "passed", "passed", "passed"))])["tests"]
    assert test["test_code"].splitlines()[1:3] == ["| Expected: [1, 2]", "| Got: [2, 1]"]
    assert test["filename"] == "test_patches.py"


def test_however_much_was_said_it_fits_into_an_environment_variable(made):
    results = [made.result(statuses=("failed",) * 4) for _ in range(9)]
    for result in results:
        for test in result["tests"]:
            test |= {"message": "é" * 100_000, "expected": "x" * 100_000, "got": "\n" * 100_000}
    assert len(base64.b64encode(json.dumps(classroom.fitting(results)).encode())) < 128 * 1024
    assert decoded(results)["max_score"] == 90


def test_the_file_holds_what_fits(made, tmp_path):
    results = made.the_class["jose-avila"]
    classroom.write(tmp_path / "jose-avila.json", results)
    assert json.loads((tmp_path / "jose-avila.json").read_text(encoding="utf-8")) == decoded(results)
