import keras
import numpy as np
import pytest

from vitkeras import MyMultiHeadAttention, copy_attention_weights, models
from vitkeras.benchmark.published import published_tr02c

PIXELS = np.random.default_rng(0).random((3, 28, 28, 1), "float32")


@pytest.mark.parametrize("attention", [MyMultiHeadAttention, keras.layers.MultiHeadAttention])
def test_tr02c_has_the_parameters_of_the_lectures_program(attention):
    assert models.tr02c(attention).count_params() == 4_544_778


def test_with_the_weights_of_the_published_program_ours_says_the_same():
    published, ours = published_tr02c(), models.tr02c()
    for theirs, mine in zip(published.layers, ours.layers, strict=True):
        if isinstance(mine, MyMultiHeadAttention):
            copy_attention_weights(theirs, mine)
        else:
            mine.set_weights(theirs.get_weights())
    expected = keras.ops.convert_to_numpy(published(PIXELS))
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(keras.ops.convert_to_numpy(ours(PIXELS)), expected, atol=1e-5)


def test_the_class_of_the_lecture_computes_what_ours_does():
    from vitkeras.benchmark.published import PublishedAttention

    x = np.random.default_rng(1).normal(size=(2, 5, 8)).astype("float32")
    theirs, mine = PublishedAttention(2, 4), MyMultiHeadAttention(2, 4)
    expected = keras.ops.convert_to_numpy(theirs(x, x))
    mine(x, x)
    mine.set_weights([w for part in (theirs.q, theirs.k, theirs.v, theirs.out) for w in part.get_weights()])
    np.testing.assert_allclose(keras.ops.convert_to_numpy(mine(x, x)), expected, atol=1e-6)
