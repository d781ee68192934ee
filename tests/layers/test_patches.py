import keras
import numpy as np
import pytest

from vitkeras import ImageFromPatches, Patches


def numbered(*shape, dtype="float32"):
    return np.arange(np.prod(shape), dtype=dtype).reshape(shape)


def cut(patch_size, images):
    return keras.ops.convert_to_numpy(Patches(patch_size)(images))


def test_first_patch_is_the_top_left_corner():
    image = numbered(1, 4, 4, 3)
    np.testing.assert_array_equal(cut(2, image)[0, 0], image[0, :2, :2].reshape(-1))


def test_patches_run_along_the_rows_first():
    image = numbered(1, 4, 6, 1)
    patches = cut(2, image)
    np.testing.assert_array_equal(patches[0, 1], [2, 3, 8, 9])
    np.testing.assert_array_equal(patches[0, 3], [12, 13, 18, 19])


@pytest.mark.parametrize(
    ("height", "width", "channels", "patch"), [(28, 28, 1, 7), (8, 20, 3, 4), (5, 5, 2, 1), (6, 6, 4, 6)]
)
def test_every_patch_is_the_slice_that_numpy_cuts(height, width, channels, patch):
    images = np.random.default_rng(0).normal(size=(3, height, width, channels)).astype("float32")
    expected = [
        images[:, row : row + patch, column : column + patch].reshape(3, -1)
        for row in range(0, height, patch)
        for column in range(0, width, patch)
    ]
    np.testing.assert_array_equal(cut(patch, images), np.stack(expected, axis=1))


def test_same_as_the_extract_patches_of_keras():
    images = np.random.default_rng(1).normal(size=(2, 12, 8, 3)).astype("float32")
    theirs = keras.ops.convert_to_numpy(keras.ops.image.extract_patches(images, 4)).reshape(2, 6, 48)
    np.testing.assert_array_equal(cut(4, images), theirs)


def test_bytes_work_and_keep_their_values():
    images = np.random.default_rng(2).integers(0, 256, (2, 8, 8, 3), dtype="uint8")
    np.testing.assert_array_equal(cut(4, images), cut(4, images.astype("float32")))


@pytest.mark.parametrize(("image_size", "patch"), [((28, 28), 7), ((8, 20), 4), ((3, 9), 3)])
def test_patches_go_back_into_the_image(image_size, patch):
    images = np.random.default_rng(3).normal(size=(2, *image_size, 3)).astype("float32")
    again = ImageFromPatches(patch, image_size)(Patches(patch)(images))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(again), images)


def test_sides_that_do_not_divide_are_named_with_the_patch_size():
    with pytest.raises(ValueError, match=r"(?s)patch_size=5.*28.*30.*28"):
        Patches(5)(np.zeros((1, 28, 30, 1), "float32"))


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1), (1, 1, 28, 28, 1)])
def test_images_of_another_rank_are_refused(shape):
    with pytest.raises(ValueError, match=r"\(batch, height, width, channels\).*Received"):
        Patches(7)(np.zeros(shape, "float32"))


def test_an_image_of_unknown_size_is_refused_when_the_model_is_built():
    with pytest.raises(ValueError, match="None"):
        Patches(7)(keras.Input((None, 28, 1)))


@pytest.mark.parametrize("size", [0, -1, 2.5, "7", None, True])
def test_a_patch_size_that_is_none_is_refused(size):
    with pytest.raises(ValueError, match="patch_size"):
        Patches(size)


def test_patches_of_another_image_are_not_put_together():
    with pytest.raises(ValueError, match="16 patches.*Received: 9"):
        ImageFromPatches(7, 28)(np.zeros((1, 9, 49), "float32"))
    with pytest.raises(ValueError, match="multiples"):
        ImageFromPatches(7, (28, 30))
