"""The hidden tests of `attention`: any shapes, a reference in NumPy (float64), gradients by central differences."""

import math

import numpy as np
import pytest

from vitkeras.grading import Different, close, equal


def reference(q, k, v, mask=True):
    """Output and scores; a row that may attend to nothing is 0."""
    affinities = np.einsum("bhtd,bhsd->bhts", q, k, dtype="float64") / math.sqrt(q.shape[-1])
    largest = np.max(affinities, axis=-1, keepdims=True)
    powers = np.where(mask, np.exp(affinities - largest), 0)
    total = powers.sum(-1, keepdims=True)
    scores = np.divide(powers, total, out=np.zeros_like(powers), where=total > 0)
    return np.einsum("bhts,bhsd->bhtd", scores, v), scores


def layer_reference(query, value, weights, heads, mask=None):
    query_kernel, query_bias, key_kernel, key_bias, value_kernel, value_bias, output_kernel, output_bias = weights

    def head_by_head(x):  # (batch, tokens, heads * d) -> (batch, heads, tokens, d)
        return np.stack(np.split(x, heads, axis=-1), axis=1)

    q = head_by_head(query @ query_kernel + query_bias)
    k = head_by_head(value @ key_kernel + key_bias)
    v = head_by_head(value @ value_kernel + value_bias)
    mixed, scores = reference(q, k, v, True if mask is None else mask[:, None])
    return np.concatenate(list(np.moveaxis(mixed, 1, 0)), axis=-1) @ output_kernel + output_bias, scores


def slopes(number_of, x, step=1e-5):
    """The gradient of a number by nudging each value of x a little up and down."""
    x = x.astype("float64")
    gradient = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        nudge = np.zeros_like(x)
        nudge[place] = step
        gradient[place] = (number_of(x + nudge) - number_of(x - nudge)) / (2 * step)
    return gradient


def some(rng, *shape):
    return rng.normal(size=shape).astype("float32")


def some_heads(rng):
    """q, k, v with another size on each axis."""
    batch, heads = rng.integers(2, 4, 2)
    targets, sources, d, width = rng.choice(np.arange(2, 7), 4, replace=False)
    return (
        some(rng, batch, heads, targets, d),
        some(rng, batch, heads, sources, d),
        some(rng, batch, heads, sources, width),
    )


def pair(got, what):
    if not isinstance(got, (list, tuple)) or len(got) != 2:
        raise Different(f"what {what} gives back", "output and scores", f"{got!r:.200}")
    return got


def some_layer(student, rng, cross):
    """A layer with random weights, its inputs, the weights, and the number of heads. key_dim is no width / heads."""
    heads, key_dim = (int(n) for n in rng.choice(np.arange(2, 5), 2, replace=False))
    query_width, value_width = (int(n) for n in rng.choice(np.arange(5, 12), 2, replace=False))
    targets, sources = rng.choice(np.arange(3, 7), 2, replace=False)
    query = some(rng, 2, targets, query_width)
    value = some(rng, 2, sources, value_width) if cross else query
    layer = student.MultiHeadAttention(num_heads=heads, key_dim=key_dim)
    layer(query, value) if cross else layer(query)
    inner, from_value = heads * key_dim, value.shape[-1]
    shapes = [(query_width, inner), (inner,), (from_value, inner), (inner,), (from_value, inner), (inner,)]
    weights = [0.7 * some(rng, *shape) for shape in [*shapes, (inner, query_width), (query_width,)]]
    own = [np.shape(weight) for weight in layer.get_weights()]
    if [math.prod(shape) for shape in own] != [weight.size for weight in weights]:
        what = f"MultiHeadAttention({heads}, {key_dim}) for query {query.shape} and value {value.shape}"
        raise Different(f"the shapes of get_weights(), {what}", f"{[weight.shape for weight in weights]}", f"{own}")
    layer.set_weights([weight.reshape(shape) for weight, shape in zip(weights, own, strict=True)])
    return layer, query, value, weights, heads


@pytest.mark.points(0.5, hint="Targets, sources, d and the width of v may all differ.")
def test_scaled_dot_product_is_right_for_any_shapes(student, rng, picture):
    q, k, v = some_heads(rng)
    output, scores = pair(student.scaled_dot_product(q, k, v), "scaled_dot_product()")
    expected, expected_scores = reference(q, k, v)
    if getattr(scores, "shape", None) == expected_scores.shape:
        picture("the scores of your first head", scores[0, 0], expected_scores[0, 0])
    close(scores, expected_scores, f"the scores of q {q.shape}, k {k.shape}, v {v.shape}")
    close(output, expected, f"the output of q {q.shape}, k {k.shape}, v {v.shape}")


@pytest.mark.points(
    0.5, hint="exp(1000) is infinite. Subtract the largest number of each row, or use keras.ops.softmax."
)
def test_large_numbers_do_not_overflow(student, rng):
    _, _, v = some_heads(rng)
    batch, heads, sources, _ = v.shape
    k = np.tile(np.eye(sources, dtype="float32"), (batch, heads, 1, 1))  # each key a direction of its own
    sharp = rng.integers(0, sources, (batch, heads, 3))
    q = 2000 * k[0, 0][sharp]  # (batch, heads, 3, sources): each query is the key it asks for, 2000 times as long
    output, scores = pair(student.scaled_dot_product(q, k, v), "scaled_dot_product() of large numbers")
    close(scores, k[0, 0][sharp], "the scores where one key fits beyond all others")
    close(output, np.take_along_axis(v, sharp[..., None], axis=2), "the output where one key fits beyond all others")


@pytest.mark.points(0.75, hint="Stay in keras.ops or TensorFlow from the beginning to the end: NumPy has no gradients.")
def test_gradients_reach_queries_keys_and_values(student, rng):
    q, k, v = some_heads(rng)
    gradients_agree(student, rng, q, k, v, None)


@pytest.mark.points(
    0.75, hint="-1e9 instead of -infinity: softmax of nothing but -infinity is NaN, its gradient as well."
)
def test_a_mask_holds_for_gradients_also_where_all_is_masked(student, rng):
    q, k, v = some_heads(rng)
    mask = rng.random((len(q), 1, q.shape[2], k.shape[2])) < 0.6
    mask[..., 0] = True
    mask[0, 0, 1] = False  # one target that may attend to nothing
    mask[-1, 0, 0, 1] = False
    output, scores = pair(student.scaled_dot_product(q, k, v, mask), "scaled_dot_product() with a mask")
    expected, expected_scores = reference(q, k, v, mask)
    close(scores, expected_scores, "the scores with a mask (one target may attend to nothing)")
    close(output, expected, "the output with a mask (one target may attend to nothing)")
    gradients_agree(student, rng, q, k, v, mask)


def gradients_agree(student, rng, q, k, v, mask):
    upstream = some(rng, *q.shape[:3], v.shape[-1])
    arguments = (q, k, v) if mask is None else (q, k, v, mask)
    _, gradients = student.gradients("scaled_dot_product", *arguments, upstream=upstream)
    allowed = True if mask is None else mask
    numbers = {
        "q": (q, lambda x: (reference(x, k, v, allowed)[0] * upstream).sum()),
        "k": (k, lambda x: (reference(q, x, v, allowed)[0] * upstream).sum()),
        "v": (v, lambda x: (reference(q, k, x, allowed)[0] * upstream).sum()),
    }
    for gradient, (name, (x, number_of)) in zip(gradients, numbers.items(), strict=True):
        close(gradient, slopes(number_of, x), f"the gradient with respect to {name}", rtol=1e-3, atol=1e-4)


@pytest.mark.points(0.5, hint="(batch, tokens, heads, d) and (batch, heads, tokens, d) differ by a transpose.")
def test_heads_are_split_and_joined_for_any_shapes(student, rng):
    batch, heads, tokens, d = rng.choice(np.arange(2, 7), 4, replace=False)
    x = some(rng, batch, tokens, heads * d)
    split = np.stack(np.split(x, heads, axis=-1), axis=1)
    equal(student.split_heads(x, int(heads)), split, f"{x.shape}, split among {heads} heads")
    equal(student.join_heads(split), x, f"{split.shape}, joined")


@pytest.mark.points(
    0.75, hint="key_dim is the width of one head. Scale by √key_dim, and project back to the query's width."
)
def test_the_layer_is_right_with_any_weights(student, rng):
    layer, query, value, weights, heads = some_layer(student, rng, cross=False)
    expected, _ = layer_reference(query, value, weights, heads)
    close(layer(query), expected, f"the output for tokens {query.shape}, {heads} heads")


@pytest.mark.points(0.75, hint="Keys and values come from `value`. The mask has no axis for the heads: give it one.")
def test_the_layer_attends_to_another_input_through_a_mask(student, rng):
    layer, query, value, weights, heads = some_layer(student, rng, cross=True)
    mask = rng.random((2, query.shape[1], value.shape[1])) < 0.6
    mask[0, 0], mask[1, 0] = True, False
    what = f"for query {query.shape}, value {value.shape} and a mask {mask.shape}"
    got = layer(query, value, attention_mask=mask, return_scores=True)
    output, scores = pair(got, "the layer with return_scores=True")
    expected, expected_scores = layer_reference(query, value, weights, heads, mask)
    close(scores, expected_scores, f"the scores {what}")
    close(output, expected, f"the output {what}")


@pytest.mark.points(0.5, hint="All eight weights learn. Make them with layers.Dense, in the order that the task names.")
def test_gradients_reach_the_weights_of_the_layer(student, rng):
    layer, query, value, weights, heads = some_layer(student, rng, cross=False)
    upstream = some(rng, *query.shape)
    _, _, gradients = student.gradients(layer, query, upstream=upstream, weights=True)
    equal(len(gradients), 8, "the number of trainable weights")
    parts = [f"{name} {part}" for name in ("query", "key", "value", "output") for part in ("kernel", "bias")]
    for number, (name, weight, gradient) in enumerate(zip(parts, weights, gradients, strict=True)):

        def number_of(changed, number=number):
            all_weights = [*weights[:number], changed, *weights[number + 1 :]]
            return (layer_reference(query, value, all_weights, heads)[0] * upstream).sum()

        if np.size(gradient) == weight.size:
            gradient = np.reshape(gradient, weight.shape)
        close(gradient, slopes(number_of, weight), f"the gradient of the {name}", rtol=1e-3, atol=1e-3)
