"""The lesson on stages and variants, run once on a small budget. Of its times only what must hold is claimed."""

import types

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from vitkeras.benchmark import variants
from vitkeras.plots import stages


@pytest.fixture(scope="module")
def finished(run_lesson, record_of, tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    done = run_lesson("13_training_stages", folder, "--quick", "--data", "drawn")
    assert done.returncode == 0, done.stderr
    run = folder / "runs" / "13_training_stages"
    return types.SimpleNamespace(said=done.stdout, folder=run, results=record_of(run)["results"])


def test_the_formulas_give_what_keras_hub_publishes_and_what_its_graphs_multiply(finished):
    assert finished.results["presets_agree"] is True
    assert all(count["graph equal"] for count in finished.results["counts"].values())
    assert finished.said.count("fine-tuned") == 6
    assert finished.said.count("pre-trained") == 5


def test_the_counts_are_those_of_whole_models_though_two_blocks_are_measured(finished):
    fine, coarse = (finished.results["counts"][f"B/{patch} at 224"] for patch in (16, 32))
    assert (fine["parameters"], coarse["parameters"]) == (85_798_656, 87_455_232)
    assert (fine["tokens"], coarse["tokens"]) == (197, 50)
    # 12 blocks of 197 tokens: Q, K, V and the output, Q times K and weights times V in 12 heads of 64, the MLP
    by_hand = 196 * 768 * 768 + 12 * (4 * 197 * 768**2 + 12 * 2 * 197**2 * 64 + 2 * 197 * 768 * 3072)
    assert fine["multiply-adds"] == by_hand


def test_every_raw_time_is_kept(finished):
    one_block, whole = finished.results["trainings"]
    assert set(one_block["milliseconds"]) == {
        f"{name}, {piece}" for name in finished.results["counts"] for piece in ("block", "embedding")
    }
    for name, model in whole["models"].items():
        times = model["milliseconds"]
        assert len(times) == len(model["of_pieces"]) == len(one_block["milliseconds"][f"{name}, block"]) == 3
        assert min(times + model["of_pieces"]) > 0
        if model["megabytes"] is not None:
            assert model["megabytes"] > 4 * 2 * 7_087_872 / 2**20  # the weights of two blocks


def test_bicubic_is_nearest_to_the_true_positions_where_it_has_all_samples(finished):
    nearest, bilinear, bicubic = (
        np.array(finished.results["errors"][f"{how}, inside"]) for how in ("nearest", "bilinear", "bicubic")
    )
    assert (bicubic < bilinear).all()
    assert (bilinear < nearest).all()


def test_a_size_that_does_not_fit_is_answered_with_those_that_do(finished):
    assert "368 and 384" in finished.said


def test_the_answer_tells_the_recorded_numbers(finished):
    assert finished.said.splitlines()[-1] == finished.results["answer"]
    counts = {name: count["multiply-adds"] for name, count in finished.results["counts"].items()}
    for figure in (
        counts["B/16 at 224"] / 1e9,
        counts["B/16 at 224"] / counts["B/32 at 224"],
        counts["B/16 at 384"] / counts["B/16 at 224"],
    ):
        assert f"{figure:.2f}" in finished.results["answer"]


def test_the_pictures_are_there(finished):
    for name in ("stages", "positions"):
        with Image.open(finished.folder / f"{name}.png") as image:
            image.verify()


def test_multiply_adds_of_a_convolution_and_an_einsum_worked_out_by_hand():
    images, filters = tf.ones((2, 8, 8, 3)), tf.ones((4, 4, 3, 5))
    queries, keys = tf.ones((2, 7, 3, 6)), tf.ones((2, 9, 3, 6))

    @tf.function
    def both():
        return tf.nn.conv2d(images, filters, 4, "VALID"), tf.einsum("bqhd,bkhd->bhqk", queries, keys)

    # 2 x 2 places of 2 images, 5 values each, over 4 x 4 x 3; scores of 2 images and 3 heads, 7 x 9, over 6
    assert variants.multiply_adds(both) == 2 * 2 * 2 * 5 * 4 * 4 * 3 + 2 * 3 * 7 * 9 * 6


def test_a_map_shows_the_cosines_with_its_place():
    vectors = np.array([[1.0, 0], [0, 2], [3, 3], [-1, 0]])
    np.testing.assert_allclose(stages.similar_to(vectors, 0), [[1, 0], [0.5**0.5, -1]])
