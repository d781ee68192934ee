"""The class at a glance, for the instructor: how the points lie, which tests failed how often, who needs a look."""

import urllib.parse

from vitkeras.files import written_whole
from vitkeras.grading.results import charts, pages
from vitkeras.grading.results.pages import SIGNS, counted, tag
from vitkeras.grading.results.plain import number

COMMON = 10  # problems that are listed


def write(path, tally):
    with written_whole(path) as unfinished:
        unfinished.write_text(page(tally), encoding="utf-8")


def page(tally):
    return pages.page("Class summary", top(tally), exercises(tally), looks(tally), tests(tally), students(tally))


def section(name, *inside):
    anchor = name.lower().replace(" ", "-")
    return tag("section", tag("h2", name, id=anchor), inside, aria_labelledby=anchor)


def top(tally):
    totals = tally.totals
    several = len(tally.exercises) > 1
    of = tag("small", " of ", number(totals.of))
    figures = [
        ("Students", tally.totals.counts.total()),
        ("Mean", [number(totals.mean()), of]),
        ("Median", [number(totals.median()), of]),
        ("Full points", totals.full()),
        ("No points", totals.counts[0]),
    ]
    listed = [tag("div", tag("dt", name), tag("dd", value)) for name, value in figures]
    return tag(
        "header",
        tag("p", "For the instructor only", class_="over"),
        tag("h1", "Class summary"),
        tag("p", "Graded ", tally.run.get("started", ""), class_="quiet") if tally.run.get("started") else "",
        tag("dl", listed, class_="figures"),
        charts.histogram(totals.counts, totals.of, "Students by total points" if several else "Students by points"),
    )


def exercises(tally):
    rows = [
        (
            each["title"],
            pages.score(spread.mean(), spread.of),
            number(spread.median()),
            charts.small_histogram(spread.counts, spread.of),
            spread.full(),
            tally.ungraded[each["name"]],
        )
        for each in tally.run["exercises"]
        for spread in [tally.exercises[each["name"]]]
    ]
    head = ("Exercise", "Mean", "Median", "Spread, 0 to full", "Full points", "Not graded")
    table = pages.table("Points of each exercise.", head, rows)
    return section(
        "Exercises", tag("div", table, class_="scroll wide", role="region", aria_label="Points", tabindex="0")
    )


def looks(tally):
    """Submissions with a problem, dead processes and missed deadlines; the problems that many share come first."""
    rows = [
        (review(name, slug), tag("ul", [tag("li", line) for line in look], class_="plain"))
        for name, slug, _, look in tally.students
        if look
    ]
    if not rows:
        return section("Need a look", tag("p", "Every submission was graded to its end."))
    common = [(text, title, many) for (title, text), many in tally.problems.most_common(COMMON) if many > 1]
    shared = pages.table("Problems that several share.", ("Problem", "Exercise", "Students"), common) if common else ""
    caption = "Could not be graded, ended on its own, or took too long."
    listed = pages.table(caption, ("Student", "What happened"), rows)
    return section("Need a look", shared, pages.folded(counted(len(rows), "submission"), listed, open=len(rows) <= 15))


def tests(tally):
    ordered = sorted(tally.tests.values(), key=lambda test: -test.share())
    caption = "The test that failed most often comes first."
    rows = [line(test) for test in ordered]
    return section("Tests", legend(), pages.table(caption, ("Test", "Did not pass"), rows, class_="half"))


def line(test):
    text, many = test.most_said()
    name = [
        pages.sentence(test.title),
        " ",
        tag("span", "hidden test", class_="tagged") if test.hidden else "",
        tag("div", test.exercise, class_="quiet small"),
        tag("div", f"{many} times: “{text}”", class_="quiet small") if text else "",
    ]
    counts = [f"{test.statuses[status]} {SIGNS[status][1]}" for status in SIGNS if test.statuses[status]]
    share = tag("div", tag("b", f"{100 * test.share():.0f}%"), class_="share")
    return name, [share, charts.shares(test.statuses), tag("div", ", ".join(counts), class_="quiet small")]


def legend():
    keys = [
        tag("span", tag("i", class_=status), words, class_="key")
        for status, (_, words) in SIGNS.items()
        if status != "passed"
    ]
    return tag("p", keys, class_="legend", aria_hidden="true")


def students(tally):
    rows = [
        (review(name, slug), pages.score(total, tally.totals.of), tag("a", "feedback", href=address("feedback", slug)))
        for name, slug, total, _ in tally.students
    ]
    caption = "A name leads to the review with all details; “feedback” is what the student reads."
    return section("Students", pages.table(caption, ("Student", "Points", "Student's page"), rows))


def review(name, slug):
    return tag("a", tag("bdi", name), href=address("review", slug))


def address(folder, slug):
    return f"{folder}/{urllib.parse.quote(slug)}.html"
