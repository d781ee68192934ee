"""The visible tests of `patches`. The pixels are numbered, so that you see where each of them went."""

import numpy as np
import pytest

from vitkeras.grading import equal, refuses

IMAGE = np.arange(24).reshape(1, 4, 6, 1)
#    0   1 |  2   3 |  4   5
#    6   7 |  8   9 | 10  11
#   -------+--------+-------
#   12  13 | 14  15 | 16  17
#   18  19 | 20  21 | 22  23
PATCHES = np.array([[[0, 1, 6, 7], [2, 3, 8, 9], [4, 5, 10, 11], [12, 13, 18, 19], [14, 15, 20, 21], [16, 17, 22, 23]]])


@pytest.mark.points(0.5, hint="How many fit side by side, and how many one below the other?")
def test_there_is_one_patch_for_each_place(student):
    equal(student.count(28, 28, 7), 16, "count(28, 28, 7)")
    equal(student.count(4, 6, 2), 6, "count(4, 6, 2)")
    equal(student.count(6, 4, 1), 24, "count(6, 4, 1)")


@pytest.mark.points(1, hint="Rows 0 and 1, columns 0 and 1. A reshape alone gives the first four pixels of row 0.")
def test_the_first_patch_is_the_top_left_corner(student, rng):
    brighter = 100 * rng.integers(10)  # the same for all pixels, so that no answer can be known beforehand
    got = student.cut(IMAGE + brighter, 2)
    equal(getattr(got, "shape", None), PATCHES.shape, "the shape of the patches")
    equal(got[:, 0], PATCHES[:, 0] + brighter, "the first patch")


@pytest.mark.points(1, hint="Like the words of a page: 3 patches in the upper row, then 3 in the lower one.")
def test_patches_follow_one_another_row_by_row(student, rng, picture):
    brighter = 100 * rng.integers(10)
    got = student.cut(IMAGE + brighter, 2)
    if getattr(got, "shape", None) == PATCHES.shape:
        picture("your patches, one in each row", got[0], PATCHES[0] + brighter)
    equal(got, PATCHES + brighter, "the patches")


@pytest.mark.points(1, hint="The channels are the last axis before the transpose and after it: leave them there.")
def test_the_channels_of_a_pixel_stay_side_by_side(student, rng):
    brighter = 100 * rng.integers(10)
    red, green = np.array([[[1, 2, 3, 4], [5, 6, 7, 8]], [[10, 20, 30, 40], [50, 60, 70, 80]]]) + brighter
    image = np.stack([red, green], axis=-1)[None]  # (1, 2, 4, 2)
    expected = [[[1, 10, 2, 20, 5, 50, 6, 60], [3, 30, 4, 40, 7, 70, 8, 80]]]
    equal(student.cut(image, 2), np.add(expected, brighter), "the two patches of a picture in red and green")


@pytest.mark.points(1, hint="The way back: split, swap the two axes in the middle again, and only then reshape.")
def test_join_puts_each_patch_in_its_place(student, rng, picture):
    brighter = 100 * rng.integers(10)
    got = student.join(PATCHES + brighter, 2, 4, 6)
    if getattr(got, "shape", None) == IMAGE.shape:
        picture("your image, put together", got[0], IMAGE[0] + brighter)
    equal(got, IMAGE + brighter, "the image")


@pytest.mark.points(
    0.5, hint="Check `height % size` and `width % size` first, and raise ValueError saying what you got."
)
def test_a_size_that_does_not_divide_the_image_is_refused(student):
    equal(student.count(9, 6, 3), 6, "count(9, 6, 3), which is fine")
    refuses(ValueError, lambda: student.count(9, 6, 2), "count(9, 6, 2): 2 does not divide the height")
    refuses(ValueError, lambda: student.count(6, 9, 2), "count(6, 9, 2): 2 does not divide the width")
    refuses(ValueError, lambda: student.cut(IMAGE, 4), "cut() of 4 x 6 pixels by 4")
