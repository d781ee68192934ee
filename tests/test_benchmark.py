import json
import subprocess
import sys

import pytest

from vitkeras.benchmark import attention, processes
from vitkeras.errors import Problem


def test_in_turn_interleaves_the_contenders():
    order = []

    class Result:
        def numpy(self):
            order.append("waited")

    steps = {name: lambda name=name: order.append(name) or Result() for name in ("a", "b")}
    found = attention.in_turn(steps)
    assert {name: len(times) for name, times in found.items()} == {"a": attention.ROUNDS, "b": attention.ROUNDS}
    one_round = [*["a"] * attention.CALLS, "waited", *["b"] * attention.CALLS, "waited"]
    assert order[2:] == one_round * attention.ROUNDS


def test_spread_is_the_median_ratio_and_its_range():
    assert processes.spread([1.5, 1.25, 2.0]) == "1.50 (1.25 to 2.00)"


def double(number):
    return 2 * number


def fail():
    raise ValueError("as it should")


def test_a_process_answers_and_tells_its_faults():
    with processes.one_process() as call:
        assert call(double, 21) == 42
        with pytest.raises(Problem, match="ValueError in fail: as it should"):
            call(fail)
        assert call(double, 1) == 2


def test_the_table_compares_every_contender_on_the_same_images(tmp_path):
    words = ["tr02c", "--images", "600", "--rounds", "1", "--only", "epochs", "--json", str(tmp_path / "figures.json")]
    done = subprocess.run([sys.executable, "-m", "vitkeras.benchmark", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "NOT MNIST" in done.stdout.splitlines()[0]
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert [(row["way"], row["precision"]) for row in figures["epochs"]] == [
        ("published", "float32"), ("ours", "float32"), ("published", "bfloat16"), ("ours", "bfloat16"),
    ]  # fmt: skip
    assert all(row["images"] == 600 and len(row["seconds"]) == 1 for row in figures["epochs"])
    assert figures["versions"]["keras"]


@pytest.mark.parametrize("words", [[], ["tr03"], ["tr02c", "--rounds", "0"], ["tr02c", "--images", "few"]])
def test_wrong_use_ends_with_2(words):
    done = subprocess.run([sys.executable, "-m", "vitkeras.benchmark", *words], capture_output=True, text=True)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
