"""The hidden tests of `encoder_block`: any sizes and weights, and equations 2 and 3 in NumPy (float64)."""

import math

import numpy as np
import pytest

from vitkeras.grading import Different, close, equal

erf = np.vectorize(math.erf)


def layer_norm(x, gamma, beta):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-6) * gamma + beta


def attention(x, heads, weights):
    """x (batch, tokens, width); weights: query, key, value and output kernel, each with its bias."""
    query, key, value = (x @ kernel + bias for kernel, bias in zip(weights[0:6:2], weights[1:6:2], strict=True))
    mixed = []
    for q, k, v in zip(*(np.split(each, heads, axis=-1) for each in (query, key, value)), strict=True):
        scores = q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1])
        powers = np.exp(scores - scores.max(-1, keepdims=True))
        mixed.append(powers / powers.sum(-1, keepdims=True) @ v)
    return np.concatenate(mixed, axis=-1) @ weights[6] + weights[7]


def reference(tokens, heads, weights):
    tokens = np.asarray(tokens, "float64")
    gamma_1, beta_1, *of_attention, gamma_2, beta_2, kernel_1, bias_1, kernel_2, bias_2 = weights
    tokens = attention(layer_norm(tokens, gamma_1, beta_1), heads, of_attention) + tokens
    hidden = layer_norm(tokens, gamma_2, beta_2) @ kernel_1 + bias_1
    return hidden * (1 + erf(hidden / math.sqrt(2))) / 2 @ kernel_2 + bias_2 + tokens


def some_block(student, rng):
    """A block with random weights, tokens for it, its weights, and its sizes. key_dim is not width / heads."""
    heads, key_dim = (int(n) for n in rng.choice(np.arange(2, 5), 2, replace=False))
    width, mlp_dim = (int(n) for n in rng.choice(np.arange(5, 12), 2, replace=False))
    inner = heads * key_dim
    tokens = rng.normal(size=(3, int(rng.integers(3, 6)), width)).astype("float32")
    block = student.EncoderBlock(num_heads=heads, key_dim=key_dim, mlp_dim=mlp_dim)
    block(tokens)
    norm = [(width,), (width,)]
    of_attention = [(width, inner), (inner,)] * 3 + [(inner, width), (width,)]
    shapes = [*norm, *of_attention, *norm, (width, mlp_dim), (mlp_dim,), (mlp_dim, width), (width,)]
    weights = [rng.normal(0, 0.6, shape).astype("float32") for shape in shapes]
    own = [np.shape(weight) for weight in block.get_weights()]
    if [math.prod(shape) for shape in own] != [weight.size for weight in weights]:
        what = f"EncoderBlock({heads}, {key_dim}, {mlp_dim}) for tokens of width {width}"
        raise Different(f"the shapes of get_weights(), {what}", f"{shapes}", f"{own}")
    block.set_weights([weight.reshape(shape) for weight, shape in zip(weights, own, strict=True)])
    return block, tokens, weights, {"width": width, "num_heads": heads, "key_dim": key_dim, "mlp_dim": mlp_dim}


@pytest.mark.points(2, hint="LayerNorm, attention, plus what came in; LayerNorm, MLP, plus what came out of that.")
def test_a_block_is_equations_2_and_3(student, rng):
    block, tokens, weights, sizes = some_block(student, rng)
    close(block(tokens), reference(tokens, sizes["num_heads"], weights), f"the output of a block with {sizes}")


@pytest.mark.points(0.75, hint="Leave no tensor for NumPy on the way: the gradient ends there.")
def test_gradients_reach_the_tokens(student, rng):
    block, tokens, weights, sizes = some_block(student, rng)
    upstream = rng.normal(size=tokens.shape).astype("float32")
    _, (gradient,) = student.gradients(block, tokens, upstream=upstream)
    expected = np.zeros_like(tokens, "float64")
    for place in np.ndindex(tokens.shape):
        nudge = np.zeros_like(expected)
        nudge[place] = 1e-5
        up, down = (reference(tokens + way * nudge, sizes["num_heads"], weights) for way in (1, -1))
        expected[place] = ((up - down) * upstream).sum() / 2e-5
    close(gradient, expected, "the gradient of the tokens", rtol=1e-3, atol=1e-3)


@pytest.mark.points(0.75, hint="All 16 weights learn: make them with Keras's layers, and keep those in self.")
def test_gradients_reach_every_weight(student, rng):
    block, tokens, weights, sizes = some_block(student, rng)
    upstream = rng.normal(size=tokens.shape).astype("float32")
    _, _, gradients = student.gradients(block, tokens, upstream=upstream, weights=True)
    equal(len(gradients), 16, "the number of trainable weights")
    for number, (weight, gradient) in enumerate(zip(weights, gradients, strict=True)):
        what = f"the gradient of weight {number + 1} of 16, of shape {weight.shape}"
        equal(np.size(gradient), weight.size, f"the size of {what}")
        direction = rng.normal(size=weight.shape)  # along which the weight moves a little, both ways
        moved = ([*weights[:number], weight + way * 1e-5 * direction, *weights[number + 1 :]] for way in (1, -1))
        up, down = (reference(tokens, sizes["num_heads"], each) for each in moved)
        expected = ((up - down) * upstream).sum() / 2e-5
        close((np.reshape(gradient, weight.shape) * direction).sum(), expected, what, rtol=1e-3, atol=2e-3)


@pytest.mark.points(0.5, hint="The heads together are num_heads * key_dim wide, which need not be the width.")
def test_parameters_are_counted_for_any_sizes(student, rng):
    for _ in range(3):
        width, heads, key_dim, mlp_dim = (int(n) for n in rng.integers(2, 1000, 4))
        inner = heads * key_dim
        expected = 4 * width * inner + 3 * inner + width + 2 * width * mlp_dim + mlp_dim + width + 4 * width
        got = student.parameters(width=width, num_heads=heads, key_dim=key_dim, mlp_dim=mlp_dim)
        equal(got, expected, f"parameters({width}, {heads}, {key_dim}, {mlp_dim})")


@pytest.mark.points(0.5, hint="Build a block, and compare block.count_params() with your formula.")
def test_the_count_is_what_the_block_has(student, rng):
    block, _, _, sizes = some_block(student, rng)
    has = sum(np.size(weight) for weight in block.get_weights())
    equal(student.parameters(**sizes), has, f"parameters of {sizes}, and the numbers in get_weights()")


@pytest.mark.points(
    0.5, hint="LayerNorm looks along the last axis, attention along the tokens; nothing along the batch."
)
def test_images_of_a_batch_do_not_influence_one_another(student, rng):
    block, tokens, weights, sizes = some_block(student, rng)
    expected = reference(tokens, sizes["num_heads"], weights)
    close(block(tokens), expected, "all images together")
    for number in range(len(tokens)):
        close(block(tokens[number : number + 1]), expected[number : number + 1], f"image {number}, by itself")
