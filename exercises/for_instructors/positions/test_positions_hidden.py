"""The hidden tests of `positions`: any sizes, and references in NumPy (float64)."""

import math

import numpy as np
import pytest

from vitkeras.grading import Different, close, equal


def softmax(scores):
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def attention(tokens):
    tokens = np.asarray(tokens, "float64")
    return softmax(tokens @ tokens.transpose(0, 2, 1) / math.sqrt(tokens.shape[-1])) @ tokens


def both_ways(tokens, order, table=0.0):
    """Reordered, then attended; and attended, then reordered."""
    return attention(tokens[:, order] + table), attention(tokens + table)[:, order]


def some_tokens(rng):
    batch, tokens, width = rng.integers(2, 4), rng.integers(4, 8), rng.integers(3, 7)
    order = rng.permutation(tokens)
    while (order == np.sort(order)).any():  # every token shall move
        order = rng.permutation(tokens)
    return rng.normal(size=(batch, tokens, width)).astype("float32"), order


def some_encoder(student, rng):
    """A layer with random weights, the patches for it, and the weights in the order: kernel, bias, table."""
    patches, values, width = rng.choice(np.arange(3, 12), 3, replace=False)  # all different: no axis is mistaken
    inputs = rng.normal(size=(int(rng.integers(2, 5)), patches, values)).astype("float32")
    layer = student.PatchEncoder(num_patches=int(patches), projection_dim=int(width))
    layer(inputs)
    weights = [rng.normal(size=shape).astype("float32") for shape in ((values, width), (width,), (patches, width))]
    by_size = {weight.size: weight for weight in weights}
    own = [weight.shape for weight in layer.get_weights()]
    if sorted(map(math.prod, own)) != sorted(by_size):
        expected = "kernel {}, bias {}, table {}".format(*(weight.shape for weight in weights))
        what = f"the shapes of the weights of PatchEncoder({patches}, {width}) for patches of {values} values"
        raise Different(what, expected, ", ".join(map(str, own)) or "no weights")
    layer.set_weights([by_size[math.prod(shape)].reshape(shape) for shape in own])
    return layer, inputs, weights


@pytest.mark.points(1, hint="All images of a batch get the same table; patches, values and width may be any numbers.")
def test_the_encoder_is_right_for_any_sizes(student, rng):
    layer, patches, (kernel, bias, table) = some_encoder(student, rng)
    close(layer(patches), patches.astype("float64") @ kernel + bias + table, f"the tokens of patches {patches.shape}")


@pytest.mark.points(1, hint="Only what Keras keeps as a trainable weight learns: Dense, Embedding, or add_weight.")
def test_the_encoder_learns_kernel_bias_and_table(student, rng):
    layer, patches, (kernel, bias, table) = some_encoder(student, rng)
    upstream = rng.normal(size=(*patches.shape[:2], len(bias))).astype("float32")
    _, (of_patches,), of_weights = student.gradients(layer, patches, upstream=upstream, weights=True)
    close(of_patches, upstream.astype("float64") @ kernel.T, "the gradient of the patches")
    expected = {
        kernel.size: ("kernel", np.einsum("bpv,bpd->vd", patches, upstream, dtype="float64")),
        bias.size: ("bias", upstream.sum((0, 1), dtype="float64")),
        table.size: ("table", upstream.sum(0, dtype="float64")),
    }
    equal(len(of_weights), 3, "the number of trainable weights")
    for got in of_weights:
        name, gradient = expected.pop(np.size(got), ("a weight that is none of kernel, bias and table", np.zeros(0)))
        close(
            np.reshape(got, gradient.shape) if np.size(got) == gradient.size else got,
            gradient,
            f"gradient of the {name}",
        )


@pytest.mark.points(0.5, hint="Subtract the largest number of each row before exp, or take keras.ops.softmax.")
def test_attend_is_right_for_any_sizes_and_large_numbers(student, rng):
    for scale in (1, 30):
        tokens, _ = some_tokens(rng)
        tokens = tokens * np.float32(scale)
        what = f"tokens {tokens.shape}, most of them from {-scale} to {scale}, after attention"
        close(student.attend(tokens), attention(tokens), what, atol=1e-5 * scale**2)


@pytest.mark.points(0.75, hint="Without a table, only the order of the two steps differs.")
def test_both_ways_are_right_without_a_table(student, rng):
    tokens, order = some_tokens(rng)
    first, second = both_ways(tokens, order)
    close(student.reordered_then_attended(tokens, order), first, f"reordered by {order}, then attended")
    close(student.attended_then_reordered(tokens, order), second, f"attended, then reordered by {order}")


@pytest.mark.points(0.75, hint="reordered_then_attended adds the table after the reordering: the table does not move.")
def test_both_ways_are_right_with_a_table(student, rng):
    tokens, order = some_tokens(rng)
    table = rng.normal(size=tokens.shape[1:]).astype("float32")
    first, second = both_ways(tokens, order, table)
    close(student.reordered_then_attended(tokens, order, table), first, f"reordered by {order}, placed, attended")
    close(student.attended_then_reordered(tokens, order, table), second, f"placed, attended, reordered by {order}")


@pytest.mark.points(
    1, hint="Two tokens are enough. A table with equal rows makes all places look alike, and shows nothing."
)
def test_the_witness_shows_that_order_matters_with_positions(student):
    got = student.witness()
    try:
        tokens, order, table = (np.asarray(part, "float64") for part in got)
        batch, number, width = tokens.shape
    except (TypeError, ValueError):
        raise Different(
            "the witness", "tokens (1, tokens, D), an order and a table, of numbers", f"{got!r:.200}"
        ) from None
    if batch != 1 or not 2 <= number <= 16 or not 1 <= width <= 16:
        raise Different("the shape of the witness's tokens", "(1, 2 to 16, 1 to 16)", str(tokens.shape))
    equal(table.shape, (number, width), "the shape of the witness's table")
    equal(np.sort(order, axis=None), np.arange(number), "the witness's order, sorted")
    for name, part in (("tokens", tokens), ("table", table)):
        if not (np.abs(part) <= 3).all():
            raise Different(f"the witness's {name}", "numbers from -3 to 3", f"{part.ravel()[:6]}")
    first, second = both_ways(tokens, order.ravel().astype(int), table)
    difference = np.abs(first - second).max()
    if difference < 0.1:
        raise Different("the two ways, gone with the witness", "to differ by 0.1 or more", f"{difference:.4f} at most")
