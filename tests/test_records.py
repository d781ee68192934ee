"""The numbers on the front page are those of the records."""

import csv
import json
import re
from pathlib import Path

import pytest

from vitkeras.benchmark.attention import layer_rows
from vitkeras.benchmark.classify import cold_rows, throughput_rows
from vitkeras.benchmark.grading import rows as grading_rows
from vitkeras.benchmark.shapes import rows as shape_rows
from vitkeras.benchmark.tr02c import epoch_rows

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "lessons" / "results"
README = (ROOT / "README.md").read_text(encoding="utf-8")


def as_line(cells):
    return "| " + " | ".join(cells) + " |"


@pytest.mark.parametrize(("name", "title"), [("tr02c-mnist", "MNIST"), ("tr02c-drawn", "drawn digits (not MNIST)")])
def test_the_accuracy_of_tr02c_is_the_recorded_one(name, title):
    record = json.loads((RESULTS / name / "run.json").read_text(encoding="utf-8"))
    assert f"**{100 * record['results']['test_accuracy']:.2f}%**" in README
    assert record["command"].replace(" --out runs/record-tr02c", "") in README
    assert record["data"]["title"] == title
    with open(RESULTS / name / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in rows] == list(range(1, record["epochs"] + 1))


def test_the_benchmark_on_the_front_page_is_the_recorded_one():
    figures = json.loads((RESULTS / "benchmark-tr02c.json").read_text(encoding="utf-8"))
    for cells in [*epoch_rows(figures["epochs"]), *layer_rows(figures["layers"])]:
        assert as_line(cells) in README


def test_the_speed_of_drawing_shapes_on_the_front_page_is_the_recorded_one():
    one, two = list(shape_rows(json.loads((RESULTS / "benchmark-shapes.json").read_text(encoding="utf-8"))))
    assert f"{one[0]} in {two[2].replace(' (', ' s (')} on two cores" in README
    assert f"{one[2].replace(' (', ' s (')} on one" in README.replace("\n", " ")


def test_the_speed_of_grading_is_the_recorded_one_and_both_ways_gave_the_same_points():
    figures = json.loads((RESULTS / "benchmark-grading.json").read_text(encoding="utf-8"))
    for cells in grading_rows(figures):
        assert as_line(cells) in README
    assert figures["students"] == sum(part["students"] for part in figures["rounds"]) == 300
    assert not any(part["different"] for part in figures["rounds"])


def test_the_speed_of_classify_is_the_recorded_one():
    figures = json.loads((RESULTS / "benchmark-classify.json").read_text(encoding="utf-8"))
    for cells in [*throughput_rows(figures), *cold_rows(figures)]:
        assert as_line(cells) in README


@pytest.mark.parametrize("file", list(RESULTS.rglob("*.json")), ids=lambda path: path.relative_to(RESULTS).as_posix())
def test_a_record_says_command_machine_data_and_date_and_names_no_folder_of_one_machine(file):
    text = file.read_text(encoding="utf-8")
    record = json.loads(text)
    assert record["command"].startswith("python ")
    assert record["machine"]
    assert record["data"]
    assert record["versions"]
    assert record.get("date") or record.get("started")
    assert not re.search(r"(?<![\w.:/])(/\w+/|[A-Z]:\\)", text)  # an absolute path
