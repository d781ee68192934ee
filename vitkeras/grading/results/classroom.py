"""Results as GitHub Classroom's grading reporter reads them (classroom-resources/autograding-grading-reporter).

The reporter prints them into the log of a workflow, where a line that begins with `::` is a command, points among them:
it reports the points by such a line itself. So no text that a student can shape begins a line here.
"""

import json

from vitkeras.files import written_whole
from vitkeras.grading.results import disclosure
from vitkeras.grading.results.plain import on_one_line, points, shortened, shown

STATUS = {"passed": "pass", "failed": "fail"}
OLD_COMMAND = ("##[", "## [")  # one that is obeyed wherever it stands in a line
ROOM = 100_000  # characters; the results travel in an environment variable, which holds 128 KiB


def write(path, results):
    with written_whole(path) as unfinished:
        unfinished.write_text(json.dumps(fitting(results), allow_nan=False), encoding="utf-8")


def fitting(results):
    """The report with its texts cut as far as must be for it to fit into a variable, in base64."""
    for longest in (4000, 1000, 200, 0):
        report = for_classroom(results, longest)
        if len(json.dumps(report)) * 4 / 3 <= ROOM:
            break
    return report


def for_classroom(results, longest=4000):
    results = [disclosure.for_student(result) for result in results]
    tests = [case(result, test, longest) for result in results for test in result["tests"]]
    statuses = {test["status"] for test in tests} | {"error" for result in results if result.get("problem")}
    return {
        "version": 1,
        "status": "error" if "error" in statuses or not tests else "fail" if "fail" in statuses else "pass",
        "max_score": whole(points(results)[1]),
        "tests": tests,
    }


def case(result, test, longest):
    message = unspoken(shortened(test.get("message") or result.get("problem") or "", longest))
    return {
        "name": on_one_line(f"{result['title']}: {test['title']}").replace(*OLD_COMMAND),
        "status": STATUS.get(test["status"], "error"),
        "score": whole(test["points"]),
        "message": "" if test["status"] == "passed" else message,
        "test_code": explained(test, longest),
        "filename": "" if test["hidden"] else f"test_{result['exercise']}.py",
        "line_no": 0,  # unknown; the reporter shows no line then
        "execution_time": "" if test["hidden"] else f"{test.get('seconds', 0):.3f}s",
    }


def explained(test, longest):
    """What helps with a failure. The reporter prints this of every test, but the message only of errors."""
    parts = ("message", "What happened: "), ("expected", "Expected: "), ("got", "Got: "), ("hint", "Hint: ")
    if test["status"] == "passed":
        return ""
    lines = (before + shortened(test[key], longest) for key, before in parts if test.get(key))
    return unspoken("\n".join(lines))


def unspoken(text):
    """`text` with no line that the workflow would obey: a mark before each, and the older form of a command broken."""
    return "\n".join(f"| {line}" for line in shown(text).replace(*OLD_COMMAND).splitlines())


def whole(value):
    return int(value) if value == int(value) else round(value, 4)
