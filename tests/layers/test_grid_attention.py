import keras
import numpy as np
import pytest

from vitkeras import EncoderBlock, GridAttention, LeanBlock, MyMultiHeadAttention

to_numpy = keras.ops.convert_to_numpy
GRID = (3, 4)


@pytest.fixture
def tokens(rng):
    return rng.normal(size=(2, 12, 10)).astype("float32")


def weights_of(layer, tokens):
    return to_numpy(layer(tokens, tokens, return_attention_scores=True)[1])


def test_to_begin_with_it_is_plain_attention(tokens):
    layer, plain = GridAttention(2, 4, grid=GRID), MyMultiHeadAttention(2, 4)
    layer(tokens, tokens), plain(tokens, tokens)
    plain.set_weights([w for w in layer.get_weights() if w.shape != (2, 35)])
    np.testing.assert_array_equal(to_numpy(layer(tokens, tokens)), to_numpy(plain(tokens, tokens)))


def test_the_table_is_added_to_the_scores_by_row_and_column(tokens, rng):
    layer = GridAttention(2, 4, grid=GRID)
    without = weights_of(layer, tokens)
    table = rng.normal(size=(2, 5, 7)).astype("float32")  # offsets from (-2, -3) to (2, 3)
    layer.table.assign(table.reshape(2, 35))
    expected = np.array(without)
    for i in range(12):
        for j in range(12):
            down, right = j // 4 - i // 4, j % 4 - i % 4
            expected[:, :, i, j] *= np.exp(table[:, 2 + down, 3 + right])
    expected /= expected.sum(-1, keepdims=True)
    np.testing.assert_allclose(weights_of(layer, tokens), expected, atol=1e-6)


def test_what_was_learned_of_the_neighbour_holds_everywhere(tokens):
    layer = GridAttention(1, 4, grid=GRID)
    same = np.broadcast_to(tokens[:1, :1], (1, 12, 10))  # all patches alike: only places can tell them apart
    layer(same, same)
    table = np.zeros((1, 5, 7), "float32")
    table[0, 2, 4] = 20.0  # the neighbour on the right
    layer.table.assign(table.reshape(1, 35))
    looked_at = weights_of(layer, same)[0, 0].argmax(-1).reshape(GRID)
    np.testing.assert_array_equal(looked_at[:, :3], np.arange(12).reshape(GRID)[:, 1:])


def test_a_local_head_begins_with_a_look_at_its_neighbour(tokens):
    layer = GridAttention(8, 4, grid=GRID, local=True)
    same = np.broadcast_to(tokens[:1, :1], (1, 12, 10))
    middle = 1 * 4 + 1
    looked_at = weights_of(layer, same)[0, :, middle].argmax(-1)
    np.testing.assert_array_equal(looked_at, [0, 1, 2, 4, 6, 8, 9, 10])  # around patch 5


def test_a_class_token_looks_and_is_looked_at_without_a_place(tokens, rng):
    layer = GridAttention(2, 4, grid=GRID)
    with_class = np.concatenate([rng.normal(size=(2, 1, 10)).astype("float32"), tokens], axis=1)
    without = weights_of(layer, with_class)
    layer.table.assign(rng.normal(size=(2, 35)).astype("float32"))
    weights = weights_of(layer, with_class)
    np.testing.assert_allclose(weights[:, :, 0], without[:, :, 0], atol=1e-6)  # what the class token looks at
    relative = weights[:, :, 1:, 1:] / weights[:, :, 1:, :1] * without[:, :, 1:, :1] / without[:, :, 1:, 1:]
    table = keras.ops.convert_to_numpy(layer.table).reshape(2, 5, 7)
    np.testing.assert_allclose(relative[0, :, 5, 6], np.exp(table[:, 2, 4]), rtol=1e-4)  # from patch 5 to patch 6


def test_gradients_reach_the_table(tokens):
    import tensorflow as tf

    if keras.backend.backend() != "tensorflow":
        pytest.skip("gradients are taken with TensorFlow here")
    layer = GridAttention(2, 4, grid=GRID, local=True)
    with tf.GradientTape() as tape:
        loss = keras.ops.sum(layer(tokens, tokens) ** 2)
    gradient = to_numpy(tape.gradient(loss, layer.table.value))
    assert np.isfinite(gradient).all()
    assert (gradient != 0).mean() > 0.9


@pytest.mark.parametrize("grid", [None, 4, (3,), (3, 0), (3.0, 4)])
def test_a_grid_that_is_none_is_refused(grid):
    with pytest.raises(ValueError, match="GridAttention needs"):
        GridAttention(2, 4, grid=grid)
    if grid is not None:
        with pytest.raises(ValueError, match="LeanBlock needs"):
            LeanBlock(2, 4, grid=grid)


def test_another_number_of_tokens_is_refused(tokens):
    with pytest.raises(ValueError, match="takes 12 tokens, one for each patch, or 13 with a class token. Received: 11"):
        GridAttention(2, 4, grid=GRID)(tokens[:, :11], tokens[:, :11])


def test_a_block_looks_at_neighbours_only_if_it_knows_the_grid():
    with pytest.raises(ValueError, match="needs the `grid`"):
        EncoderBlock(2, 16, local=True)
    assert not isinstance(built(EncoderBlock(2, 16)), GridAttention)
    assert isinstance(built(EncoderBlock(2, 16, grid=GRID, local=True)), GridAttention)


def built(block):
    block.build((None, 12, 10))
    return block.attention
