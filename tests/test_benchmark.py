import json
import os
import subprocess
import sys

import pytest

from vitkeras.benchmark import classify, cost, measuring, processes, shapes
from vitkeras.errors import Problem


def test_in_turn_interleaves_the_contenders():
    order = []

    class Result:
        def numpy(self):
            order.append("waited")

    steps = {name: lambda name=name: order.append(name) or Result() for name in ("a", "b")}
    found = measuring.in_turn(steps, rounds=5, seconds=0)
    assert {name: len(times) for name, times in found.items()} == {"a": 5, "b": 5}
    assert order[-20:] == ["a", "waited", "b", "waited"] * 5


def test_spread_is_the_median_ratio_and_its_range():
    assert measuring.spread([1.5, 1.25, 2.0]) == "1.50 (1.25 to 2.00)"


def test_the_peak_of_memory_rises_when_more_is_taken():
    """In a process of its own: this one may have had more before."""
    script = (
        "import numpy as np; from vitkeras.benchmark.measuring import peak_memory; before = peak_memory(); "
        "filled = np.ones(2**25); print('unknown' if before is None else peak_memory() - before)"  # 256 megabytes
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    if said == "unknown":
        pytest.skip("this system does not tell")
    assert 200 < float(said) < 400


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
    words = ["tr02c", "--images", "512", "--rounds", "1", "--only", "epochs", "--precisions", "float32"]
    words += ["--json", str(tmp_path / "figures.json")]
    done = subprocess.run([sys.executable, "-m", "vitkeras.benchmark", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "NOT MNIST" in done.stdout.splitlines()[0]
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert [(row["way"], row["precision"]) for row in figures["epochs"]] == [
        ("published", "float32"), ("ours", "float32"),
    ]  # fmt: skip
    assert all(row["images"] == 512 and len(row["seconds"]) == 1 for row in figures["epochs"])
    assert figures["versions"]["keras"]


def test_drawing_shapes_is_measured_for_one_thread_and_for_all(tmp_path):
    words = ["shapes", "--images", "100", "--rounds", "2", "--json", str(tmp_path / "figures.json")]
    done = subprocess.run([sys.executable, "-m", "vitkeras.benchmark", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert [row["threads"] for row in figures["threads"]] == sorted({1, os.cpu_count()})
    assert all(len(row["seconds"]) == 2 for row in figures["threads"])
    assert (figures["images"], bool(figures["versions"]["numpy"])) == (100, True)


def test_rows_of_the_shapes_compare_each_round_with_one_thread():
    figures = {"images": 1000, "threads": [{"threads": 1, "seconds": [2, 4]}, {"threads": 2, "seconds": [1, 4]}]}
    one, two = shapes.rows(figures)
    assert one == ["1,000", "1", "3.00 (2.00 to 4.00)", "333", "1.00 (1.00 to 1.00)"]
    assert two == ["1,000", "2", "2.50 (1.00 to 4.00)", "400", "1.50 (1.00 to 2.00)"]


WRONG = [[], ["tr03"], ["tr02c", "--rounds", "0"], ["tr02c", "--images", "few"], ["shapes", "--images", "0"]]


@pytest.mark.parametrize("words", WRONG)
def test_wrong_use_ends_with_2(words):
    done = subprocess.run([sys.executable, "-m", "vitkeras.benchmark", *words], capture_output=True, text=True)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


FIGURES = {  # of classify: two rounds
    "models": {
        "deit_tiny": {
            "images": 100,
            "seconds": {"lecture": [10.0, 12.0], "float32": [5.0, 3.0], "bfloat16": [2.5, 4.0]},
            "cold_seconds": {"import and load": [4.0, 5.0], "classify": [6.0, 5.0]},
        }
    }
}


def test_rows_of_classify_compare_each_round_with_the_lectures_loop_in_it():
    lecture, ours, halved = classify.throughput_rows(FIGURES)
    assert lecture == ["deit_tiny", "the lecture's loop", "9.1", "1.00 (1.00 to 1.00)"]
    assert ours[2:] == ["25.0", "3.00 (2.00 to 4.00)"]
    assert halved[3] == "3.50 (3.00 to 4.00)"
    assert list(classify.cold_rows(FIGURES)) == [["deit_tiny", "4.50", "5.50", "1.25 (1.00 to 1.50)"]]


def test_photos_for_the_benchmark_are_drawn_or_read_over_and_over(tmp_path):
    files, about = classify.gather(None, 25, tmp_path)
    assert len(files) == 25
    assert len(set(files)) == 20
    assert "drawn" in about
    files, about = classify.gather(str(tmp_path), 45, tmp_path)
    assert len(files) == 45
    assert files[0] == files[20] == files[40]
    assert "20 photos" in about


@pytest.fixture(scope="module")
def cost_figures(tmp_path_factory):
    file = tmp_path_factory.mktemp("cost") / "figures.json"
    words = ["cost", "--variants", "1", "--rounds", "1", "--precisions", "float32", "--json", str(file)]
    done = subprocess.run([sys.executable, "-m", "vitkeras.benchmark", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(file.read_text())["precisions"]["float32"]


def test_operations_of_the_cost_benchmark_are_those_worked_out_by_hand(cost_figures):
    (row,) = cost_figures["rows"]
    batch, tokens, width, blocks = 16, 49, 64, 4
    block = tokens * (4 + 4) * width**2 + 2 * tokens**2 * width  # four projections, the MLP; scores and mixing
    forward = batch * (tokens * 16 * width + blocks * block + width * 10)
    assert row["inference multiply-adds"] == forward
    # Backwards each product becomes two, but for the images, whose gradient nobody needs.
    assert row["training multiply-adds"] == 3 * forward - batch * tokens * 16 * width


def test_most_of_a_steps_time_is_found_in_its_parts(cost_figures):
    for parts in cost_figures["parts"].values():
        assert set(parts) == set(cost.PARTS)
        assert parts["matrix products"] > 0.1 * sum(parts.values())
    assert cost_figures["parts"]["LeanBlock"]["activation"] < cost_figures["parts"]["EncoderBlock"]["activation"]


def test_shares_are_of_the_best_product_and_ratios_are_taken_round_by_round():
    row = {
        "variant": {"batch": 16, "patch": 4, "width": 64, "blocks": 4, "lean": False}, "tokens": 49,
        "training multiply-adds": 10**9, "inference multiply-adds": 3 * 10**8, "peak": [100, 400],
        "milliseconds": {
            "keras": {"training": [40.0, 20.0], "inference": [12.0, 6.0]},
            "torch": {"training": [80.0, 20.0], "inference": [6.0, 6.0]},
        },
    }  # fmt: skip
    assert cost.cells(row, cost.best([row])) == [
        "16", "4", "64", "4", "49", "2.00", "30.0", "75", "19%", "1.50", "0.60", "9.0", "75", "19%", "0.75",
    ]  # fmt: skip


def test_pytorch_computes_what_keras_computes():
    pytest.importorskip("torch")
    from vitkeras.benchmark import in_keras, in_torch

    variant = cost.Variant(batch=2, blocks=2)
    ready = in_keras.get_ready(variant, "float32", "cpu")
    logits = in_torch.get_ready(variant, "float32", ready["weights"], ready["image"])
    assert abs(logits - ready["logits"]).max() < 1e-4
