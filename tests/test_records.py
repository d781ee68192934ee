"""The numbers on the front page are those of the records."""

import csv
import json
import re
import statistics
from pathlib import Path

import pytest

from vitkeras.benchmark import cluster, cost, demo
from vitkeras.benchmark.attention import layer_rows
from vitkeras.benchmark.classify import cold_rows, throughput_rows
from vitkeras.benchmark.grading import rows as grading_rows
from vitkeras.benchmark.shapes import rows as shape_rows
from vitkeras.benchmark.tr02c import epoch_rows
from vitkeras.runs import duration

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "lessons" / "results"
README = (ROOT / "README.md").read_text(encoding="utf-8")
README_PT = (ROOT / "README.pt-BR.md").read_text(encoding="utf-8")
BENCHMARKS = (ROOT / "vitkeras" / "benchmark" / "README.md").read_text(encoding="utf-8")


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


def figures_of(name):
    return json.loads((RESULTS / f"benchmark-{name}.json").read_text(encoding="utf-8"))


def test_the_table_of_the_lectures_program_is_the_recorded_one():
    figures = figures_of("tr02c")
    for cells in [*epoch_rows(figures["epochs"]), *layer_rows(figures["layers"])]:
        assert as_line(cells) in BENCHMARKS


def test_the_speed_of_drawing_shapes_is_the_recorded_one():
    one, two = list(shape_rows(figures_of("shapes")))
    assert f"{one[0]} in {two[2].replace(' (', ' s (')} on two cores" in BENCHMARKS
    assert f"{one[2].replace(' (', ' s (')} on one" in BENCHMARKS.replace("\n", " ")


def test_the_speed_of_grading_is_the_recorded_one_and_both_ways_gave_the_same_points():
    figures = figures_of("grading")
    for cells in grading_rows(figures):
        assert as_line(cells) in BENCHMARKS
    assert figures["students"] == sum(part["students"] for part in figures["rounds"]) == 300
    assert not any(part["different"] for part in figures["rounds"])


def test_the_speed_of_classify_is_the_recorded_one():
    figures = figures_of("classify")
    for cells in [*throughput_rows(figures), *cold_rows(figures)]:
        assert as_line(cells) in BENCHMARKS


def test_the_tables_of_cost_are_the_recorded_ones_and_pytorch_computed_the_same():
    for figures in figures_of("cost")["precisions"].values():
        for row in figures["rows"]:
            assert as_line(cost.cells(row, cost.best(figures["rows"]))) in BENCHMARKS
        for part in cost.PARTS:
            ours = [f"{of_kind[part]:.1f}" for of_kind in figures["parts"].values()]
            assert any(line.startswith(f"| {part} |") and " | ".join(ours) in line for line in BENCHMARKS.splitlines())
    float32 = figures_of("cost")["precisions"]["float32"]["rows"]
    assert max(row.get("largest difference of logits", 0) for row in float32) < 4e-6


def test_the_speeds_on_the_front_page_are_those_of_the_tables():
    epochs = {tuple(cells[:2]): cells[4] for cells in epoch_rows(figures_of("tr02c")["epochs"])}
    photos = {tuple(cells[:2]): cells[3] for cells in throughput_rows(figures_of("classify"))}
    expected = [
        epochs["ours", "float32"], epochs["ours", "bfloat16"], list(grading_rows(figures_of("grading")))[1][3],
        photos["deit_tiny", "classify"], photos["deit_base", "classify"],
    ]  # fmt: skip
    table = README.split("## How fast")[1].split("\n## ")[0]
    assert [line.strip("| ").split(" | ")[-1] for line in table.splitlines() if line.startswith("| ")][1:] == expected


def test_the_pages_answers_are_the_recorded_ones_and_come_within_150_ms():
    stroke, _, _, pair = rows = list(demo.rows(figures_of("demo")))
    for cells in rows:
        assert as_line(cells) in BENCHMARKS
    assert (
        f"{stroke[1]} ms (95 of 100 within {stroke[2]} ms), one to a pair of shapes {pair[1]} ms ({pair[2]} ms)"
        in README
    )
    assert all(int(cells[2]) <= 150 for cells in rows)


def test_what_a_second_node_brings_is_recorded():
    rows = list(cluster.rows(figures_of("cluster")))
    for cells in rows:
        assert as_line(cells) in BENCHMARKS
    quicker, overhead = rows[1][4].replace(" (", " times as fast as one ("), rows[1][3]
    last = " ".join(README.split("## From a laptop")[1].split())
    assert quicker in last
    assert overhead.replace(" (", " s of a core's time a task (") in last


@pytest.mark.parametrize(("page", "comma"), [(README, ","), (README_PT, ".")])
def test_the_plan_for_many_machines_is_worked_out_from_the_records(page, comma):
    parts = figures_of("grading")["rounds"]
    submission = round(sum(part["our_seconds"] for part in parts) / sum(part["students"] for part in parts), 2)
    ours = next(row for row in figures_of("tr02c")["epochs"] if (row["way"], row["precision"]) == ("ours", "float32"))
    epoch = round(statistics.median(ours["seconds"]), 1)  # as the page shows it, so that a reader gets the same
    works = (10_000 * submission, 1_000 * 3 * epoch, 1_000 * 60 * epoch)
    table = page[page.rindex("\n## ") :]
    for machines in (1, 10, 100):
        assert f"| {' | '.join(duration(work / machines) for work in works)} |" in table
    core_hours = (f"{2 * works[0] / 3600:.1f}", f"{2 * works[1] / 3600:.0f}", f"{2 * works[2] / 3600:,.0f}")
    if comma == ".":
        core_hours = [number.translate(str.maketrans(",.", ".,")) for number in core_hours]
    assert f"| {' | '.join(core_hours)} |" in table


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
