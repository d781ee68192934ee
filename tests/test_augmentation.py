"""Augmented images are the same images, moved or mirrored, by a chance that the seed alone decides."""

import numpy as np
import pytest
import tensorflow as tf

from vitkeras import augmentation, training

IMAGES = np.random.default_rng(0).random((64, 6, 6, 2), "float32") + 0.1  # no pixel is black


@pytest.mark.parametrize(
    "change",
    [
        lambda images, seed: augmentation.shifted(images, seed, 2),
        augmentation.mirrored,
        augmentation.turned,
        augmentation.distorted,
    ],
)
def test_the_seed_decides(change):
    once, again, other = (np.asarray(change(IMAGES, seed)) for seed in ((1, 2), (1, 2), (1, 3)))
    np.testing.assert_array_equal(once, again)
    assert (once != other).any()
    assert once.shape == IMAGES.shape
    assert once.dtype == IMAGES.dtype


def test_a_shifted_image_is_a_piece_of_the_padded_one_and_all_shifts_occur():
    padded = np.pad(IMAGES, [(0, 0), (2, 2), (2, 2), (0, 0)])
    seen = set()
    for image, before in zip(np.asarray(augmentation.shifted(IMAGES, (5, 6), 2)), padded, strict=True):
        places = [(y, x) for y in range(5) for x in range(5) if np.array_equal(before[y : y + 6, x : x + 6], image)]
        assert len(places) == 1
        seen.update(places)
    assert len(seen) > 15  # of 25: 64 images hit about 23


def test_about_half_of_the_images_are_mirrored_and_the_others_left_alone():
    mirrored = np.asarray(augmentation.mirrored(IMAGES, (1, 2)))
    turned = [np.array_equal(image, before[:, ::-1]) for image, before in zip(mirrored, IMAGES, strict=True)]
    same = [np.array_equal(image, before) for image, before in zip(mirrored, IMAGES, strict=True)]
    assert all(a != b for a, b in zip(turned, same, strict=True))
    assert 16 <= sum(turned) <= 48  # a fair coin leaves this range once in 30,000 times


def test_all_eight_positions_of_a_square_occur():
    def positions(image):
        for square in (image, image.transpose(1, 0, 2)):
            yield from (square, square[::-1], square[:, ::-1], square[::-1, ::-1])

    seen = set()
    for image, before in zip(np.asarray(augmentation.turned(IMAGES, (1, 2))), IMAGES, strict=True):
        matches = [number for number, way in enumerate(positions(before)) if np.array_equal(way, image)]
        assert len(matches) == 1
        seen.update(matches)
    assert seen == set(range(8))


def test_each_batch_of_each_epoch_is_changed_by_a_chance_of_its_own():
    """And a training that begins later gets what one that began at the start would have got there."""
    images, labels = np.full((8, 4, 4, 1), 255, "uint8"), np.zeros(8, "int32")

    def stream(first_epoch, count):
        batches = training.shuffled_batches(images, labels, 4, 1, first_epoch, lambda x, seed: x * 0 + noise(x, seed))
        return [np.asarray(x) for x, _ in batches.take(count)]

    def noise(x, seed):
        return tf.random.stateless_uniform(tf.shape(x), seed)

    whole = stream(0, 6)  # three epochs of two batches
    assert len({batch.tobytes() for batch in whole}) == 6
    for late, early in zip(stream(2, 2), whole[4:], strict=True):
        np.testing.assert_array_equal(late, early)


def test_nothing_is_distorted_by_nothing():
    still = augmentation.distorted(IMAGES, (1, 2), tilt=0, shift=0, bend=0)
    np.testing.assert_allclose(still, IMAGES, atol=2e-3)  # the last row and column are asked for a thousandth within


def test_a_shift_moves_each_image_as_a_whole():
    """An image that rises evenly to the right gets lighter or darker by as much everywhere it does not meet an edge."""
    rising = np.broadcast_to(np.arange(12, dtype="float32")[None, None, :, None], (16, 12, 12, 1))
    moved = np.asarray(augmentation.distorted(rising, (1, 2), tilt=0, shift=1.5, bend=0)) - rising
    inside = moved[:, :, 2:-2]
    assert np.ptp(inside, axis=(1, 2, 3)).max() < 1e-4
    assert 0.3 < np.abs(inside[:, 0, 0, 0]).max() <= 1.5
    assert inside[:, 0, 0, 0].std() > 0.3


def test_a_tilt_leaves_the_middle_and_moves_the_edge_by_its_share():
    rising = np.broadcast_to(np.arange(13, dtype="float32")[None, None, :, None], (64, 13, 13, 1))
    moved = np.asarray(augmentation.distorted(rising, (1, 2), tilt=0.1, shift=0, bend=0)) - rising
    np.testing.assert_allclose(moved[:, 6, 6], 0, atol=1e-4)
    edge = np.abs(moved[:, 1, 1])  # five pixels from the middle along both axes
    assert 0.3 < edge.max() <= 5 * 0.1 + 5 * 0.1 + 1e-4


def test_a_bend_moves_places_by_different_amounts_but_neighbours_alike():
    rising = np.broadcast_to(np.arange(28, dtype="float32")[None, None, :, None], (16, 28, 28, 1))
    moved = (
        np.asarray(augmentation.distorted(rising, (1, 2), tilt=0, shift=0, bend=0.7))[:, :, 3:-3] - rising[:, :, 3:-3]
    )
    assert 0.4 < moved.std() < 1.0
    assert np.abs(np.diff(moved, axis=2)).mean() < moved.std() / 3


def test_a_square_of_each_image_is_left_out_elsewhere_in_each():
    images = np.ones((32, 16, 16, 3), "float32")
    grey = np.asarray(augmentation.cut_out(images, (1, 2), 6)) == 0.5
    assert (grey.all(-1) == grey.any(-1)).all()
    sizes = grey[..., 0].sum((1, 2))
    assert sizes.max() == 36
    assert sizes.min() >= 9  # in a corner, about a quarter is left
    assert len({image.tobytes() for image in grey}) > 20


def test_a_pasted_image_has_the_label_of_what_can_be_seen():
    """Image i is all i, so that the pixels tell whose they are."""
    images = np.broadcast_to(np.arange(8, dtype="float32")[:, None, None, None], (8, 16, 16, 1))
    seen = set()
    for seed in range(40):
        mixed, labels = map(np.asarray, augmentation.pasted(images, np.eye(8, dtype="float32"), (seed, 1), 0.5))
        for number, (image, label) in enumerate(zip(mixed, labels, strict=True)):
            shares = [(image == value).mean() for value in range(8)]
            np.testing.assert_allclose(label, shares, atol=1e-6)
            assert shares[number] + shares[number - 1] == pytest.approx(1)
        seen.add(round(float(labels[0, 0]), 2))
    assert 1.0 in seen
    assert len(seen) > 10
