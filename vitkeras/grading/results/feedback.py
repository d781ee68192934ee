"""The page that a student reads: what was graded, what failed, what was expected and what came, and a hint."""

import base64
import binascii

from vitkeras.files import written_whole
from vitkeras.grading.results import charts, disclosure, pages
from vitkeras.grading.results.pages import tag
from vitkeras.grading.results.plain import number, points, shortened, shown

LONGEST = 20_000  # characters of one text
PNG = b"\x89PNG\r\n\x1a\n"


def write(path, results, for_instructor=False):
    with written_whole(path) as unfinished:
        unfinished.write_text(page(results, for_instructor), encoding="utf-8")


def page(results, for_instructor=False):
    """The page of one student, from the results of all exercises. A student's own page has no hidden test's details."""
    if not for_instructor:
        results = [disclosure.for_student(result) for result in results]
    name = results[0]["student"] if results else "No exercise"
    return pages.page(
        f"{name}: {'review' if for_instructor else 'feedback'}",
        top(name, results, for_instructor),
        [exercise(place, result) for place, result in enumerate(results, 1)],
        end(results, for_instructor),
    )


def top(name, results, for_instructor):
    got, of = points(results)
    lines = [
        tag(
            "li",
            tag("a", result["title"], href=f"#exercise-{place}"),
            charts.bar(result["points"], result["max_points"]),
            pages.score(result["points"], result["max_points"]),
        )
        for place, result in enumerate(results, 1)
    ]
    return tag(
        "header",
        tag("p", "Review: for the instructor only" if for_instructor else "Feedback", class_="over"),
        tag("div", tag("h1", tag("bdi", name)), tag("p", "Total ", pages.score(got, of)), class_="headline total"),
        charts.bar(got, of),
        tag("nav", tag("ol", lines, class_="contents"), aria_label="Exercises"),
        tag("p", tag("a", "Class summary", href="../summary.html")) if for_instructor else "",
    )


def exercise(place, result):
    tests, anchor = result["tests"], f"exercise-{place}"
    told = {index: f"{anchor}-test-{index}" for index, test in enumerate(tests) if worth_telling(test, result)}
    passed = [
        [tag("h4", pages.sentence(test["title"])), figures(test)]
        for test in tests
        if test["status"] == "passed" and figures(test)
    ]
    return tag(
        "section",
        tag("div", tag("h2", result["title"], id=anchor), pages.score(*points([result])), class_="headline"),
        charts.bar(*points([result])),
        tag("p", result["problem"], class_="problem") if result.get("problem") else "",
        [tag("p", note, class_="note") for note in result.get("notes", [])],
        table(tests, told),
        [failure(tests[index], name) for index, name in told.items()],
        pages.folded("Pictures from tests that passed", passed) if passed else "",
        printed(result.get("output", "")),
        aria_labelledby=anchor,
    )


def worth_telling(test, result):
    """Whether a test needs more than its line in the table. What holds for all tests is said once, as the problem."""
    if test["status"] == "passed":
        return False
    if problem := result.get("problem"):
        return bool(test["message"]) and test["message"] != problem
    return any(test.get(part) for part in ("message", "expected", "got", "hint", "pictures"))


def table(tests, told):
    rows = [
        (title(test, told.get(index)), pages.sign(test["status"]), pages.score(*points([test])))
        for index, test in enumerate(tests)
    ]
    passed = sum(test["status"] == "passed" for test in tests)
    caption = f"{passed} of {pages.counted(len(tests), 'test')} passed."
    if any(test["hidden"] and not test["name"] for test in tests):  # that is: on the student's page
        caption += " Of a hidden test you see its title, its points and its hint."
    return pages.table(caption, ("Test", "Result", "Points"), rows, class_="tests")


def title(test, anchor=None):
    name = pages.sentence(test["title"])
    linked = tag("a", name, href=f"#{anchor}") if anchor else name
    return [linked, " ", tag("span", "hidden test", class_="tagged")] if test["hidden"] else linked


def failure(test, anchor):
    sides = [
        tag("div", tag("h4", name), pages.box(shortened(test[key], LONGEST)))
        for name, key in (("Expected", "expected"), ("Got", "got"))
        if test.get(key)
    ]
    return tag(
        "article",
        tag("div", tag("h3", title(test), id=anchor), pages.sign(test["status"]), class_="headline"),
        message(test.get("message", "")),
        tag("div", sides, class_="sides") if sides else "",
        figures(test),
        tag("p", tag("b", "Hint: "), test["hint"], class_="hint") if test.get("hint") else "",
        class_="failure",
        aria_labelledby=anchor,
    )


def message(text):
    """A sentence reads as a sentence; what has lines of its own keeps them."""
    if "\n" in text.strip():
        return pages.box(shortened(text, LONGEST))
    return tag("p", shortened(text, LONGEST)) if text else ""


def figures(test):
    """The test's pictures, side by side. What is no PNG is left out."""
    drawn = [
        tag(
            "figure",
            tag("figcaption", picture["title"]),
            tag("img", src=f"data:image/png;base64,{picture['png']}", alt=f"{test['title']}: {picture['title']}"),
        )
        for picture in test.get("pictures", [])
        if is_png(picture["png"])
    ]
    return tag("div", drawn, class_="pictures") if drawn else ""


def is_png(text):
    try:
        return base64.b64decode(text, validate=True).startswith(PNG)
    except (binascii.Error, ValueError):
        return False


def printed(output):
    if not output:
        return ""
    lines = pages.counted(len(shown(output).splitlines()), "line")
    return pages.folded(f"What the code printed ({lines})", pages.box(shortened(output, LONGEST)))


def end(results, for_instructor):
    """How it was graded. The seed is for the instructor: who knows it knows the numbers that the tests draw."""
    facts = [("Walls around the code", unique(results, "walls"))]
    facts += [(f"{result['title']}, handed in", unique([result], "submission")) for result in results]
    if for_instructor:
        facts += [("Seed", unique(results, "seed")), ("Tests", unique(results, "tests_fingerprint"))]
        facts.append(("Seconds", [f"{result['title']}: {number(result.get('seconds', 0))}" for result in results]))
    listed = [[tag("dt", name), tag("dd", "; ".join(values))] for name, values in facts if values]
    return tag("footer", tag("h2", "How this was graded"), tag("dl", listed, class_="facts")) if listed else ""


def unique(results, key):
    return list(dict.fromkeys(str(result[key]) for result in results if result.get(key)))
