"""All results as one JUnit XML file, for the instructor: a suite per student, a case per test. Keeps nothing back."""

import contextlib
from xml.etree import ElementTree

from vitkeras.files import written_whole
from vitkeras.grading.results.plain import number, points, shown

ELEMENTS = {"failed": "failure", "error": "error", "late": "error", "ended": "error", "skipped": "skipped"}


@contextlib.contextmanager
def writer(path):
    """Give a function `add(slug, results)` that writes a student's suite; the file is there when the block ends."""
    with written_whole(path) as unfinished, unfinished.open("w", encoding="utf-8") as file:
        file.write('<?xml version="1.0" encoding="utf-8"?>\n<testsuites name="vitkeras">\n')
        yield lambda slug, results: file.write(ElementTree.tostring(suite(slug, results), "unicode") + "\n")
        file.write("</testsuites>\n")


def suite(slug, results):
    tests = [test for result in results for test in result["tests"]]
    kinds = [ELEMENTS.get(test["status"], "error") for test in tests if test["status"] != "passed"]
    element = make(
        "testsuite",
        name=slug,
        tests=len(tests),
        failures=kinds.count("failure"),
        errors=kinds.count("error"),
        skipped=kinds.count("skipped"),
        time=seconds(results),
    )
    got, of = points(results)
    facts = [("student", results[0]["student"] if results else slug), ("points", number(got)), ("of", number(of))]
    keys = ("problem", "walls", "seed")
    facts += [(f"{each['exercise']}.{key}", each[key]) for each in results for key in keys if each.get(key)]
    properties = ElementTree.SubElement(element, "properties")
    properties.extend(make("property", name=name, value=value) for name, value in facts)
    element.extend(case(slug, result["exercise"], test) for result in results for test in result["tests"])
    if printed := "\n".join(f"{result['exercise']}:\n{result['output']}" for result in results if result.get("output")):
        ElementTree.SubElement(element, "system-out").text = shown(printed)
    return element


def case(slug, exercise, test):
    element = make("testcase", classname=slug, name=f"{exercise}.{test['name']}", time=seconds([test]))
    if test["status"] != "passed":
        parts = ("message", ""), ("expected", "Expected: "), ("got", "Got: ")
        outcome = make(ELEMENTS.get(test["status"], "error"), message=test.get("message", ""), type=test["status"])
        outcome.text = shown("\n".join(before + test[key] for key, before in parts if test.get(key)))
        element.append(outcome)
    return element


def seconds(parts):
    return f"{sum(part.get('seconds', 0) for part in parts):.3f}"


def make(kind, /, **attributes):
    """An element. XML can't hold control characters at all, not even escaped: they are replaced."""
    return ElementTree.Element(kind, {key: shown(value) for key, value in attributes.items()})
