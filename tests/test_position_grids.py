"""Position embeddings on another grid, against SciPy, Pillow and Keras; and whole backbones at another image size."""

import keras
import keras_hub
import numpy as np
import pytest
import scipy.ndimage
from PIL import Image

from vitkeras.errors import Misuse
from vitkeras.position_grids import resized, with_resolution

chance = np.random.default_rng(0)


def centres(old, new):
    """Where `new` patches lie, counted in `old` ones: what `resized` should sample at."""
    return [-0.5 + old / new * (0.5 + i) for i in range(new)]


@pytest.mark.parametrize(("interpolation", "order"), [("nearest", 0), ("bilinear", 1)])
@pytest.mark.parametrize("new_grid", [(8, 11), (3, 4), (5, 14)])
def test_nearest_and_bilinear_are_scipys_at_the_centres_of_the_new_patches(interpolation, order, new_grid):
    places = chance.normal(size=(5, 7, 3))
    at = np.meshgrid(centres(5, new_grid[0]), centres(7, new_grid[1]), indexing="ij")
    expected = np.stack(
        [scipy.ndimage.map_coordinates(places[..., d], at, order=order, mode="nearest") for d in range(3)], axis=-1
    )
    made = resized(places.reshape(35, 3), (5, 7), new_grid, 0, interpolation)
    np.testing.assert_allclose(made, expected.reshape(-1, 3), atol=1e-12)


@pytest.mark.parametrize(("interpolation", "pillows"), [("bilinear", Image.BILINEAR), ("bicubic", Image.BICUBIC)])
def test_to_a_finer_grid_it_is_what_pillow_makes_of_an_image(interpolation, pillows):
    places = chance.normal(size=(6, 4)).astype("float32")
    expected = np.asarray(Image.fromarray(places).resize((9, 13), pillows))  # (width, height)
    made = resized(places.reshape(-1, 1), (6, 4), (13, 9), 0, interpolation)
    np.testing.assert_allclose(made.reshape(13, 9), expected, atol=1e-6)


def test_bicubic_is_keras_image_resize_but_for_its_rounding_on_tensorflow():
    places = chance.normal(size=(14, 14, 2)).astype("float32")
    expected = keras.ops.image.resize(places, (24, 24), interpolation="bicubic", antialias=False)
    made = resized(places.reshape(196, 2), (14, 14), (24, 24), 0)
    np.testing.assert_allclose(made.reshape(24, 24, 2), expected, atol=5e-3)


@pytest.mark.parametrize(("interpolation", "first", "last"), [("bilinear", 0, 8), ("bicubic", 1, 7)])
def test_what_grows_evenly_over_the_grid_does_so_on_the_new_one(interpolation, first, last):
    """Exactly, where all the neighbours are there that the interpolation asks for."""
    row, column = np.mgrid[:9, :9]
    made = resized((2.0 * row - 3 * column + 1).reshape(81, 1), (9, 9), (16, 16), 0, interpolation).reshape(16, 16)
    at = np.array(centres(9, 16))
    inside = (at >= first) & (at <= last)
    expected = 2 * at[inside, None] - 3 * at[None, inside] + 1
    np.testing.assert_allclose(made[np.ix_(inside, inside)], expected, atol=1e-12)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic"])
def test_equal_positions_stay_equal_the_first_tokens_untouched_and_the_same_grid_gives_the_same_bits(interpolation):
    positions = chance.normal(size=(1, 2 + 12, 5)).astype("float32")
    assert resized(positions, (3, 4), (3, 4), 2, interpolation).tobytes() == positions.tobytes()
    finer = resized(positions, (3, 4), (7, 5), 2, interpolation)
    assert (finer.shape, finer.dtype) == ((1, 37, 5), positions.dtype)
    np.testing.assert_array_equal(finer[:, :2], positions[:, :2])
    np.testing.assert_array_equal(finer[0], resized(positions[0], (3, 4), (7, 5), 2, interpolation))
    even = resized(np.full((12, 2), 0.3), (3, 4), (10, 2), 0, interpolation)
    np.testing.assert_allclose(even, 0.3, rtol=1e-14)


def test_rows_and_columns_are_not_mixed_up():
    rows = np.repeat(np.arange(2.0), 3)[:, None]  # (6, 1): the number of the row
    np.testing.assert_array_equal(resized(rows, (2, 3), (4, 3), 0, "nearest").ravel(), np.repeat([0, 0, 1, 1], 3))
    np.testing.assert_array_equal(resized(rows, (2, 3), (2, 6), 0, "nearest").ravel(), np.repeat([0, 1], 6))


SETTINGS = {"image_shape": (32, 48, 3), "patch_size": 8, "num_layers": 1, "num_heads": 2, "hidden_dim": 16}
BACKBONES = {  # how it is made, and how many tokens stand before the patches
    "ViT": (lambda: keras_hub.models.ViTBackbone(**SETTINGS, mlp_dim=32), 1),
    "ViT, no class token": (lambda: keras_hub.models.ViTBackbone(**SETTINGS, mlp_dim=32, use_class_token=False), 0),
    "DeiT": (lambda: keras_hub.models.DeiTBackbone(**SETTINGS, intermediate_dim=32), 2),
}


@pytest.mark.parametrize("name", BACKBONES)
def test_a_backbone_keeps_its_weights_and_takes_images_of_another_size(name):
    make, tokens_before = BACKBONES[name]
    backbone = make()
    larger = with_resolution(backbone, (48, 40))
    assert larger(np.zeros((1, 48, 40, 3))).shape == (1, tokens_before + 6 * 5, 16)
    changed = []
    for old, new in zip(backbone.weights, larger.weights, strict=True):
        old_value, new_value = (keras.ops.convert_to_numpy(variable) for variable in (old, new))
        if "position_embedding" in old.path:
            changed.append(old.path)
            np.testing.assert_array_equal(new_value, resized(old_value, (4, 6), (6, 5), tokens_before))
        else:
            np.testing.assert_array_equal(new_value, old_value)
    assert len(changed) == 1


@pytest.mark.parametrize("name", ["ViT", "DeiT"])
def test_at_its_own_size_a_backbone_computes_the_same(name):
    backbone = BACKBONES[name][0]()
    images = chance.normal(size=(2, 32, 48, 3)).astype("float32")
    np.testing.assert_array_equal(with_resolution(backbone, (32, 48))(images), backbone(images))


def test_what_is_wrong_is_told_with_what_would_fit():
    backbone = BACKBONES["ViT"][0]()
    with pytest.raises(Misuse, match="380 pixels.*patches' 8: 376 and 384"):
        with_resolution(backbone, 380)
    with pytest.raises(Misuse, match="8 is the smallest"):
        with_resolution(backbone, (48, 0))
    with pytest.raises(Misuse, match="not a Functional.*`backbone`"):
        with_resolution(keras.Model(inputs := keras.Input((3,)), keras.layers.Dense(1)(inputs)), 32)
    with pytest.raises(Misuse, match=r"4 x 6 patches with 1 tokens.*\(25, D\).*\(24, 16\)"):
        resized(np.zeros((24, 16)), (4, 6), (8, 8))
    with pytest.raises(Misuse, match="nearest, bilinear, bicubic, not 'lanczos'"):
        resized(np.zeros((25, 16)), (4, 6), (8, 8), interpolation="lanczos")
    with pytest.raises(Misuse, match="`new_grid` is"):
        resized(np.zeros((25, 16)), (4, 6), (8, 0))
