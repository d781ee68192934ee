import itertools

import keras
import numpy as np
import pytest

from vitkeras import MyMultiHeadAttention, copy_attention_weights
from vitkeras.layers.masks import softmax_where

to_numpy = keras.ops.convert_to_numpy


def normal(rng, *shape):
    return rng.normal(size=shape).astype("float32")


def twins(rng, query, value, key=None, *, heads=3, key_dim=5, **settings):
    """Keras's layer and ours with the same random weights, biases included."""
    theirs = keras.layers.MultiHeadAttention(heads, key_dim, dropout=0.1, **settings)
    mine = MyMultiHeadAttention(heads, key_dim, **settings)
    theirs.build(query.shape, value.shape, None if key is None else key.shape)
    theirs.set_weights([0.3 * normal(rng, *w.shape) for w in theirs.weights])
    copy_attention_weights(theirs, mine)
    return theirs, mine


def numpy_attention(layer, query, value, key, allowed):
    """An independent implementation: loops over images, heads and targets, in float64."""
    w = [
        [to_numpy(v).astype("float64") for v in getattr(layer, n).weights]
        for n in ("query_dense", "key_dense", "value_dense")
    ]
    q, k, v = (x.astype("float64") @ kernel + bias for x, (kernel, bias) in zip((query, key, value), w, strict=True))
    kernel, bias = (to_numpy(x).astype("float64") for x in layer.output_dense.weights)
    heads, d, dv = layer.num_heads, layer.key_dim, layer.value_dim
    mixed = np.zeros((*q.shape[:2], heads * dv))
    for image, head, target in itertools.product(range(len(q)), range(heads), range(q.shape[1])):
        places = np.flatnonzero(allowed[image, head, target])
        if len(places):
            scores = (
                k[image, places, head * d : (head + 1) * d] @ q[image, target, head * d : (head + 1) * d] / np.sqrt(d)
            )
            weights = np.exp(scores - scores.max())
            weights /= weights.sum()
            mixed[image, target, head * dv : (head + 1) * dv] = weights @ v[image, places, head * dv : (head + 1) * dv]
    return mixed @ kernel + bias


# Who may attend to whom, in every form that Keras takes: (batch, targets, sources) = (2, 4, 6), 3 heads.
MASKS = {
    "none": None,
    "per image": lambda rng: rng.random((2, 4, 6)) < 0.6,
    "per head": lambda rng: rng.random((2, 3, 4, 6)) < 0.6,
    "one for all heads": lambda rng: rng.random((2, 1, 4, 6)) < 0.6,
    "one for all images": lambda rng: rng.random((1, 4, 6)) < 0.6,
    "sources only": lambda rng: rng.random((2, 1, 6)) < 0.6,
}


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("mask", MASKS)
def test_values_scores_and_gradients_are_those_of_keras(mask, causal, rng, with_gradients):
    inputs = {"query": normal(rng, 2, 4, 7), "value": normal(rng, 2, 6, 8), "key": normal(rng, 2, 6, 9)}
    theirs, mine = twins(rng, *inputs.values(), value_dim=6)
    # A row in which nothing is allowed is the next test's subject.
    allowed = None if MASKS[mask] is None else MASKS[mask](rng) | (np.arange(6) == 0)
    call = {"attention_mask": allowed, "use_causal_mask": causal}
    cotangent = normal(rng, 2, 4, 7)

    output, of_weights, of_inputs = with_gradients(mine, inputs, cotangent, **call)
    expected, expected_of_weights, expected_of_inputs = with_gradients(theirs, inputs, cotangent, **call)
    np.testing.assert_allclose(output, expected, atol=1e-6)
    for gradient, reference in zip(of_weights, expected_of_weights, strict=True):
        np.testing.assert_allclose(gradient.reshape(reference.shape), reference, atol=2e-6, rtol=1e-6)
    for name in inputs:
        np.testing.assert_allclose(of_inputs[name], expected_of_inputs[name], atol=2e-6, rtol=1e-6)

    _, scores = mine(**inputs, return_attention_scores=True, **call)
    _, expected_scores = theirs(**inputs, return_attention_scores=True, **call)
    np.testing.assert_allclose(to_numpy(scores), to_numpy(expected_scores), atol=1e-6)


@pytest.mark.parametrize("mask", [m for m in MASKS if m != "none"])
def test_agrees_with_loops_in_float64_even_where_nothing_is_allowed(mask, rng):
    query, value, key = normal(rng, 2, 4, 7), normal(rng, 2, 6, 8), normal(rng, 2, 6, 9)
    _, mine = twins(rng, query, value, key, value_dim=6)
    allowed = MASKS[mask](rng)
    allowed[..., 0, :] = False
    full = np.broadcast_to(allowed if allowed.ndim == 4 else allowed[:, None], (2, 3, 4, 6))
    output = to_numpy(mine(query, value, key, attention_mask=allowed))
    np.testing.assert_allclose(output, numpy_attention(mine, query, value, key, full), atol=2e-6)


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "mixed_bfloat16", "float16", "bfloat16"])
def test_a_row_with_nothing_allowed_has_no_weights_and_no_nan(dtype, rng, with_gradients):
    x = normal(rng, 2, 5, 8)
    layer = MyMultiHeadAttention(2, 4, dtype=dtype)
    mask = np.ones((2, 5, 5), bool)
    mask[:, 3] = False
    _, scores = layer(x, x, attention_mask=mask, return_attention_scores=True)
    scores = to_numpy(keras.ops.cast(scores, "float32"))
    np.testing.assert_array_equal(scores[:, :, 3], 0)
    np.testing.assert_allclose(np.delete(scores, 3, axis=2).sum(-1), 1, atol=2e-2)
    x = to_numpy(keras.ops.cast(x, layer.compute_dtype))
    output, of_weights, of_inputs = with_gradients(layer, {"query": x, "value": x}, x, attention_mask=mask)
    for array in (output, *of_weights, *of_inputs.values()):
        assert np.isfinite(array.astype("float32")).all()


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_masked_places_are_exactly_zero_in_half_precision(dtype, rng):
    x = 30 * normal(rng, 2, 6, 16)
    mask = rng.random((2, 6, 6)) < 0.5
    mask |= np.eye(6, dtype=bool)
    _, scores = MyMultiHeadAttention(2, 16, dtype=dtype)(x, x, attention_mask=mask, return_attention_scores=True)
    scores = to_numpy(keras.ops.cast(scores, "float32"))
    assert (scores[~np.broadcast_to(mask[:, None], scores.shape)] == 0).all()
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("kind", ["bool", "int32", "uint8", "float32", "float16"])
def test_a_mask_of_zeros_and_ones_may_have_any_type(kind, rng):
    x = normal(rng, 2, 4, 8)
    layer = MyMultiHeadAttention(2, 4)
    mask = rng.random((2, 4, 4)) < 0.5
    np.testing.assert_array_equal(
        to_numpy(layer(x, x, attention_mask=mask.astype(kind))), to_numpy(layer(x, x, attention_mask=mask))
    )


def test_true_means_attend(rng):
    x = normal(rng, 1, 4, 8)
    only_the_second = np.zeros((1, 4, 4), bool)
    only_the_second[..., 1] = True
    _, scores = MyMultiHeadAttention(2, 4)(x, x, attention_mask=only_the_second, return_attention_scores=True)
    np.testing.assert_array_equal(to_numpy(scores)[..., 1], 1)


def test_a_two_dimensional_mask_serves_every_image(rng):
    x = normal(rng, 3, 4, 8)
    layer = MyMultiHeadAttention(2, 4)
    mask = np.tri(4, dtype=bool)
    np.testing.assert_array_equal(
        to_numpy(layer(x, x, attention_mask=mask)), to_numpy(layer(x, x, use_causal_mask=True))
    )


def test_masks_of_the_inputs_are_heeded_like_keras_does(rng):
    x = normal(rng, 2, 4, 8)
    theirs, mine = twins(rng, x, x)
    seen = np.array([[True, True, False, True], [True, False, False, False]])
    np.testing.assert_allclose(
        to_numpy(mine(x, x, value_mask=seen)), to_numpy(theirs(x, x, value_mask=seen)), atol=1e-6
    )
    x[~seen] = 0
    masked = keras.layers.Masking()  # called for each, because Keras's attention takes the mask off its inputs
    theirs_out, mine_out = (to_numpy(layer(tokens, tokens)) for layer in (theirs, mine) for tokens in [masked(x)])
    np.testing.assert_allclose(mine_out[seen], theirs_out[seen], atol=1e-6)


def test_value_comes_second_and_key_third(rng):
    query, value, key = normal(rng, 2, 3, 8), normal(rng, 2, 5, 8), normal(rng, 2, 5, 8)
    theirs, mine = twins(rng, query, value, key)
    np.testing.assert_allclose(to_numpy(mine(query, value, key)), to_numpy(theirs(query, value, key)), atol=1e-6)
    assert np.abs(to_numpy(mine(query, value, key)) - to_numpy(mine(query, key, value))).max() > 1e-3


def test_weights_go_both_ways(rng):
    x = normal(rng, 2, 4, 8)
    mine = MyMultiHeadAttention(2, 4)
    expected = to_numpy(mine(x, x))
    theirs = keras.layers.MultiHeadAttention(2, 4)
    copy_attention_weights(mine, theirs)
    np.testing.assert_allclose(to_numpy(theirs(x, x)), expected, atol=1e-6)


def test_training_one_layer_leaves_the_other_whole(rng):
    """On JAX, two layers that share an array lose it when one of them is trained."""
    x = normal(rng, 2, 4, 8)
    theirs, mine = twins(rng, x, x)
    expected = to_numpy(theirs(x, x))
    tokens = keras.Input((4, 8))
    model = keras.Model(tokens, mine(tokens, tokens))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.train_on_batch(x, np.zeros_like(x))
    np.testing.assert_array_equal(to_numpy(theirs(x, x)), expected)


def test_weights_of_a_layer_with_other_heads_are_refused_though_the_numbers_would_fit(rng):
    x = normal(rng, 2, 4, 8)
    mine, theirs = MyMultiHeadAttention(2, 8), keras.layers.MultiHeadAttention(4, 4)
    mine(x, x)
    before = mine.get_weights()
    theirs(x, x)
    with pytest.raises(ValueError, match=r"num_heads.*4.*num_heads.*2"):
        copy_attention_weights(theirs, mine)
    for now, then in zip(mine.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_a_layer_without_biases_equals_that_of_keras(rng):
    x = normal(rng, 2, 4, 8)
    theirs, mine = twins(rng, x, x, use_bias=False)
    assert mine.count_params() == theirs.count_params() == 4 * 8 * 15
    np.testing.assert_allclose(to_numpy(mine(x, x)), to_numpy(theirs(x, x)), atol=1e-6)


def test_initial_weights_lie_in_the_glorot_range_of_the_projection(rng):
    x = normal(rng, 1, 16, 64)
    layer = MyMultiHeadAttention(4, 64)
    layer(x, x)
    kernel = to_numpy(layer.query_dense.kernel)
    bound = np.sqrt(6 / (64 + 256))
    assert 0.99 * bound < np.abs(kernel).max() <= bound


def test_dropout_acts_in_training_only_and_scores_come_before_it(rng):
    x = normal(rng, 2, 8, 8)
    layer = MyMultiHeadAttention(2, 4, dropout=0.5, seed=1)
    quiet, scores = layer(x, x, return_attention_scores=True, training=False)
    noisy, scores_in_training = layer(x, x, return_attention_scores=True, training=True)
    np.testing.assert_allclose(to_numpy(scores), to_numpy(scores_in_training), atol=1e-6)
    np.testing.assert_array_equal(to_numpy(quiet), to_numpy(layer(x, x)))
    assert np.abs(to_numpy(noisy) - to_numpy(quiet)).max() > 1e-3


def test_number_of_tokens_may_stay_open(rng):
    tokens = keras.Input((None, 8))
    layer = MyMultiHeadAttention(2, 4)
    model = keras.Model(tokens, layer(tokens, tokens, return_attention_scores=True))
    for count in (3, 5):
        output, scores = model(normal(rng, 2, count, 8))
        assert tuple(output.shape) == (2, count, 8)
        assert tuple(scores.shape) == (2, 2, count, count)


@pytest.mark.parametrize(
    ("mask_shape", "hint"),
    [((2, 4, 5), r"\(2, 4, 4\)"), ((2, 2, 3, 4), r"\(2, 2, 4, 4\)"), ((3, 3, 4, 4), "Received"), ((4,), "Received")],
)
def test_a_mask_that_does_not_fit_is_refused_with_both_shapes(mask_shape, hint, rng):
    x = normal(rng, 2, 4, 8)
    with pytest.raises(ValueError, match=f"(?s)attention_mask.*{hint}"):
        MyMultiHeadAttention(2, 4)(x, x, attention_mask=np.ones(mask_shape, bool))


@pytest.mark.parametrize("sizes", [(0, 4), (2, 0), (-1, 4), (2.0, 4), ("2", 4)])
def test_no_heads_or_no_width_is_refused(sizes):
    with pytest.raises(ValueError, match=r"whole number above 0.*Received"):
        MyMultiHeadAttention(*sizes)


@pytest.mark.parametrize("dropout", [1, -0.1, "0.1", None])
def test_a_dropout_that_is_no_rate_is_refused(dropout):
    with pytest.raises(ValueError, match="dropout"):
        MyMultiHeadAttention(2, 4, dropout)


def test_inputs_of_another_rank_or_of_unequal_lengths_are_refused(rng):
    layer = MyMultiHeadAttention(2, 4)
    x = normal(rng, 2, 4, 8)
    with pytest.raises(ValueError, match=r"query.*\(batch, targets, width\).*Received: \(4, 8\)"):
        layer(x[0], x)
    with pytest.raises(ValueError, match=r"3 keys.*4 values"):
        layer(x, x, x[:, :3])


def test_masks_of_another_length_are_refused_by_name(rng):
    layer, x = MyMultiHeadAttention(2, 4), normal(rng, 2, 4, 8)
    for name in ("value_mask", "key_mask"):
        with pytest.raises(ValueError, match=rf"{name}.*\(2, 4\).*\(2, 5\)"):
            layer(x, x, **{name: np.ones((2, 5), bool)})


def test_query_and_value_of_different_batches_are_refused(rng):
    with pytest.raises(ValueError, match="one batch"):
        MyMultiHeadAttention(2, 4)(normal(rng, 2, 4, 8), normal(rng, 3, 4, 8))


def test_a_query_mask_changes_nothing_as_in_keras(rng):
    x = normal(rng, 2, 4, 8)
    theirs, mine = twins(rng, x, x)
    seen = np.array([[True, True, False, True], [True, False, False, False]])
    for layer in (theirs, mine):
        np.testing.assert_array_equal(to_numpy(layer(x, x, query_mask=seen)), to_numpy(layer(x, x)))


def test_causal_attention_works_on_an_open_number_of_tokens(rng):
    tokens = keras.Input((None, 8))
    model = keras.Model(tokens, MyMultiHeadAttention(2, 4)(tokens, tokens, use_causal_mask=True))
    x = normal(rng, 2, 6, 8)
    np.testing.assert_allclose(to_numpy(model(x))[:, :3], to_numpy(model(x[:, :3])), atol=1e-6)


@pytest.mark.parametrize("more", [{"use_gate": True}, {"sliding_window": 2}, {"output_shape": 5}])
def test_weights_of_a_layer_that_computes_something_else_are_refused(more, rng):
    x = normal(rng, 2, 4, 8)
    theirs = keras.layers.MultiHeadAttention(2, 4, **more)
    theirs(x, x)
    with pytest.raises(ValueError, match=next(iter(more))):
        copy_attention_weights(theirs, MyMultiHeadAttention(2, 4))


def test_softmax_where_gives_the_places_left_all_the_weight():
    weights = softmax_where(keras.ops.convert_to_tensor([[True, False, True], [False] * 3]), keras.ops.zeros((2, 3)))
    np.testing.assert_allclose(to_numpy(weights), [[0.5, 0, 0.5], [0, 0, 0]])
