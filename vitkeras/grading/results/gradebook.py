"""The gradebook as CSV: a row per student, a column per exercise, a total. Opens in a spreadsheet, accents and all."""

import contextlib
import csv

from vitkeras.files import written_whole
from vitkeras.grading.results.plain import number, on_one_line, points

FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # a cell that begins so would be computed, not read


@contextlib.contextmanager
def writer(path, run):
    """Give a function `add(slug, results)` that writes a student's row; the file is there when the block ends."""
    titles = [f"{each['title']} (of {number(each['max_points'])})" for each in run["exercises"]]
    with written_whole(path) as unfinished, unfinished.open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(map(cell, ["student", "slug", *titles, "total", "of", "notes"]))

        def add(slug, results):
            by_name = {result["exercise"]: result for result in results}
            nothing = {"points": 0}  # what has no result is 0, never an empty cell
            own = [each | nothing | by_name.get(each["name"], {}) for each in run["exercises"]]
            total, of = points(own)
            name = results[0]["student"] if results else slug
            grades = [number(each["points"]) for each in own]
            said = cell(" · ".join(notes(results)))
            rows.writerow([cell(name), cell(slug), *grades, number(total), number(of), said])

        yield add


def notes(results):
    """Problems and notes, each with the exercise that it belongs to."""
    return [
        f"{result['title']}: {on_one_line(text)}"
        for result in results
        for text in [result.get("problem"), *result.get("notes", [])]
        if text
    ]


def cell(text):
    """`text` as a cell that no spreadsheet takes for a formula, nor for two cells where semicolons part them."""
    text = str(text)
    return ("'" if text.lstrip(" ").startswith(FORMULA) else "") + on_one_line(text).replace(";", ",")
