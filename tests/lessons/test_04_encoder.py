"""The lesson on the encoder block, run once on a small budget."""

import math
import re

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="module")
def finished(run_lesson, record_of, tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    done = run_lesson("04_encoder", folder, "--quick", "--data", "drawn")
    assert done.returncode == 0, done.stderr
    return done.stdout, folder / "runs" / "04_encoder", record_of(folder / "runs" / "04_encoder")["results"]


def test_our_block_is_equations_2_and_3(finished):
    assert finished[2]["block_difference"] < 1e-5


def test_a_strided_convolution_is_patches_and_a_dense_layer(finished):
    assert finished[2]["convolution_difference"] < 1e-5


def test_by_hand_and_by_layer_agree(finished):
    differences = [float(number) for number in re.findall(r"by hand: difference (\S+)", finished[0])]
    assert len(differences) == 2
    assert max(differences) < 1e-5
    assert "the block is the identity (difference 0.0)" in finished[0]


def test_before_the_first_block_the_class_token_is_the_same_for_all_digits_and_then_not(finished):
    assert "the same for all digits (0.0 apart)" in finished[0]
    assert float(re.search(r"now the class tokens are (\S+) apart", finished[0]).group(1)) > 0


def test_the_shapes_are_the_papers(finished):
    for shapes in ("patches (8, 16, 49)  ->  z0 (8, 17, 64)", "y (8, 64)", "(8, 7, 7, 32)  ->  (8, 49, 32)"):
        assert shapes in finished[0]


def test_the_parameters_are_what_one_counts_by_hand(finished):
    attention, mlp, norm = 4 * (64 * 64 + 64), (64 * 256 + 256) + (256 * 64 + 64), 2 * 64
    assert f"block: {attention + mlp + 2 * norm:,} parameters" in finished[0]
    assert finished[2]["head_parameters"] == {"class token": 650, "average": 650, "flatten": 16 * 64 * 10 + 10}
    block, embedding = attention + mlp + 2 * norm, 49 * 64 + 64
    body = embedding + 2 * block + norm
    parameters = {row["readout"]: row["parameters"] for row in finished[2]["trainings"]}
    assert parameters == {
        "class token": body + 64 + 17 * 64 + 650,
        "average": body + 16 * 64 + 650,
        "flatten": body + 16 * 64 + 10250,
    }


def test_gelu_after_the_second_dense_can_hardly_take_away(finished):
    gelu = [x * (1 + math.erf(x / math.sqrt(2))) / 2 for x in np.linspace(-8, 8, 10_001)]
    in_the_paper, in_tr02c = re.search(r"adds: (\S+) in the paper's way, (\S+) in tr02c's", finished[0]).groups()
    assert float(in_tr02c) >= round(min(gelu), 2) == -0.17
    assert float(in_the_paper) < float(in_tr02c)


def test_only_the_flattened_tokens_tell_when_places_are_exchanged(finished):
    changes = dict(re.findall(r"^(class token|average|flatten) .* change by (\S+)$", finished[0], re.MULTILINE))
    assert float(changes["class token"]) == 0
    assert float(changes["average"]) < 1e-5
    assert float(changes["flatten"]) > 0.01


def test_the_answer_is_the_mean_of_the_trainings(finished):
    out, _, results = finished
    for readout, mean in results["test_accuracy"].items():
        rows = [row["test_accuracy"] for row in results["trainings"] if row["readout"] == readout]
        assert mean == pytest.approx(np.mean(rows))
        assert f"{readout} {100 * mean:.2f}%" in out.splitlines()[-1]
    assert out.splitlines()[-1] == results["answer"]
    assert "not MNIST" in results["answer"]


def test_the_pictures_are_there(finished):
    for name in ("block.png", "readouts.png"):
        with Image.open(finished[1] / name) as image:
            image.verify()
