import keras
import numpy as np
import pytest

from vitkeras import ClassToken, PatchEncoder, PositionEmbedding

to_numpy = keras.ops.convert_to_numpy
patches = np.random.default_rng(0).normal(size=(3, 16, 49)).astype("float32")


def test_patch_encoder_is_projection_plus_position():
    encoder = PatchEncoder(16, 64)
    out = to_numpy(encoder(patches))
    kernel, bias, table = (to_numpy(w) for w in encoder.weights)
    np.testing.assert_allclose(out, patches @ kernel + bias + table, atol=1e-5)


def test_patch_encoder_has_the_parameters_of_the_lecture():
    encoder = PatchEncoder(num_patches=16, projection_dim=64)
    encoder.build((None, 16, 49))
    assert encoder.count_params() == 49 * 64 + 64 + 16 * 64


def test_looking_up_every_position_gives_the_table():
    positions = PositionEmbedding(16)
    out = to_numpy(positions(np.zeros((1, 16, 8), "float32")))[0]
    embedding = keras.layers.Embedding(16, 8)
    embedding.build()
    embedding.set_weights(positions.get_weights())
    np.testing.assert_array_equal(out, to_numpy(embedding(np.arange(16))))


def test_positions_start_where_the_lecture_says():
    positions = PositionEmbedding(1000)
    positions.build((None, 1000, 64))
    table = to_numpy(positions.table)
    assert np.abs(table).max() <= 0.05
    assert abs(table.std() - 0.05 / np.sqrt(3)) < 1e-3


def test_equal_patches_in_different_places_become_different_tokens():
    tokens = to_numpy(PatchEncoder(4, 8)(np.ones((1, 4, 5), "float32")))[0]
    assert len({token.tobytes() for token in tokens}) == 4


def test_class_token_stands_first_and_leaves_the_others_alone():
    layer = ClassToken()
    layer.build((None, 16, 49))
    layer.token.assign(np.full((1, 1, 49), 7.0))
    out = to_numpy(layer(patches))
    np.testing.assert_array_equal(out[:, 0], np.full((3, 49), 7.0))
    np.testing.assert_array_equal(out[:, 1:], patches)


def test_a_mask_passes_through_and_the_class_token_is_always_seen():
    words = np.array([[3, 5, 0], [1, 0, 0]])
    tokens = PositionEmbedding(3)(keras.layers.Embedding(6, 8, mask_zero=True)(words))
    out = ClassToken()(tokens)
    np.testing.assert_array_equal(to_numpy(out._keras_mask), [[True, True, True, False], [True, True, False, False]])


def test_sizes_may_be_numpy_integers():
    assert tuple(PatchEncoder(np.int64(16), np.int64(8))(patches).shape) == (3, 16, 8)


def test_another_number_of_patches_is_refused_with_both_numbers():
    with pytest.raises(ValueError, match="num_patches=9.*Received: 16 patches"):
        PatchEncoder(9, 64)(patches)
    with pytest.raises(ValueError, match="9 positions.*Received: 16 tokens"):
        PositionEmbedding(9)(patches)


@pytest.mark.parametrize("layer", [PatchEncoder(16, 64), PositionEmbedding(16), ClassToken()])
def test_inputs_of_another_rank_are_refused(layer):
    with pytest.raises(ValueError, match=r"\(batch, .*Received: \(16, 49\)"):
        layer(np.zeros((16, 49), "float32"))


@pytest.mark.parametrize("sizes", [(0, 64), (16, 0), (16, 6.5), ("16", 64)])
def test_sizes_that_are_none_are_refused(sizes):
    with pytest.raises(ValueError, match="whole number above 0"):
        PatchEncoder(*sizes)
