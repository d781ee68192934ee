import re

import pytest

from vitkeras.grading.results import charts, summary
from vitkeras.grading.results.outputs import read_run, students
from vitkeras.grading.results.tally import DISTINCT, Spread, Tally


@pytest.fixture
def tally(grades):
    run = read_run(grades)
    tally = Tally(run)
    for slug, results in students(grades, run):
        tally.add(slug, results)
    return tally


def words(page):
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL).split())


def test_the_top_tells_how_many_mean_and_median(tally):
    text = words(summary.page(tally))
    assert "Students 5 Mean 8.9 of 20 Median 4.5 of 20 Full points 1 No points 0" in text


@pytest.mark.parametrize(
    ("points", "mean", "median"), [([], 0, 0), ([3], 3, 3), ([0, 1, 1, 6], 2, 1), ([1, 2], 1.5, 1.5)]
)
def test_mean_and_median_come_from_how_often_each_number_was_had(points, mean, median):
    spread = Spread(of=10)
    for each in points:
        spread.add(each)
    assert (spread.mean(), spread.median()) == (mean, median)


@pytest.mark.parametrize("of", [0.5, 4, 10, 34, 84, 1000, 1e6])
def test_every_student_is_in_one_bar_of_the_histogram(of):
    totals = {0: 3, of / 2: 2, of * 0.999: 1, of: 4}
    edges, heights = charts.bins(totals, of)
    assert sum(heights) == 10
    assert edges[0] == 0
    assert edges[-1] == of
    assert heights[-1] >= 4
    assert len(heights) <= 12
    assert len(edges) == len(heights) + 1


def test_the_histogram_says_in_words_what_it_shows(tally):
    assert "0 to 2 points: 0 students; 2 to 4 points: 2 students; 4 to 6 points: 1 student" in summary.page(tally)


def test_the_test_that_failed_most_often_comes_first(tally):
    text = words(summary.page(tally))
    shares = [int(share) for share in re.findall(r"(\d+)%", text[text.index("The test that failed") :])]
    assert len(shares) == 8
    assert shares == sorted(shares, reverse=True)
    assert re.search(r"Any size hidden test Patches .*? 60% 2 passed, 2 failed, 1 error", text)


def test_a_test_tells_what_most_students_were_told():
    result = {"exercise": "e", "title": "E", "points": 0, "max_points": 1, "student": "x"}
    test = {"name": "t", "title": "t", "max_points": 1, "hidden": False}
    tally = Tally({"exercises": [{"name": "e", "title": "E", "max_points": 1, "tests": [test]}]})
    for message in ["rows", "columns", "columns"]:
        tally.add("x", [result | {"tests": [test | {"status": "failed", "message": message}]}])
    assert "2 times: “columns”" in words(summary.page(tally))


def test_problems_dead_processes_and_missed_deadlines_need_a_look(tally):
    needs = {slug: look for _, slug, _, look in tally.students}
    assert needs["ana-souza"] == []
    assert needs["bo-li"] == ["Patches: patches.py was not handed in. Found: notes.txt."]
    assert needs["chidi"][0] == "Patches: too late in “and back again”"
    assert "has not been graded yet" in needs["chidi"][1]
    assert any("and 1 other" in line or "in “" in line for line in needs["hostile"])
    assert needs["jose-avila"] == ["Attention: too late in “a mask hides”"]


def test_each_student_is_linked_to_the_review_and_the_feedback(tally):
    page = summary.page(tally)
    for slug in ("ana-souza", "bo-li", "chidi", "hostile", "jose-avila"):
        assert f'href="review/{slug}.html"' in page
        assert f'href="feedback/{slug}.html"' in page


def test_a_slug_with_odd_letters_is_still_a_link(made):
    tally = Tally(made.run)
    tally.add('a b"#?é', made.the_class["ana-souza"])
    assert 'href="review/a%20b%22%23%3F%C3%A9.html"' in summary.page(tally)


def test_a_problem_that_several_share_is_counted(made):
    tally = Tally(made.run)
    for slug in "abc":
        tally.add(slug, made.the_class["bo-li"])
    assert "patches.py was not handed in. Found: notes.txt. Patches 3" in words(summary.page(tally))


def test_a_class_without_students_has_a_summary_too(made):
    text = words(summary.page(Tally(made.run)))
    assert "Students 0 Mean 0 of 20" in text
    assert "Every submission was graded to its end." in text


def test_nothing_a_student_wrote_becomes_part_of_the_page(tally):
    page = summary.page(tally)
    assert "<script" not in page
    assert "\u202e" not in page
    page.encode("utf-8")
    assert "default-src &#x27;none&#x27;" in page
    assert page.count("<caption>") == page.count("<table")


def test_endlessly_different_messages_are_not_all_kept(made):
    tally = Tally(made.run)
    for number in range(3 * DISTINCT):
        result = made.result(statuses=("failed", "passed", "passed", "passed"))
        result["tests"][0]["message"] = f"message {number}"
        tally.add("x", [result])
    assert max(len(test.messages) for test in tally.tests.values()) == DISTINCT
