"""Lesson 5, second half: several seeds of each attention layer, and an interval for the difference."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def finished(run_lesson, record_of, tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    done = run_lesson("05_mine_or_keras", folder, "--quick", "--data", "drawn")
    assert done.returncode == 0, done.stderr
    return done, folder / "runs" / "05_mine_or_keras", record_of(folder / "runs" / "05_mine_or_keras")


def test_given_the_same_weights_the_two_layers_agree(finished):
    assert finished[2]["results"]["same_weights_difference"] < 1e-5


def test_each_arm_was_trained_from_each_seed(finished):
    trainings = finished[2]["results"]["trainings"]
    arms = {(row["seed"], row["attention"]) for row in trainings}
    assert arms == {(seed, arm) for seed in (1, 2) for arm in ("mine", "keras", "old keras")}
    assert len({row["test_accuracy"] for row in trainings}) > 1


def test_old_keras_starts_elsewhere_than_keras_does_now(finished):
    losses = [(finished[1] / f"seed-1_attention-{arm}" / "history.csv").read_text() for arm in ("keras", "old-keras")]
    assert losses[0] != losses[1]


def test_the_interval_is_students_of_the_differences_seed_by_seed(finished):
    results = finished[2]["results"]
    one, other = np.subtract(results["accuracies"]["mine"], results["accuracies"]["keras"])
    middle, low, high = results["differences"]["mine - keras"]
    assert middle == pytest.approx((one + other) / 2)
    half = 12.7062 * abs(one - other) / 2  # Student's t at 97.5% with one degree of freedom; the error of a mean of two
    assert high - middle == pytest.approx(half, rel=1e-4)
    assert middle - low == pytest.approx(half, rel=1e-4)


def test_it_ends_in_the_answer_and_a_picture(finished):
    done, folder, record = finished
    assert done.stdout.splitlines()[-1] == record["results"]["answer"]
    assert "not MNIST" in record["results"]["answer"]
    assert (folder / "seeds.png").stat().st_size > 5000


def test_one_seed_is_refused_since_it_gives_no_interval(run_lesson, tmp_path):
    done = run_lesson("05_mine_or_keras", tmp_path, "--seeds", "1")
    assert done.returncode == 2
    assert "from 2" in done.stderr
