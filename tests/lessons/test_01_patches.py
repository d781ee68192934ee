"""Lesson 1: what it prints is so."""

import numpy as np
import pytest
from PIL import Image

from vitkeras import datasets


@pytest.fixture(scope="module")
def finished(run_lesson, tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    done = run_lesson("01_patches", folder, "--quick", "--data", "drawn")
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    return done.stdout, folder / "runs" / "01_patches"


def test_it_ends_in_the_difference_and_the_number_of_parameters(finished, record_of):
    last = finished[0].splitlines()[-1]
    assert "at most 0," in last
    assert f"{(7 * 7 * 64 + 64) + 4 * 4 * 64:,} parameters" in last
    assert "not MNIST" in last
    results = record_of(finished[1])["results"]
    assert results["answer"] == last
    assert results["image_difference"] == results["patch_difference"] == 0
    assert results["encoder_parameters"] == 4224


def test_the_table_is_that_of_the_lectures_section_3_2(finished, record_of):
    rows = [
        line.split("  ") for line in finished[0].splitlines() if line.startswith(("patches ", "projection ", "posit"))
    ]
    rows = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert ["patches", "(28, 28, 1)", "(16, 49)"] in rows
    assert ["projection", "(16, 49)", "(16, 64)"] in rows
    assert ["positions", "(16, 64)", "(16, 64)"] in rows
    assert record_of(finished[1])["results"]["shapes"] == [[28, 28, 1], [16, 49], [16, 64], [16, 64]]


def test_only_the_reshape_without_transpose_differs(finished, record_of):
    differences = [line for line in finished[0].splitlines() if "largest difference" in line]
    assert len(differences) == 5
    assert all(line.endswith(" 0.0") for line in differences)

    picked = record_of(finished[1])["results"]["picked"]
    images = datasets.load("mnist", "drawn").x_train[[0, picked]]
    places = np.arange(28 * 28).reshape(28, 28)
    of_patches = [places[r : r + 7, c : c + 7].ravel() for r in range(0, 28, 7) for c in range(0, 28, 7)]
    wrong = np.mean(images.reshape(2, -1) != images.reshape(2, -1)[:, np.ravel(of_patches)])
    assert wrong > 0.1
    assert f"{wrong:.0%} of the values come out different" in finished[0]


@pytest.mark.parametrize("side", [14, 7, 4, 2])
def test_the_price_of_small_patches(finished, side):
    count = (28 // side) ** 2
    assert [str(side), "x", str(side), str(count), str(side**2), f"{count**2:,}"] in [
        line.split() for line in finished[0].splitlines()
    ]


def test_a_patch_size_that_does_not_fit_is_refused_with_a_remedy(finished):
    refusal = next(line for line in finished[0].splitlines() if line.startswith("refused: "))
    for words in ("patch_size=5", "28 is no multiple of 5", "choose a patch size"):
        assert words in refusal


def test_the_pictures(finished):
    pictures = {"first_digit.png", "picked_digit.png", "patch_sizes.png"}
    assert {path.name for path in finished[1].iterdir()} == pictures | {"run.json"}
    for name in pictures:
        with Image.open(finished[1] / name) as image:
            assert len(np.unique(np.asarray(image.convert("L")))) > 10
