"""The visible tests of `pretrained`: preparing a picture, probabilities, and the names of the most likely classes."""

import numpy as np
import pytest

from vitkeras.grading import close, equal, refuses

MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


@pytest.mark.points(1, hint="Black becomes -1 and white 1, whatever the picture. Make it float32 first.")
def test_a_vit_gets_values_from_minus_one_to_one(student, rng, picture):
    image = rng.integers(0, 256, (16, 16, 3)).astype("uint8")
    image[0, 0], image[0, 1] = 0, 255
    got, expected = student.preprocess(image, 16, "vit"), image / 127.5 - 1  # 16 to 16: no pixel moves
    if getattr(got, "shape", None) == expected.shape:
        picture("your picture for a ViT", got, expected)
    close(got, expected, "a picture of 16 x 16, for a ViT of 16 x 16")
    dtype = str(getattr(got, "dtype", type(got).__name__))
    assert dtype == "float32", f"expected float32, got {dtype}"


@pytest.mark.points(
    1, hint="Each colour has its own mean and deviation, in terms where white is 1: divide by 255 first."
)
def test_a_deit_gets_colours_less_the_mean_over_the_deviation(student, rng, picture):
    image = rng.integers(0, 256, (16, 16, 3)).astype("uint8")
    image[0, 0], image[0, 1] = 0, 255
    got, expected = student.preprocess(image, 16, "deit"), (image / 255 - MEAN) / DEVIATION
    if getattr(got, "shape", None) == expected.shape:
        picture("your picture for a DeiT", got, expected)
    close(got, expected, "a picture of 16 x 16, for a DeiT of 16 x 16")
    refuses(ValueError, lambda: student.preprocess(image, 16, "resnet"), "a family that is neither vit nor deit")


@pytest.mark.points(
    0.5, hint="np.repeat on the last axis makes three channels of one; [..., :3] leaves a fourth one out."
)
def test_grey_and_see_through_pictures_become_rgb(student, rng):
    grey = rng.integers(0, 256, (8, 8)).astype("uint8")
    expected = np.stack([grey, grey, grey], axis=-1) / 127.5 - 1
    close(student.preprocess(grey, 8, "vit"), expected, "a grey picture of shape (8, 8)")
    close(student.preprocess(grey[..., None], 8, "vit"), expected, "a grey picture of shape (8, 8, 1)")
    see_through = rng.integers(0, 256, (8, 8, 4)).astype("uint8")
    close(student.preprocess(see_through, 8, "vit"), see_through[..., :3] / 127.5 - 1, "RGB with alpha, (8, 8, 4)")


@pytest.mark.points(1, hint="exp(1000) is infinite. Subtract the largest logit first: it changes no probability. Why?")
def test_softmax_makes_probabilities_of_any_logits(student, rng):
    shift = float(rng.integers(-5, 5))
    logits = np.log([[1.0, 2.0, 7.0], [5.0, 1.0, 4.0]]) + shift  # exp gives these numbers back, times the same
    expected = np.array([[0.1, 0.2, 0.7], [0.5, 0.1, 0.4]])
    close(student.softmax(logits), expected, "the probabilities")
    close(
        student.softmax(logits + 1000),
        np.array([[0.1, 0.2, 0.7], [0.5, 0.1, 0.4]]),
        "... when all logits are 1000 more",
    )
    close(student.softmax(np.array([-2000.0, 0.0])), np.array([0.0, 1.0]), "the probabilities of logits -2000 and 0")


@pytest.mark.points(
    1, hint="np.argsort sorts upwards, so sort the negative; kind='stable' keeps equals in their order."
)
def test_top_k_names_the_likeliest_first(student, rng):
    names = [f"{animal} {rng.integers(100)}" for animal in ("cat", "dog", "rabbit", "hare", "mink")]
    got = student.top_k(np.array([0.125, 0.25, 0.0625, 0.5, 0.0625]), names, 3)
    equal(got, [(names[3], 3, 0.5), (names[1], 1, 0.25), (names[0], 0, 0.125)], "the three likeliest")
    got = student.top_k(np.array([0.25, 0.125, 0.25, 0.125, 0.25]), names, 4)
    expected = [(names[0], 0, 0.25), (names[2], 2, 0.25), (names[4], 4, 0.25), (names[1], 1, 0.125)]
    equal(got, expected, "the four likeliest; of equals the smaller index comes first")
    refuses(ValueError, lambda: student.top_k(np.array([0.5, 0.5]), names[:2], 3), "the top 3 of 2 classes")
