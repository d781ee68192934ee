"""The weights that are read out of a model are those it works with, and what is worked out from them is right."""

import keras
import numpy as np
import pytest
from keras import layers

from vitkeras import ClassToken, PatchEncoder, Patches, attention
from vitkeras.errors import Misuse
from vitkeras.layers import EncoderBlock, MyMultiHeadAttention

KINDS = ("mine", "keras", "block")


def vit(kind="block", blocks=2, class_token=False, heads=(2, 2), dtype=None):
    """A small ViT on 8 x 8 images in four patches, its attention layers of the kind that is asked for."""
    inputs = keras.Input((8, 8, 1))
    x = PatchEncoder(4, 12, dtype=dtype)(Patches(4, dtype=dtype)(inputs))
    x = ClassToken(dtype=dtype)(x) if class_token else x
    for i in range(blocks):
        if kind == "block":
            x = EncoderBlock(heads[i], 24, key_dim=5, dropout=0.5, dtype=dtype)(x)
        else:
            layer = {"mine": MyMultiHeadAttention, "keras": layers.MultiHeadAttention}[kind]
            x = layers.Add(dtype=dtype)([x, layer(heads[i], 5, dropout=0.5, dtype=dtype)(x, x)])
    x = layers.GlobalAveragePooling1D(dtype=dtype)(x)
    return keras.Model(inputs, layers.Dense(3, dtype="float32")(x))


def numbers(tensor):
    return keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32"))


def softmax(x):
    exponentials = np.exp(x - x.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


def random_scores(rng, *shape):
    return softmax(rng.normal(size=shape)).astype("float32")


@pytest.fixture
def rng():
    return np.random.default_rng(20260401)


@pytest.fixture
def images(rng):
    return rng.uniform(size=(5, 8, 8, 1)).astype("float32")


@pytest.mark.parametrize("kind", KINDS)
def test_there_is_a_map_for_every_layer_image_and_head_whose_rows_sum_to_one(kind, images):
    weights = attention.scores(vit(kind), images, batch_size=2)
    assert weights.shape == (2, 5, 2, 4, 4)
    assert weights.dtype == np.float32
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_probe_computes_what_the_model_computes(kind, images):
    model = vit(kind)
    np.testing.assert_array_equal(numbers(attention.probe_of(model)(images)[0]), numbers(model(images)))


def test_weights_are_those_worked_out_by_a_loop_in_numpy(images):
    model = vit("mine", blocks=1)
    tokens = keras.Model(model.inputs[0], next(x for x in model.layers if isinstance(x, PatchEncoder)).output)(images)
    layer = next(x for x in model.layers if isinstance(x, MyMultiHeadAttention))
    weights = attention.scores(model, images)[0]
    for i, one_image in enumerate(numbers(tokens)):
        q, k = numbers(layer.query_dense(one_image)), numbers(layer.key_dense(one_image))  # (4, 2 * 5)
        for head in range(2):
            part = slice(5 * head, 5 * head + 5)
            np.testing.assert_allclose(weights[i, head], softmax(q[:, part] @ k[:, part].T / 5**0.5), atol=1e-6)


def test_weights_are_those_after_which_the_model_gives_its_output(images):
    """What MyMultiHeadAttention adds to the tokens follows from the weights and the values alone."""
    model = vit("mine", blocks=1)
    layer = next(x for x in model.layers if isinstance(x, MyMultiHeadAttention))
    tokens, attended = (numbers(t) for t in keras.Model(model.inputs[0], [layer.input[0], layer.output])(images))
    values = numbers(layer.value_dense(tokens)).reshape(5, 4, 2, 5).transpose(0, 2, 1, 3)  # (images, heads, tokens, 5)
    mixed = (attention.scores(model, images)[0] @ values).transpose(0, 2, 1, 3).reshape(5, 4, 10)
    np.testing.assert_allclose(numbers(layer.output_dense(mixed)), attended, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_from_a_file_gives_the_same_weights_and_probing_leaves_it_as_it_was(kind, images, tmp_path):
    model = vit(kind)
    weights, output = attention.scores(model, images), numbers(model(images))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(attention.scores(again, images), weights)
    np.testing.assert_array_equal(numbers(again(images)), output)
    assert len(again.layers) == len(model.layers)


@pytest.mark.parametrize("kind", KINDS)
def test_mixed_precision_gives_float32_weights_near_the_full_ones(kind, images):
    full, mixed = vit(kind), vit(kind, dtype="mixed_bfloat16")
    mixed.set_weights(full.get_weights())
    weights = attention.scores(mixed, images)
    assert weights.dtype == np.float32
    np.testing.assert_allclose(weights, attention.scores(full, images), atol=0.02)
    np.testing.assert_allclose(attention.rollout(weights).sum(-1), 1, atol=1e-6)


def test_bytes_are_scaled_as_in_training(rng):
    model, raw = vit(), rng.integers(0, 256, (3, 8, 8, 1), dtype="uint8")
    np.testing.assert_array_equal(attention.scores(model, raw), attention.scores(model, raw / np.float32(255)))


def test_layers_with_unlike_numbers_of_heads_come_as_a_list(images):
    weights = attention.scores(vit("mine", heads=(2, 3)), images)
    assert [layer.shape for layer in weights] == [(5, 2, 4, 4), (5, 3, 4, 4)]
    assert attention.rollout(weights).shape == (5, 4, 4)
    assert [pixels.shape for pixels in attention.mean_distance(weights, (2, 2), 4)] == [(2,), (3,)]


def test_a_causal_mask_and_a_layer_used_twice_are_respected(images):
    inputs = keras.Input((8, 8, 1))
    layer = MyMultiHeadAttention(2, 5)
    x = Patches(4)(inputs)
    x = layer(layer(x, x, use_causal_mask=True), x)
    weights = attention.scores(keras.Model(inputs, x), images)
    above = np.triu(np.ones((4, 4), bool), 1)
    assert (weights[0][..., above] == 0).all()
    assert (weights[1][..., above] > 0).all()


@pytest.mark.parametrize("nested", [False, True])
def test_without_attention_layers_it_says_what_is_needed(images, nested):
    inside = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(3)])
    inputs = keras.Input((8, 8, 1))
    model = keras.Model(inputs, inside(inputs)) if nested else inside
    with pytest.raises(ValueError, match="MultiHeadAttention") as fault:
        attention.scores(model, images)
    assert ("Sequential" if nested else "Flatten, Dense") in str(fault.value)


def test_rollout_is_the_product_that_a_loop_works_out(rng):
    weights = random_scores(rng, 3, 2, 4, 5, 5)  # layers, images, heads, tokens, tokens
    for image in range(2):
        expected = np.eye(5)
        for layer in range(3):
            mean = sum(weights[layer, image, head] for head in range(4)) / 4
            expected = (mean / 2 + np.eye(5) / 2) @ expected
        np.testing.assert_allclose(attention.rollout(weights)[image], expected, atol=1e-6)
    np.testing.assert_allclose(attention.rollout(weights).sum(-1), 1, atol=1e-6)


def test_rollout_of_tokens_that_look_at_themselves_leaves_each_where_it_was():
    weights = np.broadcast_to(np.eye(5), (3, 2, 4, 5, 5))
    np.testing.assert_array_equal(attention.rollout(weights), np.broadcast_to(np.eye(5), (2, 5, 5)))


def test_distances_worked_out_by_hand():
    apart = attention.distances((2, 3), 7)
    assert apart[0].tolist() == pytest.approx([0, 7, 14, 7, 7 * 2**0.5, 7 * 5**0.5])


def test_mean_distance_worked_out_by_hand():
    """Two patches side by side, 4 pixels apart. One head looks at itself, one at the other, one half and half."""
    itself = np.eye(2)
    weights = np.stack([itself, 1 - itself, np.full((2, 2), 0.5)])[None, None]
    np.testing.assert_allclose(attention.mean_distance(weights, (1, 2), 4), [[0, 4, 2]])


def test_a_class_token_is_left_out_of_distances_and_does_the_looking_in_a_heat_map(rng):
    weights = random_scores(rng, 2, 3, 2, 5, 5)
    inner = weights[..., 1:, 1:] / weights[..., 1:, 1:].sum(-1, keepdims=True)
    np.testing.assert_allclose(attention.mean_distance(weights, (2, 2), 4), attention.mean_distance(inner, (2, 2), 4))
    shares = weights[..., 0, 1:] / weights[..., 0, 1:].sum(-1, keepdims=True)
    np.testing.assert_allclose(attention.heat(weights, (2, 2)), shares.reshape(2, 3, 2, 2, 2), rtol=1e-6)


def test_a_models_class_token_is_counted(images):
    weights = attention.scores(vit(class_token=True), images)
    assert weights.shape == (2, 5, 2, 5, 5)
    assert attention.heat(attention.rollout(weights), (2, 2)).shape == (5, 2, 2)


def test_heat_without_a_class_token_is_the_mean_over_all_that_look():
    weights = np.array([[0.5, 0.5], [0.0, 1.0]])
    np.testing.assert_allclose(attention.heat(weights, (1, 2)), [[0.25, 0.75]])


def test_a_grid_that_does_not_fit_is_refused(rng):
    with pytest.raises(Misuse, match="3 x 3"):
        attention.heat(random_scores(rng, 4, 4), (3, 3))


def test_heads_and_images_are_compared_as_by_hand():
    left, right, middle = np.array([[1.0, 0.0]] * 2), np.array([[0.0, 1.0]] * 2), np.full((2, 2), 0.5)
    weights = np.stack([[left, left, right], [middle, middle, middle]])[None]  # (1, 2 images, 3 heads, 2, 2)
    # Heads: (0 + 1 + 1) / 3 on the first image and 0 on the second. Images: each head moves half of its attention.
    np.testing.assert_allclose(attention.between_heads(weights), [1 / 3])
    np.testing.assert_allclose(attention.between_images(weights), [0.5])
    with pytest.raises(ValueError, match="1 head"):
        attention.between_heads(weights[:, :, :1])


def test_exactly_the_named_patches_are_covered(rng):
    images = rng.integers(0, 100, (2, 4, 6, 1), dtype="uint8")
    covered = attention.covered(images, np.array([[0, 5], [1, 2]]), 2, 200)
    expected = images.copy()
    expected[0, :2, :2] = expected[0, 2:, 4:] = expected[1, :2, 2:] = 200
    np.testing.assert_array_equal(covered, expected)
    assert covered.dtype == np.uint8
    np.testing.assert_array_equal(attention.covered(images, np.zeros((2, 0), int), 2, 200), images)


def test_a_grid_that_is_no_square_and_layers_of_unlike_tokens_are_told():
    with pytest.raises(Misuse, match="17 tokens do not fill a square"):
        attention.square_grid(np.zeros((2, 3, 4, 17, 17)))
    with pytest.raises(Misuse, match="no one grid"):
        attention.square_grid([np.zeros((3, 4, 16, 16)), np.zeros((3, 8, 16, 16))])
