"""The lesson on inference, run once on a small budget, and once on photos that lie about."""

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="module")
def finished(run_lesson, record_of, tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    done = run_lesson("12_inference", folder, "--quick", "--data", "drawn")
    assert done.returncode == 0, done.stderr
    return done.stdout, folder / "runs" / "12_inference", record_of(folder / "runs" / "12_inference")


def test_it_says_first_that_drawn_digits_are_not_mnist(finished):
    assert finished[0].startswith("WARNING: This is NOT MNIST")


def test_the_answer_counts_what_is_right(finished):
    results = finished[2]["results"]
    assert finished[0].splitlines()[-1] == results["answer"]
    assert results["answer"].startswith(f"{results['right']} of 20 pictures right, by mnist_vit")
    assert results["right"] >= 17  # twenty digits of which a good model misreads hardly one


def test_bytes_lose_half_a_grey_level(finished):
    assert 0.4 < finished[2]["results"]["rounded"] < 0.51


def test_softmax_by_hand_is_told_with_what_does_not_change_it(finished):
    assert "softmax by hand sums to 1.000000" in finished[0]
    line = next(line for line in finished[0].splitlines() if line.startswith("logits + 100"))
    assert float(line.split("differ by ")[1].split()[0]) < 1e-5


def test_vit_and_deit_are_prepared_within_their_own_bounds(finished):
    for name, low, high in (("ViT", -1, 1), ("DeiT", -2.12, 2.64)):
        line = next(line for line in finished[0].splitlines() if line.startswith(f"as KerasHub's {name}"))
        assert low <= float(line.split("from")[1].split("to")[0])
        assert float(line.split(" to ")[1]) <= high


@pytest.mark.parametrize("name", ["prepared.png", "five_likeliest.png", "looked_at.png"])
def test_the_pictures_are_there(finished, name):
    with Image.open(finished[1] / name) as picture:
        picture.verify()


def test_photos_of_ones_own_are_asked_about_by_the_preset_that_is_named(run_lesson, tmp_path):
    photo = tmp_path / "minha foto.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), "uint8")).save(photo)
    done = run_lesson("12_inference", tmp_path, "--photos", photo, "--model", "mnist_vit", "--data", "drawn")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith(f"{photo.name}: ")


def test_photos_that_are_not_there_are_told_before_tensorflow_loads(run_lesson, tmp_path):
    done = run_lesson("12_inference", tmp_path, "--photos", "nothing*.jpg", "--data", "drawn")
    assert done.returncode == 2
    assert "nothing*.jpg" in done.stderr
