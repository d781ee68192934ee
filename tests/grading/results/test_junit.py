from xml.etree import ElementTree

import pytest

from vitkeras.grading.results import junit
from vitkeras.grading.results.outputs import read_run, students


@pytest.fixture
def root(grades):
    run = read_run(grades)
    with junit.writer(grades / "junit.xml") as add:
        for slug, results in students(grades, run):
            add(slug, results)
    return ElementTree.parse(grades / "junit.xml").getroot()


def test_there_is_a_suite_per_student_and_a_case_per_test(root):
    assert root.tag == "testsuites"
    assert [suite.get("name") for suite in root] == ["ana-souza", "bo-li", "chidi", "hostile", "jose-avila"]
    assert {len(suite.findall("testcase")) for suite in root} == {8}
    names = [case.get("name") for case in root[0].iter("testcase")]
    assert names[0] == "patches.test_the_first_patch_is_the_top_left_corner"
    assert len(set(names)) == 8


def test_the_counts_are_those_of_the_cases(root):
    for suite in root:
        for count, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(count)) == len(suite.findall(f"testcase/{kind}"))
        assert int(suite.get("tests")) == 8


def test_failures_dead_processes_and_missed_deadlines_are_told_apart(root):
    hostile = root[3]
    assert [outcome.get("type") for outcome in hostile.findall("testcase/*")] == [
        *("failed", "error", "failed"),
        *("ended", "ended", "ended", "skipped"),
    ]
    assert (hostile.get("failures"), hostile.get("errors"), hostile.get("skipped")) == ("2", "4", "1")


def test_points_and_problems_are_properties(root):
    facts = {fact.get("name"): fact.get("value") for fact in root[1].iter("property")}
    assert facts["student"] == "Bo Li"
    assert (facts["points"], facts["of"]) == ("2.5", "20")
    assert facts["patches.problem"].startswith("patches.py was not handed in")


def test_characters_that_xml_cannot_hold_do_not_break_it(root):
    (case, *_) = root[3].findall("testcase/failure")
    assert "<script>alert(1)</script> red" in case.get("message")
    assert "nul␀" in root[3].findtext("system-out")


def test_times_are_numbers(root):
    assert all(float(case.get("time")) >= 0 for case in root.iter("testcase"))
