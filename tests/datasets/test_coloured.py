import numpy as np
import pytest

from vitkeras.datasets import coloured, drawn
from vitkeras.errors import Misuse


@pytest.fixture(scope="module")
def digits():
    return coloured.load(train=3000, test=1000, seed=0)


def test_images_have_the_form_of_cifar10(digits):
    assert digits.x_train.shape == (3000, 32, 32, 3)
    assert digits.x_test.shape == (1000, 32, 32, 3)
    assert digits.x_train.dtype == digits.x_test.dtype == "uint8"
    assert digits.y_train.dtype == digits.y_test.dtype == "int32"
    assert digits.class_names == tuple("0123456789")


def test_user_is_told_that_this_is_not_cifar10(digits):
    assert "NOT CIFAR-10" in digits.warning
    assert "python -m vitkeras.datasets fetch cifar10" in digits.warning
    assert digits.title == "coloured digits (not CIFAR-10)"
    assert "seed 0" in digits.origin
    assert "\n" not in digits.origin


def test_all_classes_are_equally_frequent_and_mixed(digits):
    np.testing.assert_array_equal(np.bincount(digits.y_train), [300] * 10)
    np.testing.assert_array_equal(np.bincount(digits.y_test), [100] * 10)
    assert np.bincount(digits.y_train[:300], minlength=10).max() < 60


@pytest.mark.parametrize("settings", [{"train": 0}, {"test": -1}, {"train": 2.5}, {"seed": -1}])
def test_impossible_sizes_and_seeds_are_refused(settings):
    with pytest.raises(Misuse, match="Received"):
        coloured.load(**{"train": 30, "test": 20, **settings})


def test_same_seed_draws_the_same_and_another_seed_others(digits):
    again, other = coloured.load(train=3000, test=10, seed=0), coloured.load(train=30, test=20, seed=1)
    np.testing.assert_array_equal(again.x_train, digits.x_train)
    np.testing.assert_array_equal(again.y_train, digits.y_train)
    assert not np.array_equal(other.x_train, digits.x_train[:30])


def test_number_of_threads_does_not_matter():
    one, several = (coloured.draw_balanced(600, seed=3, threads=threads) for threads in (1, 4))
    np.testing.assert_array_equal(one[0], several[0])
    np.testing.assert_array_equal(one[1], several[1])


def test_no_image_is_drawn_twice(digits):
    images = np.concatenate([digits.x_train, digits.x_test])
    assert len({image.tobytes() for image in images}) == len(images)


def test_digit_and_ground_differ_in_colour():
    ground, digit = coloured.colours(5000, np.random.default_rng(0))
    apart = np.linalg.norm(ground - digit, axis=1)
    assert apart.min() >= coloured.APART
    assert min(ground.min(), digit.min()) >= 0
    assert max(ground.max(), digit.max()) <= 255


def test_digits_can_be_told_from_their_ground_in_the_picture(monkeypatch):
    """Where the digit is, the picture is nearer to the digit's colour than to the ground's."""
    kept = {}
    for name in ("cover", "colours"):
        function = getattr(coloured, name)
        monkeypatch.setattr(coloured, name, lambda *a, f=function, n=name: kept.setdefault(n, f(*a)))
    pictures = coloured.draw(np.arange(500) % 10, np.random.default_rng(0)).astype("float32")
    below, digit = (np.linalg.norm(pictures - colour[:, None, None], axis=-1) for colour in kept["colours"])
    for chosen, nearer, farther in ((kept["cover"] == 1, digit, below), (kept["cover"] == 0, below, digit)):
        assert (nearer < farther)[chosen].mean() > 0.97


def test_digits_lie_in_all_places_of_the_larger_picture():
    covers = coloured.cover(drawn.draw(np.arange(500) % 10, np.random.default_rng(0)), np.random.default_rng(1))
    assert covers.shape == (500, 32, 32)
    centres = (covers * np.arange(32)).sum(axis=(1, 2)) / covers.sum(axis=(1, 2))
    assert abs(centres.mean() - 15.5) < 0.3
    assert centres.std() > 1


def test_colours_do_not_tell_the_digit(digits):
    """The mean colour of a picture says little: the nearest class by it is hardly ever the right one."""
    known, fresh = (images.mean(axis=(1, 2)) for images in (digits.x_train, digits.x_test))  # (count, 3)
    means = np.stack([known[digits.y_train == digit].mean(axis=0) for digit in range(10)])
    nearest = ((fresh[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == digits.y_test).mean() < 0.14  # by chance 0.1, and a standard deviation of 0.0095


def test_outlines_tell_the_digit():
    """Seen as the share of the digit in each pixel, most digits are nearest to the mean of their own class."""
    rng = np.random.default_rng(0)
    labels = np.arange(3000) % 10
    shares = coloured.cover(drawn.draw(labels, rng), rng).reshape(3000, -1)
    means = np.stack([shares[:2000][labels[:2000] == digit].mean(axis=0) for digit in range(10)])
    apart = ((means**2).sum(axis=1) - 2 * shares[2000:] @ means.T).argmin(axis=1)
    assert (apart == labels[2000:]).mean() > 0.35


def test_waiting_is_announced_only_where_there_is_waiting(monkeypatch):
    monkeypatch.setattr(coloured, "draw_balanced", lambda count, seed: (np.zeros((count, 32, 32, 3)), np.zeros(count)))
    said = []
    coloured.load(train=100, test=100, progress=said.append)
    assert said == []
    coloured.load(train=5001, test=1, progress=said.append)
    assert len(said) == 1
    assert "NOT CIFAR-10" in said[0]
