"""Nothing but the kinds of the two shapes tells whether they are the same."""

import itertools

import numpy as np
import pytest

from vitkeras.datasets import shapes
from vitkeras.datasets.outlines import KINDS
from vitkeras.datasets.shapes import Scene


@pytest.fixture(scope="module")
def many():
    return shapes.draw(12_000, seed=0)


def test_labels_say_whether_the_kinds_are_the_same(many):
    np.testing.assert_array_equal(many.labels, many.kinds[:, 0] == many.kinds[:, 1])
    assert shapes.CLASS_NAMES[1] == "same"


@pytest.mark.parametrize("count", [1, 2, 37, 600, 601])
def test_labels_kinds_and_pairs_are_equally_frequent_up_to_one(count):
    drawing = shapes.draw(count, seed=3)
    assert drawing.labels.sum() == count // 2
    pairs = np.zeros((3, 3), int)
    np.add.at(pairs, tuple(drawing.kinds.T), 1)
    assert pairs.sum() == count
    assert np.ptp(pairs.diagonal()) <= 1
    assert np.ptp(pairs[~np.eye(3, dtype=bool)]) <= 1


def test_labels_come_in_random_order(many):
    runs = 1 + np.count_nonzero(np.diff(many.labels))
    assert abs(runs - 6000) < 4 * 55  # the standard deviation is half the root of 12,000


def test_everything_but_the_kinds_is_the_same_whatever_the_kinds():
    one, other = (shapes.draw(200, seed=5, scene=Scene(kinds=kinds)) for kinds in (("circle", "square"), tuple(KINDS)))
    for name in ("centres", "areas", "angles", "contrasts"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert not np.array_equal(one.images, other.images)


def statistics(drawing):
    """What can be said of a picture without comparing two outlines: name -> (count,)."""
    parts = [of_pictures(drawing.images[n : n + 500, ..., 0]) for n in range(0, len(drawing.images), 500)]
    values = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    apart = drawing.centres[:, 0] - drawing.centres[:, 1]
    return values | {
        "distance": np.hypot(*apart.T),
        "areas": drawing.areas.sum(axis=1),
        "difference of areas": abs(np.diff(drawing.areas, axis=1)[:, 0]),
        "difference of contrasts": abs(np.diff(drawing.contrasts, axis=1)[:, 0]),
    }


def of_pictures(images):
    images = images.astype("float32")
    rows, columns = images.mean(axis=2), images.mean(axis=1)  # (count, size)
    bands = {
        f"{name} {n}": band
        for name, means in (("rows", rows), ("columns", columns))
        for n, band in enumerate(means.reshape(len(images), 8, -1).mean(axis=2).T)
    }
    brightness = rows.mean(axis=1)
    images -= brightness[:, None, None]
    variance = np.einsum("nrc,nrc->n", images, images) / images[0].size
    ink = abs(images).mean(axis=(1, 2))
    return bands | {"brightness": brightness, "variance": variance, "ink": ink}


def test_no_statistic_is_distributed_otherwise_in_one_class_than_in_the_other(many):
    values = statistics(many)
    for shape, name in itertools.product((0, 1), ("areas", "angles", "contrasts")):
        values[f"{name} of shape {shape}"] = getattr(many, name)[:, shape]
    for shape, axis in itertools.product((0, 1), (0, 1)):
        values[f"centre of shape {shape}, {'xy'[axis]}"] = many.centres[:, shape, axis]
    for name, value in values.items():
        assert largest_gap(value[many.labels == 0], value[many.labels == 1]) < 0.04, name  # by chance: 1 in 8,000


def largest_gap(one, other):
    """Kolmogorov and Smirnov's: between the shares of both samples that are below a value, whatever the value."""
    values = np.sort(np.concatenate([one, other]))
    below = [np.searchsorted(np.sort(sample), values, "right") / len(sample) for sample in (one, other)]
    return abs(below[0] - below[1]).max()


def accuracy_of_statistics(drawing, fresh):
    """Of a linear classifier by least squares, given the statistics, their squares and products, on fresh pictures."""

    def features(drawing):
        return np.stack(list(statistics(drawing).values()), axis=1).astype("float64")

    known, new = features(drawing), features(fresh)
    middle, width = known.mean(axis=0), known.std(axis=0)

    def quadratic(x):
        x = (x - middle) / width
        rows, columns = np.triu_indices(x.shape[1])
        return np.concatenate([np.ones((len(x), 1)), x, x[:, rows] * x[:, columns]], axis=1)

    x = quadratic(known)
    weights = np.linalg.solve(x.T @ x + np.eye(x.shape[1]), x.T @ (2.0 * drawing.labels - 1))
    return ((quadratic(new) @ weights > 0) == fresh.labels).mean()


CHANCE = 4 * 0.5 / 4000**0.5  # four standard deviations of the accuracy on 4000 pictures by guessing


def test_trivial_statistics_do_not_tell_the_answer(many):
    fresh = shapes.draw(4000, seed=1)
    assert abs(accuracy_of_statistics(many, fresh) - 0.5) < CHANCE


def test_the_same_statistics_would_find_a_leak(monkeypatch):
    arrange = shapes.arrange

    def leaky(drawing, part, scene, rng):
        arrange(drawing, part, scene, rng)
        drawing.areas[part] *= np.where(drawing.kinds[part] == 0, 0.5, 1)  # circles are smaller

    monkeypatch.setattr(shapes, "arrange", leaky)
    assert accuracy_of_statistics(shapes.draw(6000, seed=0), shapes.draw(4000, seed=1)) > 0.5 + 2 * CHANCE
