"""Lesson 2: what a ViT without positions cannot tell, checked on the models that the lesson leaves behind."""

import keras
import numpy as np
import pytest

from vitkeras import Patches, datasets


@pytest.fixture(scope="module")
def finished(run_lesson, tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    done = run_lesson("02_positions", folder, "--quick", "--data", "drawn")
    assert done.returncode == 0, done.stderr
    return done.stdout, folder / "runs" / "02_positions"


@pytest.fixture(scope="module")
def results(finished, record_of):
    return record_of(finished[1])["results"]


def test_the_answer_comes_last_and_names_the_data(finished, results):
    assert finished[0].splitlines()[-1] == results["answer"]
    assert "not MNIST" in results["answer"]
    assert "costs a ViT without positions 0.00 points" in results["answer"]


def test_what_is_claimed_equal_is_equal(finished):
    lines = finished[0].splitlines()
    equal = [line for line in lines if "differ by" in line]
    assert len(equal) == 5
    assert all(float(line.rsplit(" ", 1)[-1]) < 1e-5 for line in equal)
    assert any("one-hot" in line for line in equal)


def test_only_flattened_tokens_tell_the_order_without_positions(results):
    changed = results["logits_changed"]
    assert changed["average, without"] < 1e-4
    assert changed["class token, without"] < 1e-4
    for telling in ("flatten, without", "average, with", "class token, with", "flatten, with"):
        assert changed[telling] > 1e-2


def test_shuffling_anew_changes_no_answer_without_positions_and_many_with(results):
    for row in results["trainings"]:
        change = abs(row["test_accuracy"] - row["scattered_accuracy"])
        if row["positions"] == "without":
            assert change <= 0.004  # rounding may tip an image that hangs between two digits
    assert results["logits_changed_with_table_shuffled_alike"] < 1e-4


def test_the_lessons_models_do_what_it_says_on_images_shuffled_by_another_hand(finished, results):
    """The patches are moved here by slicing, and the table by its rows; and logits are compared on other images."""
    images = datasets.load("mnist", "drawn").x_train[-20:] / np.float32(255)
    order = results["fixed_order"]
    shuffled = np.empty_like(images)
    for place, source in enumerate(order):
        to, fro = [(7 * (i // 4), 7 * (i % 4)) for i in (place, source)]
        shuffled[:, to[0] : to[0] + 7, to[1] : to[1] + 7] = images[:, fro[0] : fro[0] + 7, fro[1] : fro[1] + 7]
    assert isinstance(Patches, type)  # registers our layers for the files below

    without = keras.saving.load_model(finished[1] / "positions-without_patches-in-place" / "model.keras")
    np.testing.assert_allclose(without(shuffled), without(images), atol=1e-4)

    trained = keras.saving.load_model(finished[1] / "positions-with_patches-in-place" / "model.keras")
    expected = np.asarray(trained(images))
    assert np.abs(np.asarray(trained(shuffled)) - expected).max() > 1e-2
    table = trained.get_layer("positions").table
    table.assign(table.numpy()[order])
    np.testing.assert_allclose(trained(shuffled), expected, atol=1e-4)


def test_similarities_are_those_of_the_table_in_the_file(finished, results):
    trained = keras.saving.load_model(finished[1] / "positions-with_patches-in-place" / "model.keras")
    table = trained.get_layer("positions").table.numpy()
    near = []
    for i in range(16):
        for j in (i + 1, i + 4):
            if (j == i + 1 and i % 4 < 3) or (j == i + 4 and j < 16):
                near.append(table[i] @ table[j] / np.linalg.norm(table[i]) / np.linalg.norm(table[j]))
    assert len(near) == 24
    assert results["similarity_of_neighbours"] == pytest.approx(np.mean(near), abs=1e-5)
    assert results["table_range"] == pytest.approx([table.min(), table.max()])


def test_its_pictures_are_there(finished):
    assert {p.name for p in finished[1].glob("*.png")} == {"02_reordered.png", "02_similarity.png"}
