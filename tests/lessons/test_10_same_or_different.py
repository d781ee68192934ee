"""Lesson 10: CNN, ViT and hybrid on the shapes."""

import pytest

from vitkeras.datasets import shapes


@pytest.fixture(scope="module")
def finished(run_lesson, record_of, tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    done = run_lesson("10_same_or_different", folder, "--quick")
    assert done.returncode == 0, done.stderr
    return done, folder / "runs" / "10_same_or_different", record_of(folder / "runs" / "10_same_or_different")


@pytest.fixture(scope="module")
def without_easy_pictures(run_lesson, record_of, tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    done = run_lesson("10_same_or_different", folder, "--quick", "--start", "whole")
    assert done.returncode == 0, done.stderr
    return record_of(folder / "runs" / "10_same_or_different")


def test_each_model_learns_from_easy_pictures_first_and_is_then_asked_about_each_scene(finished):
    trainings = finished[2]["results"]["trainings"]
    assert [(row["model"], row["stage"]) for row in trainings] == [
        (model, stage) for model in ("cnn", "vit", "hybrid") for stage in ("easy", "whole")
    ]
    assert [list(row.get("accuracy", {})) for row in trainings] == [[], list(shapes.SCENES)] * 3


def test_the_second_stage_goes_on_from_the_model_of_the_first(finished, without_easy_pictures):
    """With the same seed and the same pictures, what comes out depends on where one began."""
    began_easy = [row["history"]["loss"] for row in finished[2]["results"]["trainings"] if row["stage"] == "whole"]
    began_whole = [row["history"]["loss"] for row in without_easy_pictures["results"]["trainings"]]
    assert len(began_easy) == len(began_whole) == 3
    assert all(one != other for one, other in zip(began_easy, began_whole, strict=True))


def test_the_three_models_have_the_sizes_that_the_lesson_names(finished):
    sizes = {row["model"]: row["parameters"] for row in finished[2]["results"]["trainings"]}
    assert sizes == {"cnn": 169_618, "vit": 151_938, "hybrid": 206_034}


def test_the_scenes_the_curves_and_the_accuracies_are_drawn(finished):
    for name in ("scenes.png", "curves_easy.png", "curves_whole.png", "by_scene.png"):
        assert (finished[1] / name).stat().st_size > 5000


def test_it_ends_in_the_answer(finished):
    done, _, record = finished
    assert done.stdout.splitlines()[-1] == record["results"]["answer"]
    cnn = record["results"]["trainings"][1]["accuracy"]["as in training"]
    assert f"CNN {100 * cnn:.1f}%" in record["results"]["answer"]
