import json

import pytest

from vitkeras.grading.results import gradescope

VISIBILITY = {"hidden", "after_due_date", "after_published", "visible"}
FORMATS = {"text", "simple_format", "html", "md", "ansi"}
NUMBER = (int, float)
# From "Autograder Specifications": each key, its type, and the values that are allowed where they are listed.
TOP = {
    "score": (NUMBER, None),
    "execution_time": (NUMBER, None),
    "output": (str, None),
    "output_format": (str, FORMATS),
    "test_output_format": (str, FORMATS),
    "test_name_format": (str, FORMATS),
    "visibility": (str, VISIBILITY),
    "stdout_visibility": (str, VISIBILITY),
    "extra_data": (dict, None),
    "tests": (list, None),
    "leaderboard": (list, None),
}
TEST = {
    "score": (NUMBER, None),
    "max_score": (NUMBER, None),
    "status": (str, {"passed", "failed"}),
    "name": (str, None),
    "name_format": (str, FORMATS),
    "number": (str, None),
    "output": (str, None),
    "output_format": (str, FORMATS),
    "tags": (list, None),
    "visibility": (str, VISIBILITY),
    "extra_data": (dict, None),
}


def check(given, schema):
    for key, value in given.items():
        kind, allowed = schema[key]
        assert isinstance(value, kind), key
        assert not isinstance(value, bool), key
        assert allowed is None or value in allowed, key


@pytest.fixture(params=["ana-souza", "bo-li", "chidi", "hostile", "jose-avila"])
def written(request, made, tmp_path):
    path = tmp_path / request.param / "results.json"
    gradescope.write(path, made.the_class[request.param])
    return json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)  # NaN is no JSON


def test_results_keep_to_the_schema(written):
    check(written, TOP)
    for test in written["tests"]:
        check(test, TEST)
        assert 0 <= test["score"] <= test["max_score"]


def test_the_score_is_the_sum_of_the_tests(written):
    assert written["score"] == pytest.approx(sum(test["score"] for test in written["tests"]))


def test_no_output_is_read_as_html(written):
    assert {written[key] for key in ("output_format", "test_output_format", "test_name_format")} == {"text"}


def test_what_was_printed_while_grading_is_not_for_students(written):
    assert written["stdout_visibility"] == "hidden"


def test_nothing_of_hidden_tests_or_the_seed_is_told(written, made):
    assert made.SECRET not in json.dumps(written)
    assert made.SEED not in json.dumps(written)


def test_hidden_tests_wait_for_the_grades_to_be_published(made):
    tests = gradescope.for_gradescope([made.result(statuses=("failed",) * 4)])["tests"]
    assert [test["visibility"] for test in tests] == ["visible", "visible", "after_published", "after_published"]
    assert tests[2]["output"] == "Hint: Hint on any size."


def test_tests_are_numbered_by_exercise(made):
    tests = gradescope.for_gradescope(made.the_class["ana-souza"])["tests"]
    assert [test["number"] for test in tests] == ["1.1", "1.2", "1.3", "1.4", "2.1", "2.2", "2.3", "2.4"]


def test_a_failure_tells_what_was_expected_and_what_came(made):
    (test, *_) = gradescope.for_gradescope([made.result(statuses=("failed", "passed", "passed", "passed"))])["tests"]
    assert test["status"] == "failed"
    assert test["output"].splitlines()[1:] == [
        "Expected: [1, 2]",
        "Got: [2, 1]",
        "Hint: Hint on the first patch is the top left corner.",
    ]


@pytest.mark.parametrize("status", ["failed", "error", "late", "ended", "skipped"])
def test_whatever_is_not_passed_has_failed(made, status):
    (test, *_) = gradescope.for_gradescope([made.result(statuses=(status, "passed", "passed", "passed"))])["tests"]
    assert test["status"] == "failed"
    assert test["score"] == 0


def test_a_problem_and_the_printed_text_are_in_the_output(made):
    output = gradescope.for_gradescope([made.result(problem="no file", output="hello")])["output"]
    assert "no file" in output
    assert "What the code printed:\nhello" in output
