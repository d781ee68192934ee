"""The visible tests of `positions`: two or three tokens, and what becomes of them calculated by hand."""

import math

import numpy as np
import pytest

from vitkeras.grading import Different, close, equal

# Four values a patch, three patches, tokens of width 2.
PATCHES = np.array([[[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 1]]], "float32")
KERNEL = np.array([[1, 2], [3, 4], [5, 6], [7, 8]], "float32")
BIAS = np.array([10, 20], "float32")
TABLE = np.array([[100, 200], [300, 400], [500, 600]], "float32")
ENCODED = np.array([[[111, 222], [313, 424], [522, 634]]])  # the last: 5 + 7 + 10 + 500 and 6 + 8 + 20 + 600

# Two tokens of width 4. Each times itself is 4, times the other 0; over √4 that is 2 and 0.
TOKENS = np.array([[[2, 0, 0, 0], [0, 2, 0, 0]]], "float32")
SAME = math.exp(2) / (math.exp(2) + math.exp(0))  # the softmax of (2, 0): 0.88 and 0.12
OTHER = 1 - SAME
ATTENDED = np.array([[[2 * SAME, 2 * OTHER, 0, 0], [2 * OTHER, 2 * SAME, 0, 0]]])


def give(layer, *weights):
    """Set the layer's weights in the order in which it keeps them: their sizes tell which is which."""
    by_size = {weight.size: weight for weight in weights}
    own = [weight.shape for weight in layer.get_weights()]
    if sorted(math.prod(shape) for shape in own) != sorted(by_size):
        expected = "kernel {}, bias {}, table {}".format(*(weight.shape for weight in weights))
        raise Different("the shapes of the weights of PatchEncoder", expected, ", ".join(map(str, own)) or "no weights")
    layer.set_weights([by_size[math.prod(shape)].reshape(shape) for shape in own])


@pytest.mark.points(
    1.5, hint="Dense for kernel and bias, Embedding for the table, looked up for 0, 1, … num_patches - 1."
)
def test_a_token_is_its_patch_times_the_kernel_plus_bias_and_place(student):
    layer = student.PatchEncoder(3, 2)
    layer(PATCHES)  # the first call makes the weights
    give(layer, KERNEL, BIAS, TABLE)
    got = layer(PATCHES)
    close(got, ENCODED, "the tokens")
    close(layer(0 * PATCHES), TABLE[None] + BIAS, "the tokens of black patches")


@pytest.mark.points(0.5, hint='{**super().get_config(), "num_patches": …, …}, and **kwargs for what Keras adds.')
def test_the_layer_is_made_again_from_its_config(student):
    config = student.PatchEncoder(num_patches=3, projection_dim=2).get_config()
    equal(isinstance(config, dict), True, "get_config() gives a dict")
    again = student.PatchEncoder(**config)
    again(PATCHES)
    give(again, KERNEL, BIAS, TABLE)
    close(again(PATCHES), ENCODED, "the tokens, from a layer made of the config of another")


@pytest.mark.points(1, hint="First T Tᵀ, divided by √D; then softmax along each row; then times T.")
def test_attend_mixes_two_tokens_as_calculated_by_hand(student, rng, picture):
    got = student.attend(TOKENS)
    if getattr(got, "shape", None) == ATTENDED.shape:
        picture("your two tokens, after attention", got[0], ATTENDED[0])
    close(got, ATTENDED, "the two tokens after attention")
    alike = np.full((2, 3, 5), rng.random(), "float32")
    close(student.attend(alike), alike, "tokens that are all alike: mixed, they stay what they are")


@pytest.mark.points(0.5, hint="Tokens are on axis 1: keras.ops.take(tokens, order, axis=1). In NumPy tokens[:, order].")
def test_reorder_puts_token_number_order_i_in_place_i(student, rng):
    more = 100 * rng.integers(10)
    tokens = np.array([[[10], [20], [30]], [[40], [50], [60]]], "float32") + more
    expected = np.array([[[30], [10], [20]], [[60], [40], [50]]]) + more
    equal(student.reorder(tokens, [2, 0, 1]), expected, "the tokens of two images, in the order 2, 0, 1")


@pytest.mark.points(0.75, hint="Without a table nothing is added: only the order of the two steps differs.")
def test_without_a_table_both_ways_lead_to_the_same(student):
    swapped = ATTENDED[:, [1, 0]]
    close(student.reordered_then_attended(TOKENS, [1, 0]), swapped, "first swapped, then attended")
    close(student.attended_then_reordered(TOKENS, [1, 0]), swapped, "first attended, then swapped")


@pytest.mark.points(0.75, hint="The table stays where it is: row 0 is added to whatever stands in place 0 just then.")
def test_with_a_table_the_two_ways_part(student):
    table = np.array([[0, 0, 4, 0], [0, 0, 0, 0]], "float32")
    # Swapped, then the table: (0, 2, 4, 0) and (2, 0, 0, 0). Times itself / times the other, over √4: 10 / 0 and 2 / 0.
    much = math.exp(10) / (math.exp(10) + 1)
    first = [[[2 * (1 - much), 2 * much, 4 * much, 0], [2 * SAME, 2 * OTHER, 4 * OTHER, 0]]]
    close(student.reordered_then_attended(TOKENS, [1, 0], table), first, "swapped, told the place, attended")
    # The table, then swapped: (2, 0, 4, 0) and (0, 2, 0, 0) before attention; the second one comes first after it.
    second = [[[2 * OTHER, 2 * SAME, 4 * OTHER, 0], [2 * much, 2 * (1 - much), 4 * much, 0]]]
    close(student.attended_then_reordered(TOKENS, [1, 0], table), second, "told the place, attended, swapped")
