"""The hidden tests of `patches`: images of any size, and a reference that cuts slice by slice."""

import numpy as np
import pytest

from vitkeras.grading import equal, refuses


def some_sizes(rng):
    """An image that is not square, and never one patch high or wide: there a reshape alone would do."""
    size, rows = int(rng.integers(2, 6)), int(rng.integers(2, 6))
    columns = rows + int(rng.integers(1, 4))
    return size, size * rows, size * columns


def sliced(images, size):
    """The patches, cut out of the images one by one."""
    batch, height, width, _ = images.shape
    places = [(top, left) for top in range(0, height, size) for left in range(0, width, size)]
    return np.stack([images[:, t : t + size, left : left + size].reshape(batch, -1) for t, left in places], axis=1)


@pytest.mark.points(0.5, hint="Rows of patches times columns of patches; the two may differ.")
def test_count_is_rows_times_columns(student, rng):
    for _ in range(3):
        size, height, width = some_sizes(rng)
        equal(student.count(height, width, size), height // size * (width // size), f"count({height}, {width}, {size})")


@pytest.mark.points(1.5, hint="Try images that are wider than high, and the other way round, several at a time.")
def test_every_patch_is_the_slice_at_its_place(student, rng, picture):
    size, height, width = some_sizes(rng)
    for shape in ((3, height, width, 1), (2, width, height, 3), (1, height, width, 4)):
        images = rng.random(shape, dtype="float32")
        got, expected = student.cut(images, size), sliced(images, size)
        if getattr(got, "shape", None) == expected.shape:
            picture(f"patches of {size} x {size} from an image of {shape[1:]}, one in each row", got[0], expected[0])
        equal(got, expected, f"the patches of {size} x {size} of images {shape}")


@pytest.mark.points(
    1.5, hint="In join(), the number of patch rows comes from the height, that of columns from the width."
)
def test_join_gives_back_the_very_images(student, rng):
    size, height, width = some_sizes(rng)
    for shape in ((3, height, width, 1), (2, width, height, 3), (1, height, width, 4)):
        images = rng.random(shape, dtype="float32")
        equal(student.join(sliced(images, size), size, *shape[1:3]), images, f"images {shape}, put together again")


@pytest.mark.points(0.5, hint="reshape and transpose keep the dtype; np.zeros without a dtype makes float64.")
@pytest.mark.parametrize("dtype", ["uint8", "float16"])
def test_the_dtype_is_kept(student, rng, dtype):
    size, height, width = some_sizes(rng)
    images = rng.integers(0, 256, (2, height, width, 3)).astype(dtype)
    patches = sliced(images, size)
    for what, got, expected in (
        ("cut()", student.cut(images, size), patches),
        ("join()", student.join(patches, size, height, width), images),
    ):
        equal(got, expected, f"the result of {what} of {dtype}")
        equal(str(getattr(got, "dtype", "none")), dtype, f"the dtype of what {what} gives back")


@pytest.mark.points(0.5, hint="Compare with what must be there before you reshape: -1 in a reshape hides mistakes.")
def test_what_does_not_fit_is_refused_even_if_the_numbers_come_out_even(student, rng):
    images = rng.random((16, 6, 6, 1), dtype="float32")  # 16 * 6 * 6 is also 36 * 4 * 4
    equal(student.cut(images, 3), sliced(images, 3), "patches of 3 x 3, which fit")
    refuses(ValueError, lambda: student.cut(images, 4), "cut() of 6 x 6 pixels by 4")
    images = rng.random((2, 4, 6, 1), dtype="float32")  # 2 images of 6 patches are as many pixels as 3 images of 4
    patches = sliced(images, 2)
    equal(student.join(patches, 2, 4, 6), images, "images of 4 x 6 pixels, put together from 6 patches")
    refuses(ValueError, lambda: student.join(patches, 2, 4, 4), "join() of 6 patches to an image that has 4")
    refuses(ValueError, lambda: student.join(patches, 2, 5, 6), "join() to a height of 5 by patches of 2")
