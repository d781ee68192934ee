"""Lesson 9: accuracy against the number of training images."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def finished(run_lesson, record_of, tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    done = run_lesson("09_hunger_for_data", folder, "--quick", "--data", "drawn")
    assert done.returncode == 0, done.stderr
    return done, folder / "runs" / "09_hunger_for_data", record_of(folder / "runs" / "09_hunger_for_data")


def test_every_percentage_was_tried_with_both_models_and_each_seed(finished):
    trainings = finished[2]["results"]["trainings"]
    assert [(row["seed"], row["percentage"], row["model"]) for row in trainings] == [
        (seed, percentage, model) for seed in (1, 2) for percentage in (10, 100) for model in ("cnn", "vit")
    ]
    assert [row["training_images"] for row in trainings] == [54, 54, 540, 540] * 2
    assert [row["parameters"] for row in trainings[:2]] == [23_946, 28_138]  # as the lesson says


def test_few_images_are_learned_from_in_as_many_steps_as_all_of_them(finished):
    """540 images a pass in batches of 128 are 5 steps, whatever the percentage."""
    assert {row["steps"] for row in finished[2]["results"]["trainings"]} == {5 * finished[2]["epochs"]}


def test_the_answer_is_the_mean_gap_at_both_ends(finished):
    done, folder, record = finished
    rows = record["results"]["trainings"]
    gap = {
        count: np.mean(
            [
                100 * (cnn["test_accuracy"] - vit["test_accuracy"])
                for cnn, vit in zip(rows[::2], rows[1::2], strict=True)
                if cnn["training_images"] == count
            ]
        )
        for count in (54, 540)
    }
    answer = record["results"]["answer"]
    assert f"{gap[54]:+.2f} points with 54" in answer
    assert f"{gap[540]:+.2f} with 540" in answer
    assert done.stdout.splitlines()[-1] == answer
    assert (folder / "hunger.png").stat().st_size > 5000
