"""The lesson that trains the ViT for CIFAR-10, run once on a small budget: a run, and a model that can be asked."""

import pytest

from vitkeras import pretrained


@pytest.fixture(scope="module")
def finished(run_lesson, record_of, tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    done = run_lesson("17_cifar10_vit", folder, "--quick", "--data", "drawn")
    assert done.returncode == 0, done.stderr
    return done.stdout, folder / "runs" / "17_cifar10_vit", record_of(folder / "runs" / "17_cifar10_vit")


def test_it_is_small_enough_to_ship(finished):
    (training,) = finished[2]["results"]["trainings"]
    assert training["parameters"] == pretrained.load("cifar10_vit").parameters
    assert (finished[1] / "seed-1" / "model.keras").stat().st_size < 1.2e6
    assert f"{training['parameters']:,} parameters" in finished[0]


def test_the_answer_is_the_recorded_accuracy_and_names_the_data(finished):
    results = finished[2]["results"]
    assert finished[0].splitlines()[-1] == results["answer"]
    assert f"{100 * results['test_accuracy']:.2f}%" in results["answer"]
    assert "not CIFAR-10" in results["answer"]


def test_what_it_keeps_can_be_asked(finished):
    assert pretrained.load(finished[1] / "seed-1" / "model.keras").model.input_shape == (None, 32, 32, 3)
