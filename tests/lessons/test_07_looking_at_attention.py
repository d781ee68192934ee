"""Lesson 7: its numbers, worked out again from the model that it leaves behind."""

import keras
import numpy as np
import pytest

from vitkeras import attention, datasets

PICTURES = {
    f"07_{name}.png" for name in ("maps", "heads", "seven", "distances", "rollout", "covering")
}  # fmt: skip


@pytest.fixture(scope="module")
def finished(run_lesson, tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    done = run_lesson("07_looking_at_attention", folder, "--quick", "--data", "drawn")
    assert done.returncode == 0, done.stderr
    return done.stdout, folder / "runs" / "07_looking_at_attention"


@pytest.fixture(scope="module")
def results(finished, record_of):
    return record_of(finished[1])["results"]


@pytest.fixture(scope="module")
def model(finished):
    return keras.saving.load_model(finished[1] / "model.keras", safe_mode=True)


@pytest.fixture(scope="module")
def data():
    return datasets.load("mnist", "drawn").first(600, 1000)


def test_the_answer_comes_last_and_names_the_data(finished, results):
    assert finished[0].splitlines()[-1] == results["answer"]
    assert "not MNIST" in results["answer"]


def test_its_pictures_are_there(finished):
    assert {p.name for p in finished[1].glob("*.png")} == PICTURES


def test_the_model_has_four_layers_of_four_heads_of_sixteen(model, data):
    assert attention.scores(model, data.x_test[:2]).shape == (4, 2, 4, 16, 16)
    block = next(layer for layer in model.layers if "block" in layer.name)
    assert (block.attention.key_dim, block.mlp_dim) == (16, 128)


def test_the_seven_is_a_seven_without_bar_through_5_6_and_10(results, data):
    image = data.x_test[results["seven"], ..., 0].astype(float)
    ink = [image[7 * (i // 4) : 7 * (i // 4) + 7, 7 * (i % 4) : 7 * (i % 4) + 7].sum() for i in range(16)]
    assert data.y_test[results["seven"]] == 7
    assert min(ink[5], ink[6], ink[10]) > 0
    assert ink[9] + ink[11] < 0.01 * image.sum()


def test_distances_and_differences_are_those_of_a_loop(results, model, data):
    weights = attention.scores(model, data.x_test)  # (4, images, 4, 16, 16)
    layer, head = 2, 1
    total = 0.0
    for i in range(16):
        for j in range(16):
            apart = 7 * np.hypot(i // 4 - j // 4, i % 4 - j % 4)
            total += weights[layer, :, head, i, j].mean() * apart / 16
    assert results["mean_distance"][layer][head] == pytest.approx(total, abs=1e-4)
    moved = [
        np.maximum(weights[layer, :, a] - weights[layer, :, b], 0).sum(-1).mean() for a in range(4) for b in range(a)
    ]
    assert results["between_heads"][layer] == pytest.approx(np.mean(moved), abs=1e-4)


def test_painting_over_the_patches_with_most_ink_gives_the_accuracies_in_the_record(results, model, data):
    hidden = data.x_test.copy()
    for image in hidden:
        ink = [
            image[7 * (i // 4) : 7 * (i // 4) + 7, 7 * (i % 4) : 7 * (i % 4) + 7].astype(int).sum() for i in range(16)
        ]
        for i in sorted(range(16), key=lambda i: -ink[i])[:4]:
            image[7 * (i // 4) : 7 * (i // 4) + 7, 7 * (i % 4) : 7 * (i % 4) + 7] = int(data.x_train.mean())
    said = np.asarray(model.predict_on_batch(hidden / np.float32(255))).argmax(-1)
    recorded = results["accuracy_when_covered"]
    assert recorded["most ink"][results["covered"].index(4)] == pytest.approx((said == data.y_test).mean(), abs=0.003)
    untouched = {values[0] for values in recorded.values()}
    assert untouched == {results["test_accuracy"]}


@pytest.mark.parametrize(("name", "hint"), [("nothing.keras", "not there"), ("broken.keras", "no Keras model")])
def test_a_wrong_model_gets_one_line(run_lesson, tmp_path, name, hint):
    (tmp_path / "broken.keras").write_bytes(b"PK\x03\x04 and then nothing")
    done = run_lesson("07_looking_at_attention", tmp_path, "--quick", "--data", "drawn", "--model", name)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert hint in done.stderr


def test_the_model_that_ships_is_looked_at_without_a_training(run_lesson, record_of, tmp_path):
    words = ("--quick", "--data", "drawn", "--model", "mnist_vit", "--set", "looked_at=150")
    done = run_lesson("07_looking_at_attention", tmp_path, *words)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "runs" / "07_looking_at_attention"
    results = record_of(folder)["results"]
    assert {p.name for p in folder.glob("*.png")} == PICTURES
    assert "12 of 49 patches" in results["answer"]
    assert results["test_accuracy"] > 0.98
    assert results["covered"] == [0, 6, 12, 18, 24, 30, 36]
    covered = results["accuracy_when_covered"]
    assert covered["most looked at (rollout)"][2] < covered["at random"][2] < covered["least looked at (rollout)"][2]
