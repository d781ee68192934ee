"""Lesson 10: CNN, ViT and hybrid on the shapes."""

import pytest

from vitkeras.datasets import shapes


@pytest.fixture(scope="module")
def finished(run_lesson, record_of, tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    done = run_lesson("10_same_or_different", folder, "--quick")
    assert done.returncode == 0, done.stderr
    return done, folder / "runs" / "10_same_or_different", record_of(folder / "runs" / "10_same_or_different")


def test_each_model_was_asked_about_each_scene(finished):
    trainings = finished[2]["results"]["trainings"]
    assert [row["model"] for row in trainings] == ["cnn", "vit", "hybrid"]
    for row in trainings:
        assert list(row["accuracy"]) == list(shapes.SCENES)
        assert all(0.2 <= value <= 0.8 for value in row["accuracy"].values())  # a few steps: still near chance


def test_the_three_models_are_of_about_equal_size(finished):
    sizes = [row["parameters"] for row in finished[2]["results"]["trainings"]]
    assert max(sizes) < 1.5 * min(sizes)


def test_the_scenes_the_curves_and_the_accuracies_are_drawn(finished):
    for name in ("scenes.png", "curves.png", "by_scene.png"):
        assert (finished[1] / name).stat().st_size > 5000


def test_it_ends_in_the_answer(finished):
    done, _, record = finished
    assert done.stdout.splitlines()[-1] == record["results"]["answer"]
    cnn = record["results"]["trainings"][0]["accuracy"]["as in training"]
    assert f"CNN {100 * cnn:.1f}%" in record["results"]["answer"]
