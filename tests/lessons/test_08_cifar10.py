"""Lesson 8: a ViT and a CNN of equal size on CIFAR-10, or on the digits that stand in for it."""

import numpy as np
import pytest

from vitkeras import datasets


@pytest.fixture(scope="module")
def finished(run_lesson, record_of, tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    done = run_lesson("08_cifar10", folder, "--quick", "--data", "drawn")
    assert done.returncode == 0, done.stderr
    return done, folder / "runs" / "08_cifar10", record_of(folder / "runs" / "08_cifar10")


def test_a_stand_in_for_cifar10_says_so_first_and_last(finished):
    lines = finished[0].stdout.splitlines()
    assert "NOT CIFAR-10" in lines[0]
    assert "not CIFAR-10" in lines[-1]


def test_the_two_models_have_about_as_many_parameters(finished):
    vit, cnn = finished[2]["results"]["trainings"]
    assert (vit["model"], cnn["model"]) == ("vit", "cnn")
    assert 0.9 < vit["parameters"] / cnn["parameters"] < 1.1


def test_the_accuracy_is_the_mean_over_the_classes_weighted_by_their_images(finished):
    images = np.bincount(datasets.load("cifar10", "drawn").y_test[:200], minlength=10)
    for row in finished[2]["results"]["trainings"]:
        assert np.dot(row["class_accuracy"], images) / 200 == pytest.approx(row["test_accuracy"])
        assert np.isfinite(row["history"]["val_loss"]).all()


def test_curves_confusion_mistakes_and_classes_are_drawn(finished):
    folder = finished[1]
    for name in ("augmented.png", "curves.png", "by_class.png"):
        assert (folder / name).stat().st_size > 5000
    for model in ("vit", "cnn"):
        kept = {path.name for path in (folder / f"seed-1_model-{model}").iterdir()}
        assert kept >= {"confusion.png", "mistakes.png", "model.keras", "history.csv", "run.json"}
        assert "checkpoint.npz" not in kept  # a finished part needs none
