"""Lesson 3: what it prints is so, also of random vectors that are not the lesson's."""

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="module")
def finished(run_lesson, tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    done = run_lesson("03_attention", folder, "--quick", "--data", "drawn", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    return done.stdout, folder / "runs" / "03_attention"


@pytest.fixture(scope="module")
def scale(finished):
    """{(what goes into the softmax, d): (variance, largest weight, entropy, median and mean of the norm of J)}"""
    rows = [line.rsplit(maxsplit=6) for line in finished[0].splitlines() if line.startswith("q·k")]
    return {(name, int(d)): tuple(map(float, numbers)) for name, d, *numbers in rows}


def test_by_hand_and_both_layers_agree_to_the_precision_of_float32(finished, record_of):
    results = record_of(finished[1])["results"]
    assert set(results["differences"]) == {"MyMultiHeadAttention", "Keras's MultiHeadAttention"}
    for differences in results["differences"].values():
        assert 0 < differences["output"] < 5e-6
        assert 0 < differences["maps"] < 1e-6
        assert 0 < differences["gradient"] < 2e-5
    last = finished[0].splitlines()[-1]
    assert f"{results['largest_difference']:.1e}" in last
    assert results["answer"] == last
    assert "not MNIST" in last


@pytest.mark.parametrize(
    ("row", "largest"),
    [
        ("LayerNorm by hand and Keras", 5e-6),
        ("Q by hand and Keras", 5e-6),
        ("head 2 and columns 32 to 47", 0),
        ("the rows sum to 1", 1e-12),
        ("batched product and loop over heads", 1e-12),
    ],
)
def test_each_step_agrees(finished, row, largest):
    line = next(line for line in finished[0].splitlines() if row in line)
    assert float(line.rsplit(": ", 1)[1]) <= largest


def test_the_glorot_range_is_the_lectures_here_and_smaller_in_its_program(finished):
    here, there = [line for line in finished[0].splitlines() if line.startswith("W_Q ")]
    assert "(64, 64), Glorot ±0.2165, largest weight 0.21" in here
    assert "(64, 256), Glorot ±0.1369, largest weight 0.13" in there
    assert "Q (16, 64), 16,640 parameters" in here  # 4 * (64 * 64 + 64)
    assert "Q (16, 256), 66,368 parameters" in there  # 3 * (64 * 256 + 256) + 256 * 64 + 64


def test_heads_that_start_alike_are_alike_and_get_the_same_gradient(finished):
    rows = {words[0]: words[1:] for line in finished[0].splitlines() if (words := line.split())}
    maps, gradients, largest = map(float, rows["0.0"])
    assert maps == gradients == largest == 0
    maps, gradients, largest = map(float, rows["0.1"])
    assert max(maps, gradients) < 1e-6 < largest
    maps, gradients, _ = map(float, rows["Glorot"])
    assert min(maps, gradients) > 1e-3


def test_the_variance_of_a_product_grows_with_its_width(scale):
    for d in (4, 16, 64, 256, 1024):
        assert scale["q·k", d][0] == pytest.approx(d, rel=0.15)
        assert scale["q·k / √d", d][0] == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize(("name", "deviation"), [("q·k", 8), ("q·k / √d", 1)])
def test_the_scaled_softmax_is_that_of_standard_normal_scores(scale, name, deviation):
    """At d = 64 scores are nearly normal. Here the norm of J comes from nudging the scores."""
    scores = deviation * np.random.default_rng(12).normal(size=(4000, 16))

    def softmax(scores):
        return np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)

    p = softmax(scores)
    nudged = [(softmax(scores + 1e-5 * e) - softmax(scores - 1e-5 * e)) / 2e-5 for e in np.eye(16)]
    norms = np.sqrt(np.sum(np.square(nudged), axis=(0, 2)))
    entropy = -(p * np.log2(p)).sum(-1)
    _, *measured = scale[name, 64]
    expected = [p.max(-1).mean(), entropy.mean(), np.median(norms), norms.mean()]
    np.testing.assert_allclose(measured, expected, rtol=0.25 if deviation > 1 else 0.05)


def test_without_the_scale_the_gradient_dies_as_heads_grow(scale):
    without = [scale["q·k", d][3] for d in (16, 64, 256, 1024)]
    assert without == sorted(without, reverse=True)
    assert without[-1] < 0.001
    assert all(0.28 < scale["q·k / √d", d][3] < 0.32 for d in (4, 16, 64, 256, 1024))


def test_the_pictures(finished):
    pictures = {"q_k_v_maps.png", "seven.png", "scale.png"}
    assert {path.name for path in finished[1].iterdir()} == pictures | {"run.json"}
    for name in pictures:
        with Image.open(finished[1] / name) as image:
            assert len(np.unique(np.asarray(image.convert("L")))) > 10
