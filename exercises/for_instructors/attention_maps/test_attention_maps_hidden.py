"""The hidden tests of `attention_maps`: the same ViT in NumPy, with weights that the examiner chose."""

import numpy as np
import pytest

from vitkeras.grading import close, refuses

BLOCK = 16  # weights in a block: 2 normalisations, query, key, value and output, 2 dense layers, each of two arrays


def some_model(student, rng, channels=1, patch_size=None):
    """A model of the student's with fresh weights; these weights; and (image shape, patch size, blocks, grid)."""
    size, heads, blocks = patch_size or int(rng.integers(2, 5)), int(rng.integers(2, 4)), int(rng.integers(2, 4))
    rows = int(rng.integers(2, 4))
    grid = rows, rows + int(rng.integers(1, 3))
    shape = (size * grid[0], size * grid[1], channels)
    model = student.tiny_vit(shape, size, heads * int(rng.integers(3, 6)), heads, blocks)
    weights = [rng.normal(0, 0.5, array.shape).astype("float32") for array in model.get_weights()]
    model.set_weights(weights)
    return model, weights, (shape, size, blocks, grid)


def normalised(x, gamma, beta):
    return gamma * (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-6) + beta


def reference_scores(weights, images, size, blocks):
    """(layers, images, heads, tokens, tokens), in float64."""
    weights = [array.astype("float64") for array in weights]
    kernel, bias, table = weights[:3]
    count, height, width, _ = images.shape
    places = [(top, left) for top in range(0, height, size) for left in range(0, width, size)]
    patches = np.stack([images[:, t : t + size, left : left + size].reshape(count, -1) for t, left in places], axis=1)
    x = patches @ kernel.reshape(-1, kernel.shape[-1]) + bias + table
    found = []
    for block in range(blocks):
        g1, b1, wq, bq, wk, bk, wv, bv, wo, bo, g2, b2, w1, c1, w2, c2 = weights[3 + BLOCK * block :][:BLOCK]
        n = normalised(x, g1, b1)
        queries, keys, values = (
            np.einsum("btd,dhk->bhtk", n, kernel) + bias[:, None] for kernel, bias in ((wq, bq), (wk, bk), (wv, bv))
        )
        logits = np.einsum("bhtk,bhsk->bhts", queries, keys) / np.sqrt(wq.shape[-1])
        scores = np.exp(logits - logits.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
        found.append(scores)
        x = x + np.einsum("bhts,bhsk,hkd->btd", scores, values, wo) + bo
        x = x + np.maximum(normalised(x, g2, b2) @ w1 + c1, 0) @ w2 + c2
    return np.stack(found)


def some_scores(rng):
    """Random scores whose rows sum to one: (layers, images, heads, tokens, tokens)."""
    layers, images, heads, tokens = (int(rng.integers(low, low + 3)) for low in (2, 2, 2, 4))
    scores = rng.random((layers, images, heads, tokens, tokens)) ** 4
    return (scores / scores.sum(-1, keepdims=True)).astype("float32")


def reference_rollout(scores):
    rolled = None
    for layer in scores.astype("float64"):
        mixed = 0.5 * sum(layer[:, head] for head in range(layer.shape[1])) / layer.shape[1] + 0.5 * np.eye(
            layer.shape[-1]
        )
        rolled = mixed if rolled is None else np.einsum("bij,bjk->bik", mixed, rolled)
    return rolled


def reference_overlay(images, heat):
    stretched = np.stack([(one - one.min()) / (np.ptp(one) or 1) for one in heat.astype("float64")])
    pictures = images.astype("float64") * np.ones(3)
    red = np.stack([pictures[..., 0] * (1 - 0.6 * stretched) + 0.6 * stretched], axis=-1)
    others = pictures[..., 1:] * (1 - 0.6 * stretched)[..., None]
    return np.concatenate([red, others], axis=-1)


@pytest.mark.points(
    1, hint="Each attention layer reads what the layers before it made of the picture, not the picture."
)
@pytest.mark.parametrize("channels", [1, 3])
def test_the_scores_are_those_of_the_model(student, rng, picture, channels):
    model, weights, (shape, size, blocks, _) = some_model(student, rng, channels)
    images = rng.random((3, *shape), dtype="float32")
    got, expected = student.attention_scores(model, images), reference_scores(weights, images, size, blocks)
    if getattr(got, "shape", None) == expected.shape:
        picture("the last layer, head 0", got[-1, 0, 0], expected[-1, 0, 0])
    close(got, expected, "the scores", rtol=1e-3, atol=1e-4)


@pytest.mark.points(
    1, hint="Average the heads, add the identity, halve; each picture for itself; later layers on the left."
)
def test_the_rollout_follows_the_formula(student, rng, picture):
    scores = some_scores(rng)
    got, expected = student.rollout(scores), reference_rollout(scores)
    if getattr(got, "shape", None) == expected.shape:
        picture("the rollout", got[0], expected[0])
    close(got, expected, "the rollout")


@pytest.mark.points(0.5, hint="Heads are axis 2; the tokens that look are axis 1 of (images, tokens, tokens).")
def test_the_averages_are_taken_over_the_right_axes(student, rng):
    scores = some_scores(rng)
    expected = sum(scores[:, :, head].astype("float64") for head in range(scores.shape[2])) / scores.shape[2]
    close(student.mean_over_heads(scores), expected, "the mean over the heads")
    weights = scores[0, :, 0]
    expected = sum(weights[:, i].astype("float64") for i in range(weights.shape[1])) / weights.shape[1]
    close(student.looked_at(weights), expected, "how much each token is looked at")


@pytest.mark.points(0.5, hint="`size % grid` on both sides, and as many values as places; if not, raise ValueError.")
def test_maps_of_any_size_are_right_or_refused(student, rng):
    rows, columns, high, wide = (int(rng.integers(low, low + 4)) for low in (2, 6, 2, 6))
    values = rng.normal(size=(3, rows * columns)).astype("float32")
    expected = np.stack([np.kron(one.reshape(rows, columns), np.ones((high, wide))) for one in values])
    got = student.to_image(values, (rows, columns), (rows * high, columns * wide))
    close(got, expected, f"maps of {rows} x {columns} patches of {high} x {wide} pixels")
    refuses(
        ValueError,
        lambda: student.to_image(values, (rows, columns), (rows * high + 1, columns * wide)),
        "a height that does not fit",
    )
    refuses(
        ValueError,
        lambda: student.to_image(values, (rows, columns), (rows * high, columns * wide + 1)),
        "a width that does not fit",
    )
    refuses(
        ValueError,
        lambda: student.to_image(values[:, 1:], (rows, columns), (rows * high, columns * wide)),
        "a patch too few",
    )


@pytest.mark.points(
    0.5, hint="Each picture is stretched by its own lowest and highest heat. All alike: then 0, not 0 / 0."
)
def test_the_overlay_copes_with_colours_and_with_even_heat(student, rng, picture):
    height, width = (int(rng.integers(low, low + 4)) for low in (4, 9))
    heat = rng.normal(size=(3, height, width)).astype("float32") * np.array([1, 20, 0], "float32")[:, None, None]
    heat[2] = rng.normal()  # the same everywhere
    for channels in (1, 3):
        images = rng.random((3, height, width, channels), dtype="float32")
        got, expected = student.overlay(images, heat), reference_overlay(images, heat)
        if getattr(got, "shape", None) == expected.shape:
            picture(f"a picture of {channels} channels", got[0], expected[0])
        close(got, expected, f"pictures of {channels} channels; the heat of the third is even")


@pytest.mark.points(0.5, hint="attention_scores, rollout, looked_at, to_image, overlay: one line after the other.")
def test_the_explanation_puts_the_pieces_together(student, rng, picture):
    model, weights, (shape, size, blocks, grid) = some_model(student, rng, patch_size=6)
    images = rng.random((2, *shape), dtype="float32")
    rolled = reference_rollout(reference_scores(weights, images, size, blocks))
    heat = np.stack([np.kron(one.reshape(grid), np.ones((size, size))) for one in rolled.mean(axis=1)])
    got, expected = student.explain(model, images, grid), reference_overlay(images, heat)
    if getattr(got, "shape", None) == expected.shape:
        picture("your explanation", got[0], expected[0])
    close(got, expected, "the pictures", rtol=1e-2, atol=5e-3)
