"""Digits drawn from fonts: what the lessons run on where MNIST cannot be had. **They are not MNIST.**

Each image is drawn in five steps, each one small function below:

    glyph     a digit in one of 21 fonts, as a map of distances to its outline (glyphs.py)
    affine    the sheet is turned, slanted, stretched and shifted
    elastic   ... and bent, as a hand that is in a hurry bends what it writes
    ink       a pen with a width, a softness and a pressure that wanders makes a picture of the distances
    noise     some ink is pale, and every sensor has grain

70,000 images take a few seconds on one CPU core, without threads: NumPy works on a thousand of them at a time.

>>> draw([3, 1, 4], np.random.default_rng(0)).shape
(3, 28, 28, 1)
"""

from pathlib import Path

import matplotlib
import numpy as np

from vitkeras.datasets.dataset import Dataset
from vitkeras.datasets.glyphs import CELLS, DIGITS, FONTS, MAP, SHEET, SIDE, distance_maps, half_widths
from vitkeras.errors import Misuse, Problem
from vitkeras.files import written_whole

RECIPE = "v1"  # whoever changes what is drawn counts on, so that no cache of the old digits is taken for the new
WARNING = (
    "This is NOT MNIST. The digits are drawn from fonts, and results on them are not MNIST results. "
    "To get MNIST: python -m vitkeras.datasets fetch mnist"
)

# How far the digits stray. With these a person still reads them, and a Vision Transformer has something to learn.
TURN = 0.28  # radians, either way
SLANT = 0.32  # pixels to the side for each pixel up, either way
STRETCH = 0.18  # wider or narrower, higher or lower, by up to this part
SHIFT = 1.5  # pixels, either way
BEND = 1.0  # pixels: the standard deviation of the elastic push
PEN = (0.9, 1.8)  # pixels: half the width of the pen
THINNER = 0.5  # pixels that the pen takes off a font's stroke, at most: the hairlines of a bold font should stay
PRESSURE = 0.3  # pixels: the standard deviation of the pen's half width within one image
SOFTNESS = (0.8, 2.0)  # pixels from no ink to full ink at the edge of a stroke
PALENESS = 0.4  # of the ink, at most
GRAIN = 0.08  # standard deviation of the noise, at most; 1 is full ink

KNOTS = 5  # a bend is made of KNOTS x KNOTS pushes
CHUNK = 1000  # images drawn at once: enough to keep NumPy busy, few enough to stay in the processor's cache


def load(folder=None, train=60000, test=10000, seed=0, progress=print):
    """`train` and `test` drawn digits; from the cache in `folder` if it is there, else drawn and kept there.

    All classes are equally frequent. Each part is drawn with random numbers of its own, so that no image is in both,
    but from the same fonts: a model is asked to read new drawings, not new typefaces. The same seed gives the same
    digits, and the size of one part does not change the other.

    A cache that is damaged is drawn again, and a folder that cannot be written to is done without: `origin` says so.
    `progress` is given one line before a drawing that takes seconds.
    """
    for name, number, least in ("train", train, 1), ("test", test, 1), ("seed", seed, 0):
        if not isinstance(number, int | np.integer) or number < least:
            raise Misuse(f"{name} of the drawn digits should be a whole number from {least} on. Received: {number!r}.")

    origin = f"drawn from {len(FONTS)} of matplotlib's fonts, recipe {RECIPE}, seed {seed}"
    cache = folder and Path(folder, f"drawn-digits-{RECIPE}-{train}-{test}-seed{seed}.npz")
    done = f"drawn now with matplotlib {matplotlib.__version__}"
    if cache and cache.is_file():
        try:
            return dataset(read(cache, train, test), f"{origin}; read from {cache}")
        except Exception as fault:  # whatever a damaged file brings about: the remedy is the same
            reason = " ".join(f"{type(fault).__name__}: {fault}".split())  # in one line
            done += f", again, because {cache} was damaged or unreadable ({reason})"

    if train + test > 5000:
        progress(f"NOT MNIST: drawing {train + test:,} digits from fonts, which takes a few seconds ...")
    train_rng, test_rng = np.random.default_rng(seed).spawn(2)
    x_train, y_train = draw_balanced(train, train_rng)
    x_test, y_test = draw_balanced(test, test_rng)
    arrays = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    return dataset(arrays, f"{origin}; {done}, {keep(cache, arrays)}")


def dataset(arrays, origin):
    names = tuple("0123456789")
    return Dataset("drawn", "drawn digits (not MNIST)", **arrays, class_names=names, origin=origin, warning=WARNING)


def keep(cache, arrays):
    """Write the cache, and say where; a folder that does not take it is no reason to stop."""
    if not cache:
        return "not kept"
    try:
        with written_whole(cache) as unfinished:
            np.savez(unfinished, **arrays)
    except Problem as problem:
        return f"not kept, because {problem.__cause__}"
    return f"kept in {cache}"


def read(cache, train, test):
    """The arrays of a cache, or a `ValueError` if they are not what was written. The archive has its own checksums."""
    expected = {
        "x_train": ((train, SIDE, SIDE, 1), "uint8"), "y_train": ((train,), "int32"),
        "x_test": ((test, SIDE, SIDE, 1), "uint8"), "y_test": ((test,), "int32"),
    }  # fmt: skip
    with open(cache, "rb") as stream, np.load(stream, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in expected}
    for name, array in arrays.items():
        if (array.shape, array.dtype) != expected[name]:
            raise ValueError(f"{name} is {array.dtype} {array.shape}, expected {expected[name]}")
    if any(labels.min() < 0 or labels.max() > 9 for labels in (arrays["y_train"], arrays["y_test"])):
        raise ValueError("labels outside 0..9")
    return arrays


def draw_balanced(count, rng, characters=DIGITS):
    """Images and labels, each class equally often (up to one image), in random order."""
    labels = rng.permutation(np.arange(count, dtype="int32") % len(characters))
    images = np.empty((count, SIDE, SIDE, 1), "uint8")
    for start in range(0, count, CHUNK):
        images[start : start + CHUNK] = draw(labels[start : start + CHUNK], rng, characters)
    return images, labels


# --------------------------------------------------------------------------------------------------------------------
# The drawing itself. It walks backwards: each pixel of the new image asks where on the font's sheet it comes from, so
# that none is left empty. That is why the affine step, which comes first on paper, is the last to be undone.


def draw(labels, rng, characters=DIGITS):
    """One image for each label: uint8, (count, 28, 28, 1), white on black. `rng` is a NumPy random generator.

    labels: which of `characters` to draw; of the digits, each has itself for a label
    """
    labels, last = np.asarray(labels), len(characters) - 1
    if labels.ndim != 1 or not np.isin(labels, range(last + 1)).all():
        raise Misuse(f"Labels to draw should be a list of whole numbers from 0 to {last}. Received: {labels!r}.")
    count = len(labels)
    glyphs = rng.integers(len(FONTS), size=count), labels.astype("int64")

    points = undo_elastic(pixel_centres(), count, rng)  # (count, 2, 784)
    points = undo_affine(points, count, rng)  # (count, 2, 784)
    distances = look_up(glyphs, points, characters)  # (count, 784)
    pictures = ink(distances, half_widths(characters)[glyphs], rng)  # (count, 784)
    pictures = noise(pictures, rng)  # (count, 784)
    return np.rint(255 * pictures).astype("uint8").reshape(count, SIDE, SIDE, 1)


def pixel_centres():
    """x and y of every pixel, in pixels from the middle of the image: (2, 784)."""
    centres = np.arange(SIDE, dtype="float32") - (SIDE - 1) / 2
    y, x = np.meshgrid(centres, centres, indexing="ij")
    return np.stack([x.ravel(), y.ravel()])


def make_bumps():
    """How strongly a push at each of the knots, a coarse grid over the image, moves each pixel: (KNOTS * KNOTS, 784).

    The strength falls off as a Gaussian. It is scaled so that random pushes of standard deviation 1 at all knots move
    every pixel with standard deviation 1, near a knot and between.
    """
    knots = np.linspace(-SIDE / 2, SIDE / 2, KNOTS, dtype="float32")
    y, x = np.meshgrid(knots, knots, indexing="ij")
    knots = np.stack([x.ravel(), y.ravel()])  # (2, KNOTS * KNOTS)
    apart = ((knots[:, :, None] - pixel_centres()[:, None, :]) ** 2).sum(axis=0)  # (KNOTS * KNOTS, 784)
    bumps = np.exp(-apart / (SIDE / (KNOTS - 1)) ** 2)
    return bumps / np.sqrt((bumps**2).sum(axis=0))


BUMPS = make_bumps()


def undo_elastic(points, count, rng):
    """Bend the plane: random pushes at the knots, smooth in between: (2, 784) -> (count, 2, 784)."""
    pushes = BEND * rng.standard_normal((count, 2, KNOTS * KNOTS), dtype="float32")
    return points + pushes @ BUMPS  # (count, 2, knots) @ (knots, 784) = (count, 2, 784)


def undo_affine(points, count, rng):
    """Turn, slant, stretch and shift the plane: (count, 2, 784) -> (count, 2, 784)."""
    turn, slant = uniform(rng, -TURN, TURN, count), uniform(rng, -SLANT, SLANT, count)
    wide, high = uniform(rng, 1 - STRETCH, 1 + STRETCH, (2, count))
    shift = uniform(rng, -SHIFT, SHIFT, (count, 2, 1))
    cos, sin, none = np.cos(turn), np.sin(turn), np.zeros_like(turn)
    turned = np.stack([cos, -sin, sin, cos], axis=-1).reshape(count, 2, 2)
    slanted = np.stack([wide, slant, none, high], axis=-1).reshape(count, 2, 2)
    return slanted @ turned @ points + shift  # (count, 2, 2) @ (count, 2, 784) = (count, 2, 784)


def look_up(glyphs, points, characters=DIGITS):
    """The distance to the outline at each point, between cells in proportion: (count, 2, 784) -> (count, 784)."""
    fonts, labels = glyphs
    cells = distance_maps(characters).ravel()
    x, y = np.clip((points + SHEET / 2) * CELLS - 0.5, 0, MAP - 1.001).swapaxes(0, 1)  # in cells, from the corner
    left, top = x.astype("int64"), y.astype("int64")
    corner = (fonts * len(characters) + labels)[:, None] * MAP**2 + top * MAP + left  # (count, 784)
    x, y = x - left.astype("float32"), y - top.astype("float32")
    upper = (1 - x) * cells.take(corner) + x * cells.take(corner + 1)
    lower = (1 - x) * cells.take(corner + MAP) + x * cells.take(corner + MAP + 1)
    return (1 - y) * upper + y * lower


def ink(distances, half_width, rng):
    """What a pen leaves: 1 well inside the stroke, 0 outside, and a slope between: (count, 784) -> (count, 784).

    The pen has the same choice of widths for a bold font as for a light one: it follows the middle of the stroke.
    """
    count = len(distances)
    pen = np.maximum(uniform(rng, *PEN, count) - half_width, -THINNER)  # how far the new edge is outside the font's
    # Image by image: one large product would start threads, which wait for each other longer than they work.
    pressure = (PRESSURE * rng.standard_normal((count, 1, KNOTS * KNOTS), dtype="float32") @ BUMPS)[:, 0]
    softness = uniform(rng, *SOFTNESS, (count, 1))
    return np.clip(0.5 + (distances + pen[:, None] + pressure) / softness, 0, 1)


def noise(pictures, rng):
    """Paler ink, and grain: (count, 784) -> (count, 784)."""
    count = len(pictures)
    contrast = uniform(rng, 1 - PALENESS, 1, (count, 1))
    grain = uniform(rng, 0, GRAIN, (count, 1)) * rng.standard_normal(pictures.shape, dtype="float32")
    return np.clip(contrast * pictures + grain, 0, 1)


def uniform(rng, low, high, shape):
    return np.float32(low) + np.float32(high - low) * rng.random(shape, dtype="float32")
