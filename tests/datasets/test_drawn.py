import threading

import numpy as np
import pytest

from vitkeras.datasets import drawn, glyphs
from vitkeras.errors import Misuse


@pytest.fixture(scope="module")
def digits():
    return drawn.load(train=3000, test=1000, seed=0)


def load_small(folder=None, **settings):
    return drawn.load(folder, **{"train": 30, "test": 20, "seed": 0, **settings})


def assert_same(one, other):
    for name in ("x_train", "y_train", "x_test", "y_test"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


# What a data set of drawn digits is


def test_images_are_bytes_and_labels_are_integers(digits):
    assert digits.x_train.shape == (3000, 28, 28, 1)
    assert digits.x_test.shape == (1000, 28, 28, 1)
    assert digits.y_train.shape == (3000,)
    assert digits.x_train.dtype == digits.x_test.dtype == "uint8"
    assert digits.y_train.dtype == digits.y_test.dtype == "int32"
    assert digits.class_names == tuple("0123456789")


def test_all_classes_are_equally_frequent_and_mixed(digits):
    np.testing.assert_array_equal(np.bincount(digits.y_train), [300] * 10)
    np.testing.assert_array_equal(np.bincount(digits.y_test), [100] * 10)
    assert np.bincount(digits.y_train[:300], minlength=10).max() < 60  # sorted labels would give 300


def test_counts_that_ten_does_not_divide_are_balanced_up_to_one_image():
    frequencies = np.bincount(load_small(train=37).y_train, minlength=10)
    assert frequencies.sum() == 37
    assert np.ptp(frequencies) == 1


def test_user_is_told_that_this_is_not_mnist(digits):
    assert "NOT MNIST" in digits.warning
    assert "python -m vitkeras.datasets fetch mnist" in digits.warning
    assert "not MNIST" in digits.title
    assert "\n" not in digits.origin
    assert "seed 0" in digits.origin


@pytest.mark.parametrize("settings", [{"train": 0}, {"test": -1}, {"train": 2.5}, {"seed": -1}])
def test_impossible_sizes_and_seeds_are_refused(settings):
    with pytest.raises(Misuse, match="Received"):
        load_small(**settings)


# Chance


def test_same_seed_draws_the_same_digits(digits):
    assert_same(digits, drawn.load(train=3000, test=1000, seed=0))


def test_another_seed_draws_other_digits():
    assert not np.array_equal(load_small(seed=0).x_train, load_small(seed=1).x_train)


def test_size_of_one_part_does_not_change_the_other():
    few, more = load_small(), load_small(train=50)
    np.testing.assert_array_equal(few.x_test, more.x_test)
    np.testing.assert_array_equal(few.y_test, more.y_test)
    few, more = load_small(), load_small(test=40)
    np.testing.assert_array_equal(few.x_train, more.x_train)


def test_drawing_in_several_threads_at_once_draws_the_same():
    one_by_one = [load_small(train=1500, seed=seed) for seed in range(3)]
    at_once = {}
    threads = [
        threading.Thread(target=lambda seed=seed: at_once.update({seed: load_small(train=1500, seed=seed)}))
        for seed in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in range(3):
        assert_same(one_by_one[seed], at_once[seed])


def test_no_image_is_drawn_twice(digits):
    images = np.concatenate([digits.x_train, digits.x_test])
    assert len({image.tobytes() for image in images}) == len(images)


# The pictures


def test_every_image_has_ink_and_most_of_it_is_background(digits):
    assert digits.x_train.max(axis=(1, 2)).min() > 100
    lit = (digits.x_train > 100).mean(axis=(1, 2))
    assert lit.min() > 0.005  # four pixels
    assert lit.max() < 0.5


def test_ink_stays_inside_the_frame(digits):
    lit = digits.x_train[..., 0] > 128
    border = np.ones((28, 28), bool)
    border[1:-1, 1:-1] = False
    assert lit[:, border].mean() < 0.01
    assert lit[:, border].mean() < lit.mean() / 10


def test_centre_of_mass_is_near_the_middle(digits):
    ink = digits.x_train[..., 0].astype("float64")
    ink[ink < 64] = 0  # grain
    mass = ink.sum(axis=(1, 2))
    middle = np.arange(28) - 13.5
    for weights in (middle[:, None], middle[None, :]):
        centre = (ink * weights).sum(axis=(1, 2)) / mass
        assert abs(centre.mean()) < 0.3
        assert centre.std() > 0.3  # and it varies
        assert (abs(centre) < 4).mean() > 0.99


def test_digits_are_neither_all_alike_nor_beyond_recognition(digits):
    pixels, tests = digits.x_train.reshape(-1, 784) / 255, digits.x_test.reshape(-1, 784) / 255
    means = np.stack([pixels[digits.y_train == digit].mean(axis=0) for digit in range(10)])  # (10, 784)
    apart = ((tests[:, None] - means) ** 2).sum(axis=2)  # (tests, 10)
    accuracy = (apart.argmin(axis=1) == digits.y_test).mean()
    assert 0.4 < accuracy < 0.85


def test_labels_name_what_is_drawn():
    """The average of many drawings of a digit looks like the fonts' digit of that name, more than like any other."""
    average = np.stack([drawn.draw([digit] * 200, np.random.default_rng(0)).mean(axis=0) for digit in range(10)])
    margin = (glyphs.SHEET - glyphs.SIDE) // 2 * glyphs.CELLS
    fonts = (glyphs.distance_maps() > 0).mean(axis=0)[:, margin:-margin, margin:-margin]  # (10, 56, 56)
    fonts = fonts.reshape(10, 28, 2, 28, 2).mean(axis=(2, 4))
    likeness = np.corrcoef(average.reshape(10, -1), fonts.reshape(10, -1))[:10, 10:]
    np.testing.assert_array_equal(likeness.argmax(axis=1), np.arange(10))


@pytest.mark.parametrize("labels", [[10], [-1], [1.5], [[1, 2]], 3])
def test_only_digits_can_be_drawn(labels):
    with pytest.raises(Misuse, match="Received"):
        drawn.draw(labels, np.random.default_rng(0))


# The steps


def test_without_randomness_the_font_itself_is_drawn(monkeypatch):
    for knob in ("TURN", "SLANT", "STRETCH", "SHIFT", "BEND", "PRESSURE", "PALENESS", "GRAIN"):
        monkeypatch.setattr(drawn, knob, 0)
    rng = np.random.default_rng(0)
    points = drawn.undo_affine(drawn.undo_elastic(drawn.pixel_centres(), 1, rng), 1, rng)
    np.testing.assert_allclose(points[0], drawn.pixel_centres(), atol=1e-5)

    distances = drawn.look_up((np.array([0]), np.array([7])), points)
    # the middle of a pixel lies where four cells of the map meet
    cells = glyphs.distance_maps()[0, 7].reshape(glyphs.SHEET, 2, glyphs.SHEET, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(distances.reshape(28, 28), cells[4:-4, 4:-4], atol=1e-4)


def test_distance_is_found_in_every_direction():
    mask = np.zeros((40, 40), bool)
    mask[20, 20] = True
    distance = glyphs.distance_to(mask)
    rows, columns = np.indices(mask.shape) - 20
    expected = np.minimum(np.hypot(rows, columns), glyphs.REACH * glyphs.CELLS * glyphs.FINE)
    np.testing.assert_allclose(distance, expected, rtol=1e-6)


def test_distance_maps_have_the_width_of_the_stroke(monkeypatch):
    bar = np.zeros((1, 1, glyphs.MAP * glyphs.FINE, glyphs.MAP * glyphs.FINE), bool)
    bar[..., 60:68] = True  # 8 fine cells are 2 pixels, along the whole sheet
    assert glyphs.distances(bar).max() <= 1
    np.testing.assert_allclose(glyphs.half_width(glyphs.distances(bar)), [[1.0]], rtol=0.15)


def test_thicker_pen_leaves_more_ink(monkeypatch):
    ink = []
    for half_width in (0.8, 1.4, 2.0):
        monkeypatch.setattr(drawn, "PEN", (half_width, half_width))
        ink.append(drawn.draw(range(10), np.random.default_rng(0)).mean())
    assert ink[0] < ink[1] < ink[2]


def test_every_push_bends_all_pixels_equally_on_average():
    np.testing.assert_allclose((drawn.BUMPS**2).sum(axis=0), 1, rtol=1e-5)


# The fonts


def test_every_font_has_ten_digits_that_differ():
    maps = glyphs.distance_maps()
    ink = maps > 0
    assert ink.any(axis=(2, 3)).all()
    for font, digits in zip(glyphs.FONTS, ink, strict=True):
        differ = (digits[:, None] != digits).sum(axis=(2, 3)) / digits.sum(axis=(1, 2))  # (10, 10)
        np.fill_diagonal(differ, 1)
        assert differ.min() > 0.1, font


def test_margin_around_each_glyph_is_wider_than_the_reach_of_a_distance():
    ink = glyphs.distance_maps() > 0
    margin = glyphs.REACH * glyphs.CELLS // 2  # opposite edges together keep the ink apart by twice this
    assert not ink[..., :margin, :].any()
    assert not ink[..., -margin:, :].any()
    assert not ink[..., :, :margin].any()
    assert not ink[..., :, -margin:].any()


# The cache


def test_cache_is_written_and_read_back_equal(tmp_path):
    written = load_small(tmp_path)
    (cache,) = tmp_path.iterdir()
    assert str(cache) in written.origin
    read = load_small(tmp_path)
    assert "read from" in read.origin
    assert_same(written, read)
    assert read.warning == written.warning
    assert read.x_train.dtype == "uint8"


def test_each_size_and_seed_has_a_cache_of_its_own(tmp_path):
    for settings in ({}, {"seed": 1}, {"train": 31}, {"test": 21}):
        assert "drawn now" in load_small(tmp_path, **settings).origin
    assert len(list(tmp_path.iterdir())) == 4


def truncate(path):
    path.write_bytes(path.read_bytes()[:-1000])


def empty(path):
    path.write_bytes(b"")


def flip_one_bit(path):
    content = bytearray(path.read_bytes())
    content[5000] ^= 1
    path.write_bytes(content)


def change(**arrays):
    def damage(path):
        with np.load(path) as archive:
            good = dict(archive)
        np.savez(path, **(good | arrays))

    return damage


DAMAGE = {
    "truncated": truncate,
    "empty": empty,
    "one bit flipped": flip_one_bit,
    "wrong shape": change(x_train=np.zeros((30, 32, 32, 3), "uint8")),
    "wrong type": change(y_test=np.zeros(20, "int64")),
    "no labels of digits": change(y_train=np.full(30, 10, "int32")),
    "pickled objects": change(y_train=np.array([{}] * 30)),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_cache_is_drawn_again_and_replaced(tmp_path, damage):
    good = load_small(tmp_path)
    (cache,) = tmp_path.iterdir()
    damage(cache)
    again = load_small(tmp_path)
    assert "damaged" in again.origin
    assert str(cache) in again.origin
    assert "\n" not in again.origin
    assert_same(good, again)
    third = load_small(tmp_path)
    assert "read from" in third.origin
    assert_same(good, third)


def test_folder_that_cannot_be_written_to_still_gives_the_data(tmp_path):
    in_the_way = tmp_path / "data"
    in_the_way.write_text("a file where the folder should be")
    digits = load_small(in_the_way)
    assert "not kept" in digits.origin
    assert_same(digits, load_small())
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_waiting_is_announced_only_where_there_is_waiting():
    said = []
    drawn.load(train=100, test=100, progress=said.append)
    assert said == []
    drawn.load(train=5001, test=1, progress=said.append)
    assert len(said) == 1
