"""Lesson 10: CNN, ViT and hybrid on the shapes."""

import pytest

from vitkeras.datasets import shapes

STAGES = ("first", "then")


@pytest.fixture(scope="module")
def finished(run_lesson, record_of, tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    done = run_lesson("10_same_or_different", folder, "--quick")
    assert done.returncode == 0, done.stderr
    return done, folder / "runs" / "10_same_or_different", record_of(folder / "runs" / "10_same_or_different")


def test_each_model_learns_in_two_stages_and_is_then_asked_about_each_scene(finished):
    trainings = finished[2]["results"]["trainings"]
    assert [(row["training"], row["stage"]) for row in trainings] == [
        (model, stage) for model in ("cnn", "hybrid", "vit") for stage in STAGES
    ]
    assert [list(row["accuracy"]) for row in trainings] == [[], list(shapes.SCENES)] * 3


def test_the_three_models_have_the_sizes_that_the_lesson_names(finished):
    sizes = {row["training"]: row["parameters"] for row in finished[2]["results"]["trainings"]}
    assert sizes == {"cnn": 169_618, "hybrid": 206_034, "vit": 164_634}


def test_the_scenes_the_curves_and_the_accuracies_are_drawn(finished):
    for name in ("scenes.png", "curves.png", "by_scene.png"):
        assert (finished[1] / name).stat().st_size > 5000


def test_it_ends_in_the_answer(finished):
    done, _, record = finished
    assert done.stdout.splitlines()[-1] == record["results"]["answer"]
    cnn = record["results"]["trainings"][1]["accuracy"]["as in training"]
    assert f"cnn {100 * cnn:.2f}%" in record["results"]["answer"]
