"""The visible tests of `attention_maps`. Most of the numbers are small enough to follow with pen and paper."""

import numpy as np
import pytest

from vitkeras.grading import close

QUERY = 5, 6  # where tiny_vit's weights hold the first block's query: kernel (width, heads, key_dim) and bias


def own_weights(model, rng):
    """Fresh weights for the model, so large that no two tokens look alike."""
    weights = [rng.normal(0, 0.7, array.shape).astype("float32") for array in model.get_weights()]
    model.set_weights(weights)
    return weights


@pytest.mark.points(1, hint="MultiHeadAttention gives its scores if it is called with return_attention_scores=True.")
def test_each_row_of_the_scores_shares_out_one_look(student, rng, picture):
    model = student.tiny_vit((8, 12, 1), 4, 8, 2, 3)  # 2 x 3 patches, 2 heads, 3 layers
    weights = own_weights(model, rng)
    images = rng.random((4, 8, 12, 1), dtype="float32")
    got = student.attention_scores(model, images)
    shape = getattr(got, "shape", type(got).__name__)
    assert shape == (3, 4, 2, 6, 6), f"3 layers, 4 images, 2 heads, 6 tokens: expected (3, 4, 2, 6, 6), got {shape}"
    close(got.sum(axis=-1), np.ones((3, 4, 2, 6)), "the sums of the rows")
    assert (got >= 0).all(), "attention weights are not negative"
    assert np.ptp(got, axis=1).max() > 1e-3, "the scores should depend on the images: they are the same for all four"
    picture("one head of your first layer: who looks (rows), what is looked at (columns)", got[0, 0, 0])

    for place in QUERY:
        weights[place] = np.zeros_like(weights[place])
    model.set_weights(weights)
    got = student.attention_scores(model, images)
    close(got[0], np.full((4, 2, 6, 6), 1 / 6), "the first layer, when its queries are all zero: it looks evenly")


@pytest.mark.points(
    0.5, hint="The axes are (layers, images, heads, tokens, tokens): which number is that of the heads?"
)
def test_the_mean_is_that_of_the_heads(student, rng):
    shift = rng.integers(1, 9)
    scores = np.arange(48, dtype="float32").reshape(2, 1, 3, 2, 4) + shift  # 2 layers of 3 heads; not square, to tell
    expected = np.array([[[[8, 9, 10, 11], [12, 13, 14, 15]]], [[[32, 33, 34, 35], [36, 37, 38, 39]]]])
    close(student.mean_over_heads(scores), expected + shift, "the means")


@pytest.mark.points(
    1, hint="(A + I) / 2 for each layer; then multiply, the last layer on the left, the first on the right."
)
def test_the_rollout_multiplies_the_layers_from_the_last_to_the_first(student, picture):
    # Layer 1: both tokens look at token 0.  Layer 2: both look at token 1.  Two heads that agree.
    first, second = [[1, 0], [1, 0]], [[0, 1], [0, 1]]
    scores = np.array([[[first, first]], [[second, second]]], "float32")  # (2, 1, 2, 2, 2)
    # (second + I) / 2 is [[.5, .5], [0, 1]], (first + I) / 2 is [[1, 0], [.5, .5]], and their product:
    expected = np.array([[[0.75, 0.25], [0.5, 0.5]]])
    got = student.rollout(scores)
    if getattr(got, "shape", None) == expected.shape:
        picture("your rollout", got[0], expected[0])
    close(got, expected, "the rollout")
    close(student.rollout(scores[::-1]), np.array([[[0.5, 0.5], [0.25, 0.75]]]), "the same, with the layers swapped")


@pytest.mark.points(0.5, hint="Row i is how token i looks. How much token j is looked at stands in column j.")
def test_what_is_looked_at_stands_in_the_columns(student, rng):
    favourite = int(rng.integers(3))
    weights = np.full((1, 3, 3), 0.1, "float32")
    weights[0, :, favourite] = 0.8  # each of the three tokens looks at this one
    expected = np.full((1, 3), 0.1)
    expected[0, favourite] = 0.8
    close(student.looked_at(weights), expected, f"how much is looked at, when all look at token {favourite}")


@pytest.mark.points(
    1, hint="reshape to (rows, columns), then repeat along both axes (np.repeat, or np.kron with ones)."
)
def test_every_pixel_has_the_value_of_its_patch(student, rng, picture):
    a, b, c, d, e, f = values = rng.random(6, dtype="float32")
    expected = np.array(
        [[[a, a, b, b, c, c], [a, a, b, b, c, c], [d, d, e, e, f, f], [d, d, e, e, f, f]]],
    )
    got = student.to_image(values[None], (2, 3), (4, 6))
    if getattr(got, "shape", None) == expected.shape:
        picture("your map of 2 x 3 patches on 4 x 6 pixels", got[0], expected[0])
    close(got, expected, "the map")


@pytest.mark.points(1, hint="First stretch the heat from 0 to 1, then mix: (1 - 0.6 h) · picture + 0.6 h · (1, 0, 0).")
def test_the_overlay_is_red_where_the_heat_is_high(student, rng, picture):
    grey = float(rng.uniform(0.2, 0.9))
    image = np.full((1, 1, 3, 1), grey, "float32")
    heat = np.array([[[2.0, 3.0, 4.0]]], "float32")  # stretched: 0, 0.5 and 1
    cold = [grey, grey, grey]
    warm = [0.7 * grey + 0.3, 0.7 * grey, 0.7 * grey]
    hot = [0.4 * grey + 0.6, 0.4 * grey, 0.4 * grey]
    expected = np.array([[[cold, warm, hot]]])
    got = student.overlay(image, heat)
    if getattr(got, "shape", None) == expected.shape:
        picture("your overlay: cold, warm, hot", got[0], expected[0])
        seven, corner = np.zeros((1, 28, 28, 1), "float32"), np.zeros((1, 28, 28), "float32")
        seven[0, 6:9, 7:21] = 0.9
        for row in range(9, 23):
            seven[0, row, 19 - (row - 9) // 2 : 22 - (row - 9) // 2] = 0.9
        corner[0, :14, 14:] = 1
        picture("a 7, somebody looks at its corner", student.overlay(seven, corner)[0])
    close(got, expected, f"three pixels of grey {grey:.3f}: cold, warm, hot")
