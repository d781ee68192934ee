import json
from types import SimpleNamespace

import pytest

from vitkeras.errors import Misuse
from vitkeras.sweep import plan, table


@pytest.fixture
def lesson(course):
    return SimpleNamespace(path=course.folder / "lessons" / "01_tiny.py", name="01_tiny")


def test_every_combination_has_a_run_for_each_seed(lesson):
    runs = plan.planned(lesson, ["size=4,7", "kind=a,b"], 3, 2, ["--quick"])
    assert len(runs) == 8
    assert runs[0].words == ("--quick", "--set", "size=4", "--kind", "a", "--seed", "3")
    assert runs[0].name == "size-4_kind-a_seed-3"
    assert len({run.name for run in runs}) == 8


@pytest.mark.parametrize(
    ("said", "words", "hint"),
    [
        (["sice=4"], [], "Did you mean size"),
        (["size=large"], [], "another kind"),
        (["size"], [], "NAME=VALUES"),
        (["size=4", "size=5"], [], "said twice"),
        (["size=4,4"], [], "same name"),
        ([], ["--seed", "3"], "--seed is said by the sweep"),
        ([], ["--out=x"], "--out is said by the sweep"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_runs(lesson, said, words, hint):
    with pytest.raises(Misuse, match=hint):
        plan.planned(lesson, said, 1, 2, words)


def test_a_folder_belongs_to_one_sweep(lesson, tmp_path):
    plan.keep(tmp_path / "out", lesson, ["--quick"])
    plan.keep(tmp_path / "out", lesson, ["--quick"])
    with pytest.raises(Misuse, match="01_tiny -- --quick"):
        plan.keep(tmp_path / "out", lesson, [])
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    with pytest.raises(Misuse, match="other things"):
        plan.keep(tmp_path / "other", lesson, [])


def test_the_interval_is_students(tmp_path):
    # By hand: t of 2 degrees of freedom at 97.5% is 4.303, deviation 0.01, so 4.303 * 0.01 / sqrt(3).
    assert table.interval([0.97, 0.98, 0.99]) == pytest.approx(0.02484, abs=1e-5)
    assert table.interval([0.97]) is None


def test_a_half_written_record_is_no_result(tmp_path):
    (tmp_path / "run.json").write_text('{"finished": ')
    assert table.record_of(tmp_path) is None
    (tmp_path / "run.json").write_text(json.dumps({"results": {}}))
    assert table.record_of(tmp_path) is None
