"""Results as Gradescope reads them (gradescope-autograders.readthedocs.io, "Autograder Specifications").

Hidden tests are shown after the grades are published; until then Gradescope keeps back the total as well.
"""

import json

from vitkeras.files import written_whole
from vitkeras.grading.results import disclosure
from vitkeras.grading.results.plain import number, points, shortened, shown

LONGEST = 10_000  # characters of one text


def write(path, results):
    with written_whole(path) as unfinished:
        unfinished.write_text(json.dumps(for_gradescope(results), indent=1, allow_nan=False), encoding="utf-8")


def for_gradescope(results):
    """The content of results.json, from the results of one student's exercises."""
    results = [disclosure.for_student(result) for result in results]
    return {
        "score": round(points(results)[0], 4),
        "execution_time": round(sum(result.get("seconds", 0) for result in results), 3),
        "output": "\n\n".join(map(about, results)),
        "output_format": "text",  # left out, it would be read as HTML
        "test_output_format": "text",
        "test_name_format": "text",
        "stdout_visibility": "hidden",
        "tests": [
            case(test, f"{place}.{index}", result)
            for place, result in enumerate(results, 1)
            for index, test in enumerate(result["tests"], 1)
        ],
    }


def about(result):
    """What holds for an exercise as a whole."""
    lines = [f"{result['title']}: {number(result['points'])} of {number(result['max_points'])} points"]
    lines += [text for text in [result.get("problem"), *result.get("notes", [])] if text]
    if result.get("walls"):
        lines.append(f"Walls around the code: {result['walls']}")
    if result.get("output"):
        lines.append(f"What the code printed:\n{shortened(result['output'], LONGEST)}")
    return shown("\n".join(lines))


def case(test, place, result):
    return {
        "name": shown(f"{result['title']}: {test['title']}"),
        "number": place,
        "score": round(test["points"], 4),
        "max_score": round(test["max_points"], 4),
        "status": "passed" if test["status"] == "passed" else "failed",
        "output": shown(explained(test)),
        "visibility": "after_published" if test["hidden"] else "visible",
    }


def explained(test):
    parts = ("message", ""), ("expected", "Expected: "), ("got", "Got: "), ("hint", "Hint: ")
    if test["status"] == "passed":
        return ""
    return "\n".join(before + shortened(test[key], LONGEST) for key, before in parts if test.get(key))
