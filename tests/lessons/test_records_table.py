"""The table of what several seeds have reached: worked out from records, and on the course's pages as it is."""

import functools
import json
import re
from pathlib import Path

import pytest

from vitkeras.lessons import records

ROOT = Path(__file__).parents[2]


@pytest.fixture
def results(tmp_path):
    """Records of two lessons: one of a single model, one of a model trained in two stages."""
    about = {"data": {"title": "MNIST"}, "started": "2026-11-22T01:00:00+00:00"}
    single = [{"seed": s, "test_accuracy": a, "seconds": 240.0, "parameters": 1234} for s, a in ((1, 0.99), (2, 0.992))]
    staged = [
        {"seed": s, "training": "cnn", "stage": stage, "seconds": 60.0, "parameters": 56789, "accuracy": accuracy}
        for s, last in ((1, 0.998), (2, 1.0))
        for stage, accuracy in (("first", {}), ("then", {"as in training": last, "darker": 0.5}))
    ]
    for name, trainings in (("15_in_a_tenth_of_the_time", single), ("16_the_homework", staged)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(json.dumps({**about, "results": {"trainings": trainings}}))
    return tmp_path


def test_a_row_has_mean_range_seeds_and_time(results):
    *_, single, staged = records.table(results)
    assert "| vit | 1,234 | 99.10% (99.00 to 99.20) | 2 | 4 min | MNIST | 2026-11-22 |" in single
    assert "| cnn | 56,789 | 99.90% (99.80 to 100.00) | 2 | 2 min | MNIST | 2026-11-22 |" in staged


def test_in_portuguese_commas_and_points_change_places(results):
    assert "| 1.234 | 99,10% (99,00 a 99,20) | 2 | 4 min |" in records.table(results, "pt")[2]


def test_the_table_by_scene_has_the_means_of_the_last_stage(tmp_path):
    every = dict.fromkeys(records.SCENES, 0.5)
    trainings = [
        {"training": "cnn", "accuracy": accuracy}
        for accuracy in ({}, every | {"darker": 0.25}, {}, every | {"darker": 0.26})
    ]
    (tmp_path / "10_same_or_different").mkdir()
    (tmp_path / "10_same_or_different" / "run.json").write_text(json.dumps({"results": {"trainings": trainings}}))
    assert records.scenes(tmp_path)[2:] == ["| cnn | 50.0 | 50.0 | 50.0 | 50.0 | 25.5 | 50.0 | 50.0 |"]
    assert records.scenes(tmp_path, "pt")[2].count("50,0") == 6


def test_a_change_is_told_by_its_points_against_the_whole(tmp_path):
    trainings = [
        {"seed": seed, "training": name, "held_out": {"averaged": share, "last weights": 0.5}}
        for seed, shares in ((1, (0.99, 0.98)), (2, (0.992, 0.985)))
        for name, share in zip(("all of it", "no augmentation"), shares, strict=True)
    ]
    (tmp_path / "16_the_homework-ablation").mkdir()
    (tmp_path / "16_the_homework-ablation" / "run.json").write_text(json.dumps({"results": {"trainings": trainings}}))
    assert records.changes(tmp_path, "16_the_homework-ablation")[2:] == [
        "| nothing | 99.10% (99.00 to 99.20) |  |",
        "| no augmentation | 98.25% (98.00 to 98.50) | -0.85 |",
    ]
    assert records.changes(tmp_path, "16_the_homework-ablation", "pt")[3] == (
        "| sem aumento de dados | 98,25% (98,00 a 98,50) | -0,85 |"
    )
    assert records.changes(tmp_path, "10_same_or_different-vit") == []


@pytest.mark.parametrize("name", records.ABLATIONS)
def test_every_change_has_a_name_in_portuguese(name):
    text = (ROOT / "lessons" / f"{name.rpartition('-')[0]}.py").read_text(encoding="utf-8")
    names = re.findall(r'^    "([^"]+)": [{(]', text, re.MULTILINE)
    assert len(names) >= 8
    assert set(names) - {"cnn", "hybrid", "models", "ablation", "ships", "distorted", "shifted", "none"} <= (
        records.IN_PORTUGUESE.keys()
    )


RESULTS = ROOT / "lessons" / "results"
CHANGES = [functools.partial(records.changes, name=name) for name in records.ABLATIONS if (RESULTS / name).exists()]


@pytest.mark.parametrize(("page", "language"), [("README.md", "en"), ("README.pt-BR.md", "pt")])
@pytest.mark.parametrize("table", [records.table, records.scenes, *CHANGES])
def test_the_courses_page_has_the_tables_of_the_records(page, language, table):
    lines = table(RESULTS, language=language)
    assert len(lines) > 3
    assert "\n".join(lines) in (ROOT / "lessons" / page).read_text(encoding="utf-8")
