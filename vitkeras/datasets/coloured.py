"""Digits in colour: what the lessons run on where CIFAR-10 cannot be had. **They are not CIFAR-10.**

The drawn digits (drawn.py) in CIFAR-10's form: 32 × 32 pixels, three channels, ten classes. Each has a colour of its
own on a ground of another colour, which is uneven, striped and noisy. The colours say nothing about the digit.

>>> draw([3, 1, 4], np.random.default_rng(0)).shape
(3, 32, 32, 3)
"""

import numpy as np

from vitkeras.datasets import drawn
from vitkeras.datasets.chunks import children, generator, in_chunks
from vitkeras.datasets.dataset import Dataset
from vitkeras.datasets.ranges import require_whole, uniform

RECIPE = "v1"  # counts on with every change to what is drawn
TITLE = "coloured digits (not CIFAR-10)"
CLASS_NAMES = tuple("0123456789")
WARNING = (
    "This is NOT CIFAR-10. The pictures are digits drawn from fonts, in colour, and results on them are not CIFAR-10 "
    "results. To get CIFAR-10: python -m vitkeras.datasets fetch cifar10"
)

SIDE = 32  # of an image, in pixels
APART = 130  # from the digit's colour to the ground's, at least; from black to white it is 442
PROPOSALS = 32  # colours for a digit, of which the first that is far enough from the ground's is taken
FULL = 0.6  # of the ink of a drawn digit: what is as dark as this has the digit's colour alone
GRAIN = 0.1  # of the ink: what is paler than this is the grain of the drawn digit, and left out
SHADES = 16  # grey levels: the standard deviation of the ground's unevenness
KNOTS = 4  # the unevenness is made of KNOTS x KNOTS spots of colour
STRIPES = 14  # grey levels from the ground, at most
WAVES = (0.3, 1.5)  # radians from one pixel to the next, across the stripes
NOISE = (2, 12)  # grey levels: the standard deviation of the noise
CHUNK = 250  # images drawn at once


def load(train=50000, test=10000, seed=0, progress=print):
    """`train` and `test` digits in colour. All classes are equally frequent; the two parts share no random numbers.

    Nothing is kept: to draw them takes seconds. `progress` is given one line before that.
    """
    for name, number, least in ("train", train, 1), ("test", test, 1), ("seed", seed, 0):
        require_whole(name, number, least)
    if train + test > 5000:
        progress(f"NOT CIFAR-10: drawing {train + test:,} digits in colour, which takes a few seconds ...")
    parts = [draw_balanced(count, own) for count, own in zip((train, test), children(seed, 2), strict=True)]
    return Dataset(
        "coloured", TITLE, *parts[0], *parts[1], CLASS_NAMES, warning=WARNING,
        origin=f"drawn now from matplotlib's fonts by vitkeras.datasets.coloured, recipe {RECIPE}, seed {seed}",
    )  # fmt: skip


def draw_balanced(count, seed, threads=None):
    """Images and labels, each class equally often (up to one image), in random order."""
    seed_of_labels, seed_of_images = children(seed, 2)
    labels = generator(seed_of_labels).permutation(np.arange(count, dtype="int32") % 10)
    images = np.empty((count, SIDE, SIDE, 3), "uint8")

    def draw_part(part, rng):
        images[part] = draw(labels[part], rng)

    drawn.draw([0], generator(seed))  # the fonts are read once, and not by several threads at the same time
    in_chunks(draw_part, count, CHUNK, seed_of_images, threads)
    return images, labels


def draw(labels, rng):
    """One image for each label: uint8, (count, 32, 32, 3). `rng` is a NumPy random generator."""
    covers = cover(drawn.draw(labels, rng), rng)[:, None]  # (count, 1, 32, 32)
    below, digit = colours(len(covers), rng)  # (count, 3)
    pictures = ground(below, rng)  # (count, 3, 32, 32)
    pictures += covers * (digit[:, :, None, None] - pictures)
    noise = rng.standard_normal(pictures.shape, dtype="float32")
    pictures += noise * uniform(rng, *NOISE, (len(covers), 1, 1, 1)) + np.float32(0.5)  # cutting off then rounds
    return np.clip(pictures, 0, 255).astype("uint8").transpose(0, 2, 3, 1)


def cover(digits, rng):
    """How much of each pixel the digit covers, somewhere in the larger image: (count, 28, 28, 1) -> (count, 32, 32)."""
    ink = digits[..., 0].astype("float32") / 255
    covers = np.zeros((len(digits), SIDE, SIDE), "float32")
    windows = np.lib.stride_tricks.sliding_window_view(covers, (drawn.SIDE, drawn.SIDE), axis=(1, 2), writeable=True)
    rows, columns = rng.integers(SIDE - drawn.SIDE + 1, size=(2, len(digits)))
    windows[np.arange(len(digits)), rows, columns] = np.clip((ink - GRAIN) / (FULL - GRAIN), 0, 1)
    return covers


def colours(count, rng):
    """A colour of the ground and a colour of the digit, far from each other: two of (count, 3)."""
    below = uniform(rng, 30, 225, (count, 3))
    proposed = uniform(rng, 0, 255, (count, PROPOSALS, 3))
    apart = np.sqrt(((proposed - below[:, None]) ** 2).sum(axis=2))  # (count, PROPOSALS)
    first = np.minimum(apart, APART).argmax(axis=1)  # of equals, the first
    return below, proposed[np.arange(count), first]


def make_spots():
    """How strongly each of the KNOTS x KNOTS spots colours each pixel: (KNOTS * KNOTS, SIDE * SIDE)."""
    apart = np.arange(SIDE, dtype="float32") - np.linspace(0, SIDE - 1, KNOTS, dtype="float32")[:, None]
    along = np.exp(-((apart * (KNOTS - 1) / SIDE) ** 2))  # (KNOTS, SIDE)
    spots = np.einsum("ir,jc->ijrc", along, along).reshape(KNOTS**2, SIDE**2)
    return spots / np.sqrt((spots**2).sum(axis=0))  # pixels near a spot and between spots stray equally


SPOTS = make_spots()


def ground(below, rng):
    """Uneven and striped: (count, 3) -> (count, 3, 32, 32)."""
    count = len(below)
    # Image by image: a larger product would start threads of its own in each of ours.
    shades = SHADES * rng.standard_normal((count, 3, KNOTS**2), dtype="float32") @ SPOTS  # (count, 3, SIDE * SIDE)
    wave, direction = uniform(rng, *WAVES, (count, 1)), uniform(rng, 0, 2 * np.pi, (count, 1))
    steps = np.arange(SIDE, dtype="float32")
    down, right = np.sin(direction) * wave * steps, np.cos(direction) * wave * steps  # (count, SIDE)
    start = uniform(rng, 0, 2 * np.pi, (count, 1, 1))
    stripes = uniform(rng, 0, STRIPES, (count, 1, 1)) * np.sin(down[:, :, None] + right[:, None] + start)
    return below[..., None, None] + shades.reshape(count, 3, SIDE, SIDE) + stripes[:, None]
