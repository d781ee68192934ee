"""The table of what several seeds have reached: worked out from records, and on the course's pages as it is."""

import json
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


@pytest.mark.parametrize(("page", "language"), [("README.md", "en"), ("README.pt-BR.md", "pt")])
def test_the_courses_page_has_the_table_of_the_records(page, language):
    lines = records.table(ROOT / "lessons" / "results", language)
    assert len(lines) >= 3
    assert "\n".join(lines) in (ROOT / "lessons" / page).read_text(encoding="utf-8")
