import keras
import numpy as np
import pytest

from vitkeras import EncoderBlock, LeanBlock

to_numpy = keras.ops.convert_to_numpy


def layer_norm(x):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-6)


def test_block_is_the_papers_equations_2_and_3(rng):
    tokens = rng.normal(size=(2, 5, 8)).astype("float32")
    block = EncoderBlock(num_heads=2, mlp_dim=12)
    out = to_numpy(block(tokens))

    attended = to_numpy(block.attention(layer_norm(tokens), layer_norm(tokens)))
    z = attended + tokens  # equation 2
    w1, b1, w2, b2 = (to_numpy(w) for w in (*block.mlp_in.weights, *block.mlp_out.weights))
    hidden = to_numpy(keras.activations.gelu(layer_norm(z) @ w1 + b1))
    np.testing.assert_allclose(out, hidden @ w2 + b2 + z, atol=1e-5)  # equation 3


def test_a_lean_block_has_rms_norm_relu_and_no_bias(rng):
    tokens = rng.normal(size=(2, 5, 8)).astype("float32")
    block = LeanBlock(num_heads=2, mlp_dim=12)
    out = to_numpy(block(tokens))

    def rms_norm(x):
        return x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-6)

    z = to_numpy(block.attention(rms_norm(tokens), rms_norm(tokens))) + tokens
    (w1,), (w2,) = ([to_numpy(w) for w in dense.weights] for dense in (block.mlp_in, block.mlp_out))
    np.testing.assert_allclose(out, np.maximum(rms_norm(z) @ w1, 0) @ w2 + z, atol=1e-5)
    assert block.count_params() == 4 * 8 * 8 + 2 * 8 * 12 + 2 * 8


def test_a_block_of_vit_base_has_the_papers_parameters():
    block = EncoderBlock(num_heads=12, mlp_dim=3072)
    block.build((None, 197, 768))
    width, mlp = 768, 3072
    assert block.count_params() == 4 * (width * width + width) + (width * mlp + mlp) + (mlp * width + width) + 4 * width


def test_scores_come_out_on_request(rng):
    tokens = rng.normal(size=(2, 5, 8)).astype("float32")
    block = EncoderBlock(2, 12)
    out, scores = block(tokens, return_attention_scores=True)
    np.testing.assert_array_equal(to_numpy(out), to_numpy(block(tokens)))
    np.testing.assert_allclose(to_numpy(scores).sum(-1), np.ones((2, 2, 5)), atol=1e-6)


def test_gradients_reach_every_weight(rng, with_gradients):
    tokens = rng.normal(size=(2, 5, 8)).astype("float32")
    block = EncoderBlock(2, 12)
    _, of_weights, _ = with_gradients(block, {"tokens": tokens}, rng.normal(size=(2, 5, 8)).astype("float32"))
    sizes = {w.path: np.abs(g).max() for w, g in zip(block.trainable_variables, of_weights, strict=True)}
    # A bias on the keys adds the same to all scores of a target, and softmax does not see it.
    assert all(size > 1e-4 for path, size in sizes.items() if "key/bias" not in path), sizes


def test_without_positions_the_block_does_not_see_the_order(rng):
    tokens = rng.normal(size=(1, 6, 8)).astype("float32")
    block, order = EncoderBlock(2, 12), rng.permutation(6)
    np.testing.assert_allclose(to_numpy(block(tokens[:, order])), to_numpy(block(tokens))[:, order], atol=1e-6)


def test_a_masked_token_influences_nobody(rng):
    tokens = rng.normal(size=(1, 4, 8)).astype("float32")
    other = tokens.copy()
    other[:, 3] = 100
    block, seen = EncoderBlock(2, 12), np.array([[True, True, True, False]])
    np.testing.assert_allclose(
        to_numpy(block(tokens, mask=seen))[:, :3], to_numpy(block(other, mask=seen))[:, :3], atol=1e-6
    )


def test_a_width_that_the_heads_cannot_share_is_refused_unless_key_dim_is_said(rng):
    tokens = rng.normal(size=(1, 4, 9)).astype("float32")
    with pytest.raises(ValueError, match="width=9, num_heads=2"):
        EncoderBlock(2, 12)(tokens)
    assert tuple(EncoderBlock(2, 12, key_dim=4)(tokens).shape) == (1, 4, 9)


@pytest.mark.parametrize("sizes", [(0, 4), (2, 0), (2, 4, 0), (2, 4, None, 1.5)])
def test_impossible_sizes_are_refused(sizes):
    with pytest.raises(ValueError, match="EncoderBlock needs"):
        EncoderBlock(*sizes)
