import itertools

import numpy as np
import pytest

from vitkeras import datasets
from vitkeras.datasets import shapes
from vitkeras.datasets.outlines import KINDS
from vitkeras.datasets.shapes import SCENES, Scene
from vitkeras.errors import Misuse

CLEAN = Scene(kinds=tuple(KINDS), contrasts=(70, 75), noise=(0, 0))


@pytest.fixture(scope="module")
def clean():
    return shapes.draw(160, seed=0, scene=CLEAN)


def assert_same(one, other):
    for name in vars(one):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def ink(images):
    """How far each pixel is from the ground, which is what most pixels show: (count, size, size)."""
    images = images[..., 0].astype("float64")
    return abs(images - np.median(images, axis=(1, 2), keepdims=True))


def spread(cells):
    """The largest of each cell and its eight neighbours: (count, size, size) -> (count, size, size)."""
    for axis in (1, 2):
        padded = np.pad(cells, [(0, 0), *((1, 1) if axis == own else (0, 0) for own in (1, 2))])
        cells = np.max([np.take(padded, range(n, n + cells.shape[axis]), axis) for n in range(3)], axis=0)
    return cells


def islands(mask):
    """How many connected parts each mask has: flood them with the number of one of their own cells, and count."""
    numbers = np.where(mask, np.arange(1, mask[0].size + 1).reshape(mask[0].shape), 0)
    while True:
        flooded = np.where(mask, spread(numbers), 0)
        if (flooded == numbers).all():
            return np.array([len(np.unique(image[image > 0])) for image in numbers])
        numbers = flooded


# The pictures


def test_a_picture_shows_exactly_two_shapes_with_room_between_them(clean):
    mask = ink(clean.images[:40]) > 4
    assert (islands(mask) == 2).all()
    assert (islands(spread(mask)) == 2).all()  # each one pixel wider: at least two were free


@pytest.mark.parametrize("areas", [scene.areas for scene in SCENES.values()])
def test_no_shape_is_cut_or_overlaps_the_other(areas):
    drawing = shapes.draw(100, seed=1, scene=Scene(kinds=("triangle", "cross"), areas=areas, noise=(0, 0)))
    seen = ink(drawing.images)
    inside = seen[:, 1:-1, 1:-1]
    assert seen.sum() == inside.sum()
    expected = (drawing.areas * abs(drawing.contrasts)).sum(axis=1)
    np.testing.assert_allclose(seen.sum(axis=(1, 2)), expected, rtol=0.02)


def measure(drawing):
    """Ink of each shape, its second moment and its reach, as seen in the picture: three (count, 2)."""
    rows, columns = np.indices(drawing.images.shape[1:3]) + 0.5
    seen = ink(drawing.images)[:, None] / abs(drawing.contrasts)[..., None, None]  # (count, 2, size, size)
    x, y = (drawing.centres[..., axis, None, None] for axis in (0, 1))
    distances = np.hypot(columns - x, rows - y)
    seen = np.where(distances <= np.sqrt(drawing.areas)[..., None, None] * 0.9 + 1, seen, 0)
    area = seen.sum(axis=(2, 3))
    moment = (seen * (distances**2 + 1 / 6)).sum(axis=(2, 3))  # a pixel is a square with a moment of its own
    return area, moment / area**2, np.where(seen > 0.5, distances, 0).max(axis=(2, 3)) / np.sqrt(area)


def test_equal_areas_give_equal_ink_whatever_the_kind(clean):
    ratio = measure(clean)[0] / clean.areas
    means = [ratio[clean.kinds == kind].mean() for kind in range(4)]
    np.testing.assert_allclose(means, 1, atol=0.005)
    np.testing.assert_allclose(ratio, 1, atol=0.03)


# Of shapes with area 1: the second moment about the middle, and the distance from the middle to the farthest point.
GEOMETRY = {
    "circle": (1 / (2 * np.pi), np.pi**-0.5),
    "triangle": (3**0.5 / 9, 2 / 27**0.25),
    "square": (1 / 6, 0.5**0.5),
    "cross": (29 / 150, 0.5**0.5),
}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_name_what_is_drawn(clean, kind):
    _, moments, reaches = measure(clean)
    chosen = clean.kinds == CLEAN.kinds.index(kind)
    moment, reach = GEOMETRY[kind]
    np.testing.assert_allclose(moments[chosen].mean(), moment, rtol=0.01)
    np.testing.assert_allclose(reaches[chosen].mean(), reach, rtol=0.05)


def test_turned_shapes_point_where_the_angle_says(clean):
    """The triangle's three tips alone are farther from its middle than 0.7 times the root of its area."""
    rows, columns = np.indices((96, 96)) + 0.5
    seen = ink(clean.images)
    for image, shape in np.argwhere(clean.kinds == CLEAN.kinds.index("triangle")):
        x, y = clean.centres[image, shape]
        distances = np.hypot(columns - x, rows - y) / np.sqrt(clean.areas[image, shape])
        tips = (distances > 0.7) & (distances < 0.9) & (seen[image] > 35)
        direction = np.arctan2(rows - y, columns - x)[tips] - clean.angles[image, shape]
        threefold = np.exp(3j * direction)
        assert abs(np.angle(threefold.mean() * np.exp(0.5j * np.pi))) < 0.3


def test_black_and_white_are_hardly_ever_met():
    for scene in SCENES.values():
        images = shapes.draw(200, scene=scene).images
        assert ((images == 0) | (images == 255)).mean() < 0.001


# Chance


def test_same_seed_draws_the_same_and_another_seed_others():
    one = shapes.draw(130, seed=7)
    assert_same(one, shapes.draw(130, seed=7))
    other = shapes.draw(130, seed=8)
    for name in ("images", "kinds", "centres", "areas", "angles", "contrasts"):
        assert not np.array_equal(getattr(one, name), getattr(other, name)), name


def test_number_of_threads_does_not_matter():
    one = shapes.draw(300, seed=7, threads=1)
    for threads in (2, 5, None):
        assert_same(one, shapes.draw(300, seed=7, threads=threads))


def test_no_two_chunks_share_their_random_numbers():
    drawing = shapes.draw(4 * shapes.CHUNK, seed=0)
    assert len({areas.tobytes() for areas in drawing.areas}) == 4 * shapes.CHUNK
    assert len({image.tobytes() for image in drawing.images}) == 4 * shapes.CHUNK


def test_what_is_drawn_in_training_is_drawn_nowhere_else():
    # As lesson 10 does it: seeds, stages, epochs; beside them what it watches with (1 and 3) and asks about (2).
    seeds = [shapes.seed_of(*place) for place in itertools.product((1, 2, 3), (0, 1), (0, 1, 2))] + [1, 2, 3]
    images = [image.tobytes() for seed in seeds for image in shapes.draw(8, seed).images]
    images += [image.tobytes() for image in shapes.load(8, 8, seed=1).x_train]
    assert len(set(images)) == len(images) == 8 * (18 + 3 + 1)


# The scenes


@pytest.mark.parametrize("name", SCENES)
def test_every_scene_keeps_to_its_ranges(name):
    scene = SCENES[name]
    drawing = shapes.draw(300, seed=2, scene=scene)
    assert drawing.images.shape == (300, 96, 96, 1)
    assert drawing.images.dtype == "uint8"
    assert drawing.labels.dtype == "int32"
    turns = drawing.angles / (2 * np.pi)
    for found, (low, high) in (
        (drawing.areas, scene.areas),
        (drawing.contrasts, scene.contrasts),
        (turns, scene.turns),
    ):  # fmt: skip
        assert low <= found.min() < low + (high - low) / 4
        assert high >= found.max() > high - (high - low) / 4
    corner = drawing.images[:, :6, :6].astype("float64").std(axis=(1, 2))  # seldom under a shape
    assert scene.noise[0] * 0.8 < np.median(corner) < scene.noise[1] * 1.2


def test_other_scenes_lie_outside_what_training_shows():
    training = SCENES["as in training"]
    assert training == Scene()
    assert SCENES["smaller"].areas[1] < training.areas[0]
    assert SCENES["larger"].areas[0] > training.areas[1]
    assert SCENES["fainter"].contrasts[1] < training.contrasts[0]
    assert SCENES["darker"].contrasts[1] < 0 < training.contrasts[0]
    assert SCENES["noisier"].noise[0] > training.noise[1]
    assert set(SCENES["a new kind"].kinds) - set(training.kinds) == {"cross"}


def test_in_easy_pictures_places_and_kinds_are_all_that_differs():
    drawing = shapes.draw(60, seed=3, scene=shapes.EASY)
    assert np.ptp(drawing.areas) == np.ptp(drawing.angles) == 0
    for kind in range(3):
        pictures = drawing.images[(drawing.kinds == kind).any(axis=1)]
        assert len(pictures) > 20
    centred = [  # cut out around its centre, each shape of a kind looks like every other, but for noise and contrast
        [
            drawing.images[i, y - 15 : y + 15, x - 15 : x + 15, 0].astype("float64")
            for i, s in np.argwhere(drawing.kinds == kind)
            for x, y in [np.round(drawing.centres[i, s]).astype(int)]
        ]
        for kind in range(3)
    ]
    means = [np.mean(kind, axis=0) for kind in centred]
    for kind, cut_outs in enumerate(centred):
        nearest = [np.argmin([np.corrcoef(c.ravel(), m.ravel())[0, 1] * -1 for m in means]) for c in cut_outs]
        assert np.mean(np.array(nearest) == kind) > 0.9


@pytest.mark.parametrize(
    "settings",
    [
        {"kinds": ("circle",)}, {"kinds": ("circle", "circle")}, {"kinds": ("circle", "star")}, {"areas": (500, 200)},
        {"areas": (0, 200)}, {"areas": (200, 2000)}, {"areas": 200}, {"areas": (1, 2, 3)}, {"contrasts": (0, 50)},
        {"contrasts": (-50, 50)}, {"turns": (0, 2)},
        {"contrasts": (50, 200)}, {"noise": (-1, 5)}, {"noise": (5, 100)}, {"noise": (float("nan"), 5)}, {"size": 95.5},
        {"size": 40}, {"areas": ("small", "large")},
    ],
)  # fmt: skip
def test_impossible_scenes_are_refused(settings):
    with pytest.raises(Misuse, match="Received"):
        Scene(**settings)


@pytest.mark.parametrize(
    "settings", [{"count": 0}, {"count": 2.5}, {"count": True}, {"seed": -1}, {"seed": "one"}, {"threads": 0}]
)
def test_impossible_counts_seeds_and_threads_are_refused(settings):
    with pytest.raises(Misuse, match="Received"):
        shapes.draw(**{"count": 2, **settings})


# The data set


def test_data_set_says_what_it_is_and_how_it_was_made():
    data = shapes.load(train=70, test=30, seed=4)
    assert data.x_train.shape == (70, 96, 96, 1)
    assert data.x_test.shape == (30, 96, 96, 1)
    assert data.class_names == ("different", "same")
    assert data.title == "same or different shapes"
    assert (data.name, data.warning) == ("shapes", "")
    assert "seed 4" in data.origin
    assert shapes.RECIPE in data.origin
    assert data.y_train.sum() == 35
    assert data.y_test.sum() == 15


def test_training_and_test_pictures_share_nothing_and_their_numbers_do_not_matter_to_each_other():
    data = shapes.load(train=64, test=64)
    assert not {image.tobytes() for image in data.x_train} & {image.tobytes() for image in data.x_test}
    np.testing.assert_array_equal(shapes.load(train=10, test=64).x_test, data.x_test)
    np.testing.assert_array_equal(shapes.load(train=64, test=10).x_train, data.x_train)
    for seed in (1, 2):
        drawn = {image.tobytes() for image in shapes.draw(64, seed=seed).images}
        assert not drawn & {image.tobytes() for image in np.concatenate([data.x_train, data.x_test])}


@pytest.mark.parametrize("settings", [{"train": 0}, {"test": -1}, {"train": 2.5}, {"seed": -1}])
def test_impossible_sizes_of_the_data_set_are_refused(settings):
    with pytest.raises(Misuse, match="Received"):
        shapes.load(**{"train": 4, "test": 2, **settings})


def test_shapes_are_reached_through_the_door_and_read_from_no_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(shapes, "load", lambda: "the shapes")
    assert datasets.load("shapes") == datasets.load("shapes", "drawn") == "the shapes"
    with pytest.raises(Misuse, match="drawn when asked for"):
        datasets.load("shapes", tmp_path)
