"""The recipe for a GPU, run once on a small budget: nobody has seen more of it yet, and it says so."""

import pytest


@pytest.fixture(scope="module")
def finished(run_lesson, record_of, tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    done = run_lesson("18_cifar10_on_a_gpu", folder, "--quick", "--data", "drawn")
    assert done.returncode == 0, done.stderr
    return done.stdout, record_of(folder / "runs" / "18_cifar10_on_a_gpu")


def test_it_has_at_most_the_parameters_of_vit_lite(finished):
    (training,) = finished[1]["results"]["trainings"]
    assert 3_400_000 < training["parameters"] <= 3_750_000


def test_it_ends_in_the_answer(finished):
    assert finished[0].splitlines()[-1] == finished[1]["results"]["answer"]
