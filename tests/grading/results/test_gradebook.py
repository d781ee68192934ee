import csv
import json

import pytest

from vitkeras.grading.results import gradebook
from vitkeras.grading.results.outputs import read_run, students


@pytest.fixture
def rows(grades):
    """The gradebook, as a spreadsheet reads it: a dict per row."""
    run = read_run(grades)
    with gradebook.writer(grades / "gradebook.csv", run) as add:
        for slug, results in students(grades, run):
            add(slug, results)
    with (grades / "gradebook.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_there_is_a_row_per_student_and_a_column_per_exercise_in_order(rows):
    assert [row["slug"] for row in rows] == ["ana-souza", "bo-li", "chidi", "hostile", "jose-avila"]
    assert list(rows[0]) == ["student", "slug", "Patches (of 10)", "Attention (of 10)", "total", "of", "notes"]


def test_points_are_plain_numbers_with_a_dot(rows):
    assert [row["Patches (of 10)"] for row in rows] == ["10", "0", "4.5", "2.5", "7.5"]
    assert [row["total"] for row in rows] == ["20", "2.5", "4.5", "2.5", "15"]
    assert {row["of"] for row in rows} == {"20"}


def test_an_exercise_without_a_result_is_zero_and_named(rows):
    (chidi,) = (row for row in rows if row["slug"] == "chidi")
    assert chidi["Attention (of 10)"] == "0"
    assert "Attention" in chidi["notes"]
    assert all(row[column] != "" for row in rows for column in row if column != "notes")


def test_the_file_begins_with_the_mark_by_which_spreadsheets_know_accents(rows, grades):
    assert (grades / "gradebook.csv").read_bytes().startswith("\ufeff".encode())
    assert rows[-1]["student"] == "José Ávila"


def test_a_name_is_never_computed(rows):
    assert rows[2]["student"] == "'=1+1"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1", "=\u202e1"])
def test_a_cell_that_begins_like_a_formula_is_text(text):
    assert gradebook.cell(text).startswith("'")


@pytest.mark.parametrize("text", ["Ana", "3-2=1", "a@b", "José, o “outro”"])
def test_other_cells_stay_as_they_are(text):
    assert gradebook.cell(text) == text


def test_whatever_stands_in_a_name_or_a_note_the_table_keeps_its_shape(tmp_path, made):
    hostile = 'a,"b"\r\nc;\x00\ud800,=1'
    with gradebook.writer(tmp_path / "book.csv", made.run) as add:
        add("x", [made.result(hostile, notes=[hostile]), made.result(hostile, "attention")])
    with (tmp_path / "book.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert [len(row) for row in rows] == [7, 7]
    assert not any(character in cell for row in rows for cell in row for character in "\r\n\0")


def test_a_run_that_fails_midway_leaves_the_old_gradebook(grades):
    (grades / "gradebook.csv").write_text("old")

    def fail():
        with gradebook.writer(grades / "gradebook.csv", json.loads((grades / "run.json").read_text())):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (grades / "gradebook.csv").read_text() == "old"
