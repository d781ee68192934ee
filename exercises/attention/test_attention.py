"""The visible tests of `attention`: small cases, calculated by hand."""

import math

import numpy as np
import pytest

from vitkeras.grading import Different, close, equal

# One query and two keys of width 4, so √d = 2. The query times the keys is 0 and 2 ln 3; over √d: 0 and ln 3.
# The exponentials of these are 1 and 3, and they sum to 4: the scores are 1/4 and 3/4.
Q = np.array([[[[2, 0, 0, 0]]]], "float32")
K = np.array([[[[0, 5, 5, 5], [math.log(3), 0, 7, 0]]]], "float32")
V = np.array([[[[0, 4], [4, 8]]]], "float32")
SCORES = np.array([[[[0.25, 0.75]]]])
OUTPUT = np.array([[[[3, 7]]]])  # 0.25 * 0 + 0.75 * 4, 0.25 * 4 + 0.75 * 8

NAMES = [f"{name} {part}" for name in ("query", "key", "value", "output") for part in ("kernel", "bias")]


def pair(got, what):
    if not isinstance(got, (list, tuple)) or len(got) != 2:
        raise Different(f"what {what} gives back", "output and scores", f"{got!r:.200}")
    return got


def give(layer, *weights):
    """Set the weights, which the task wants in this order. (A kernel with an axis for the heads is fine as well.)"""
    own = [np.shape(weight) for weight in layer.get_weights()]
    equal(len(own), len(weights), "the number of weights of the layer")
    for number, (weight, shape) in enumerate(zip(weights, own, strict=True)):
        if math.prod(shape) != weight.size:
            what = f"get_weights()[{number}] is to be the {NAMES[number]}"
            raise Different(what, f"shape {weight.shape}", f"shape {shape}")
    layer.set_weights([weight.astype("float32").reshape(shape) for weight, shape in zip(weights, own, strict=True)])


@pytest.mark.points(1, hint="First Q Kᵀ, divided by √d; then softmax over the sources, the last axis; then times V.")
def test_a_query_mixes_two_values_by_one_quarter_and_three(student, rng):
    times = float(rng.integers(2, 10))
    output, scores = pair(student.scaled_dot_product(Q, K, V * np.float32(times)), "scaled_dot_product()")
    close(scores, SCORES, "the scores")
    close(output, OUTPUT * times, "the output")


@pytest.mark.points(
    1, hint="True means attend. Put a large negative number where the mask is False, and 0 after softmax."
)
def test_a_token_that_is_masked_has_no_say(student):
    q, k, v = (np.repeat(x, 2, axis=1) for x in (Q, K, V))  # two heads, both as above
    mask = np.array(
        [[[[True, False]], [[False, False]]]]
    )  # the first looks at the first token only, the second at none
    output, scores = pair(student.scaled_dot_product(q, k, v, mask), "scaled_dot_product()")
    close(scores, [[[[1, 0]], [[0, 0]]]], "the scores of two heads; the second may look at nothing")
    close(output, [[[[0, 4]], [[0, 0]]]], "the output of two heads; the second may look at nothing")


@pytest.mark.points(0.5, hint="Reshape to (batch, tokens, heads, d); only then swap the two axes in the middle.")
def test_the_first_head_gets_the_first_columns(student, rng):
    x = np.array([[[1, 2, 3, 4, 5, 6], [10, 20, 30, 40, 50, 60]]], "float32") + 100 * rng.integers(10)
    expected = np.stack([x[:, :, 0:2], x[:, :, 2:4], x[:, :, 4:6]], axis=1)
    equal(student.split_heads(x, 3), expected, "two tokens of width 6, split among 3 heads")


@pytest.mark.points(0.5, hint="Swap the two axes in the middle back; only then reshape.")
def test_joined_heads_lie_side_by_side(student, rng):
    more = 100 * rng.integers(10)
    first, second = np.array([[1, 2], [3, 4], [5, 6]]) + more, np.array([[10, 20], [30, 40], [50, 60]]) + more
    x = np.stack([first, second])[None].astype("float32")  # (1, 2 heads, 3 tokens, 2)
    expected = np.concatenate([first, second], axis=-1)[None]  # [1, 2, 10, 20], [3, 4, 30, 40], [5, 6, 50, 60]
    equal(student.join_heads(x), expected, "two heads, joined")


@pytest.mark.points(1, hint="If all keys are alike, all scores are, and the output is the mean of the values.")
def test_with_keys_alike_every_token_gets_the_mean_of_all(student, rng):
    layer = student.MultiHeadAttention(num_heads=1, key_dim=2)
    tokens = np.array([[[1, 10], [2, 20], [6, 60]]], "float32") + np.float32(rng.integers(100))
    layer(tokens)  # the first call makes the weights
    nothing, same = np.zeros((2, 2)), np.eye(2)
    #           query kernel, bias,    key kernel, bias,    value kernel, bias, output kernel, bias
    give(layer, nothing, np.zeros(2), nothing, np.zeros(2), same, np.zeros(2), same, np.array([0.0, 1000.0]))
    mean = tokens.mean(1, keepdims=True) + np.array([0, 1000])
    close(layer(tokens), np.repeat(mean, 3, axis=1), "the mean of the tokens, and the bias 0, 1000 of the output")


@pytest.mark.points(1, hint="split_heads on Q, K and V, scaled_dot_product, join_heads, and the output projection.")
def test_each_head_looks_with_its_own_columns(student, picture):
    layer = student.MultiHeadAttention(num_heads=2, key_dim=1)
    tokens = np.array([[[1, 0, 8], [0, 1, 4]]], "float32")  # width 3: the output gets it back, the heads have 1 each
    layer(tokens)
    looks = np.array([[0, 50], [0, 0], [0, 0]])  # head 0 has queries of 0, head 1 one that asks for what the first has
    value = np.array([[0, 0], [0, 0], [1, 1]])  # both heads mix the 8 and the 4
    output = np.array([[1, 0, 0], [0, 1, 0]])  # head 0 is written to the first column, head 1 to the second
    give(layer, looks, np.zeros(2), looks, np.zeros(2), value, np.zeros(2), output, np.zeros(3))
    got, scores = pair(layer(tokens, return_scores=True), "the layer with return_scores=True")
    # The first token's query in head 1 is 50, and its product with the first key 2500: there is no looking elsewhere.
    expected = np.array([[[[0.5, 0.5], [0.5, 0.5]], [[1, 0], [0.5, 0.5]]]])
    if getattr(scores, "shape", None) == expected.shape:
        picture("the scores of your two heads, one below the other", scores.reshape(4, 2), expected.reshape(4, 2))
    close(scores, expected, "the scores")
    close(got, [[[6, 8, 0], [6, 6, 0]]], "the output")
