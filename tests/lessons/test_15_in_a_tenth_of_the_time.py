"""The lesson that is quicker than the lecture, run once on a small budget: its clock, its model, its answer."""

import pytest

from vitkeras import trained


@pytest.fixture(scope="module")
def finished(run_lesson, record_of, tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    done = run_lesson("15_in_a_tenth_of_the_time", folder, "--quick", "--data", "drawn")
    assert done.returncode == 0, done.stderr
    run = folder / "runs" / "15_in_a_tenth_of_the_time"
    return done.stdout, run, record_of(run)


def test_the_lectures_program_is_timed_before_and_after(finished):
    (training,) = finished[2]["results"]["trainings"]
    before, after = training["lecture_epochs"]
    share = training["seconds"] / (60 * (before + after) / 2)
    assert finished[2]["results"]["share_of_the_lectures_time"] == pytest.approx(share)


def test_there_is_one_convolution_and_it_cuts_the_patches(finished):
    model = trained.load(finished[1] / "seed-1" / "model.keras", (28, 28, 1), 10)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("Conv2D") == 1
    assert kinds.index("Conv2D") == 1
    assert kinds.count("LeanBlock") == 4


def test_the_answer_has_accuracy_and_share(finished):
    results = finished[2]["results"]
    assert finished[0].splitlines()[-1] == results["answer"]
    assert f"{100 * results['test_accuracy']:.2f}% of the test images" in results["answer"]
    assert f"{100 * results['share_of_the_lectures_time']:.1f}% of the time" in results["answer"]
