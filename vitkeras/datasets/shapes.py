"""Same or different: two shapes in a noisy picture, and the question whether they are of one kind.

    data = shapes.load()                                           # 20,000 + 2,000 pictures, class 1 is "same"
    harder = shapes.draw(2000, seed=2, scene=SCENES["noisier"])    # pictures that training never saw

No single place in such a picture tells the answer; one has to compare. Nor does anything else than the kinds: places,
areas, turns, contrasts, ground and noise are drawn first, by a function that is not told the kinds. Equal areas cover
equally many pixels whatever the kind, and every shape keeps the room that the widest kind would need.

>>> drawing = draw(4, seed=3)
>>> drawing.images.shape, int(drawing.labels.sum())
((4, 96, 96, 1), 2)
"""

from dataclasses import dataclass

import numpy as np

from vitkeras.datasets.chunks import children, generator, in_chunks
from vitkeras.datasets.dataset import Dataset
from vitkeras.datasets.outlines import FARTHEST, KINDS
from vitkeras.datasets.ranges import require_range, require_whole, uniform
from vitkeras.errors import Misuse

RECIPE = "v1"  # counts on with every change to what is drawn
CLASS_NAMES = ("different", "same")

GROUND = (116, 140)  # grey level; in the middle, so that neither contrast nor noise often meets black or white
GAP = 4  # pixels that stay free between two shapes, at least
EDGE = 2  # ... and between a shape and the edge of the picture
TRIES = 16  # pairs of places proposed at once
CHUNK = 64  # images drawn at once: enough to keep NumPy busy, few enough to stay in the processor's cache


@dataclass(frozen=True)
class Scene:
    """What may be in a picture. Ranges are (low, high), and every value between is equally likely."""

    kinds: tuple[str, ...] = ("circle", "triangle", "square")
    areas: tuple[float, float] = (250, 550)  # of a shape, in pixels: circles with radius 9 to 13
    turns: tuple[float, float] = (0, 1)  # of a shape; 1 is all the way round
    contrasts: tuple[float, float] = (40, 75)  # grey levels from the ground; below 0 is darker than the ground
    noise: tuple[float, float] = (4, 12)  # standard deviation, in grey levels
    size: int = 96  # of the picture, in pixels

    def __post_init__(self):
        if len(set(self.kinds)) != len(self.kinds) or len(self.kinds) < 2 or not set(self.kinds) <= set(KINDS):
            raise Misuse(f"kinds should be two or more of {', '.join(KINDS)}. Received: {self.kinds!r}.")
        require_whole("size", self.size, 32)
        require_range("areas", self.areas, 20, self.size**2)
        require_range("turns", self.turns, 0, 1)
        require_range("contrasts", self.contrasts, 1 - GROUND[0], GROUND[0] - 1)
        if self.contrasts[0] < 1 and self.contrasts[1] > -1:
            raise Misuse(
                f"contrasts should all be lighter (1 and more) or all be darker (-1 and less), or a shape may not be "
                f"seen. Received: {self.contrasts!r}."
            )
        require_range("noise", self.noise, 0, GROUND[0] / 2)
        if self.areas[1] > self.largest():
            raise Misuse(
                f"areas should go up to {self.largest():.0f} at most, for two shapes to find room in a picture of "
                f"{self.size} pixels. Received: {self.areas!r}."
            )

    def largest(self):
        """The largest area of which two shapes still find places, without having to look for them too long."""
        # Centres range over a square with the side s = size - 2 EDGE - 2 reach, and lie 2 reach + GAP apart: 1.2 s say.
        return ((1.2 * (self.size - 2 * EDGE) - GAP) / 4.4 / FARTHEST) ** 2


SCENES = {
    "as in training": Scene(),
    "smaller": Scene(areas=(110, 210)),
    "larger": Scene(areas=(560, 720)),
    "fainter": Scene(contrasts=(15, 30)),
    "darker": Scene(contrasts=(-75, -40)),
    "noisier": Scene(noise=(20, 28)),
    "a new kind": Scene(kinds=("circle", "cross")),
}

# Upright, of one size and nearly one contrast: what differs between two pictures is places and kinds.
EASY = Scene(areas=(450, 450), turns=(0, 0), contrasts=(60, 70), noise=(4, 6))


@dataclass(frozen=True, eq=False)
class Drawing:
    """Pictures, and what is in them. The two shapes of a picture are in no particular order."""

    images: np.ndarray  # uint8, (count, size, size, 1)
    labels: np.ndarray  # int32, (count,): 1 if both shapes are of one kind, else 0
    kinds: np.ndarray  # int32, (count, 2), indices into the scene's kinds
    centres: np.ndarray  # (count, 2, 2): x and y, in pixels from the upper left corner of the picture
    areas: np.ndarray  # (count, 2), in pixels
    angles: np.ndarray  # (count, 2), in radians
    contrasts: np.ndarray  # (count, 2), in grey levels; negative is darker than the ground


@dataclass(frozen=True)
class Placing:
    """A shape where somebody wants it: its middle, in pixels from the upper left corner, and its turn in radians."""

    kind: str
    x: float
    y: float
    area: float
    turn: float


def placed(shapes, contrast, noise, seed):
    """One picture, (size, size, 1), of two shapes that are where they are asked to be: they may touch, or be cut."""
    kinds = tuple(KINDS)
    largest = max(shape.area for shape in shapes)
    scene = Scene(kinds=kinds, areas=(20, max(20, largest)), noise=(noise, noise))
    drawing = Drawing(
        images=np.empty((1, scene.size, scene.size, 1), "uint8"),
        labels=np.array([shapes[0].kind == shapes[1].kind], "int32"),
        kinds=np.array([[kinds.index(shape.kind) for shape in shapes]], "int32"),
        centres=np.array([[(shape.x, shape.y) for shape in shapes]], "float32"),
        areas=np.array([[shape.area for shape in shapes]], "float32"),
        angles=np.array([[shape.turn for shape in shapes]], "float32"),
        contrasts=np.full((1, 2), contrast, "float32"),
    )
    canvas = ground(1, scene, np.random.default_rng(seed))
    add_shapes(canvas, drawing, slice(None), scene)
    return np.clip(canvas[0], 0, 255).astype("uint8")[..., None]


def load(train=20000, test=2000, seed=1):
    """`train` and `test` pictures as in training, each part with random numbers of its own."""
    for name, number, least in ("train", train, 1), ("test", test, 1), ("seed", seed, 0):
        require_whole(name, number, least)
    own = children(seed, 4)[2:]  # `draw(train, seed)` uses the first two
    parts = [draw(train, own[0]), draw(test, own[1])]
    return Dataset(
        "shapes", "same or different shapes", parts[0].images, parts[0].labels, parts[1].images, parts[1].labels,
        CLASS_NAMES, f"drawn now by vitkeras.datasets.shapes, recipe {RECIPE}, seed {seed}, NumPy {np.__version__}",
    )  # fmt: skip


def seed_of(seed, *place):
    """A seed for each place in a training, say its stage and epoch: others draw other pictures, a plain number also.

    A tuple would not do: NumPy fills up with zeros, and (2, 0, 0) would draw what 2 draws.
    """
    return np.random.SeedSequence(seed, spawn_key=place)


def draw(count, seed=1, scene=SCENES["as in training"], threads=None):
    """`count` pictures of a scene. Half of them are "same" and half "different", each kind and pair equally often.

    seed: a whole number, or one from `seed_of`. It alone says what is drawn, not the number of threads.
        In all scenes of the same three kinds it puts the same pairs into the pictures, each in that scene's manner.
    """
    require_whole("count", count, 1)
    if not isinstance(seed, np.random.SeedSequence):
        require_whole("seed", seed, 0)
    seed_of_kinds, seed_of_the_rest = children(seed, 2)
    kinds = balanced_pairs(count, len(scene.kinds), generator(seed_of_kinds))
    drawing = Drawing(
        images=np.empty((count, scene.size, scene.size, 1), "uint8"),
        labels=(kinds[:, 0] == kinds[:, 1]).astype("int32"),
        kinds=kinds,
        centres=np.empty((count, 2, 2), "float32"),
        areas=np.empty((count, 2), "float32"),
        angles=np.empty((count, 2), "float32"),
        contrasts=np.empty((count, 2), "float32"),
    )

    def draw_part(part, rng):
        arrange(drawing, part, scene, rng)
        canvas = ground(len(drawing.labels[part]), scene, rng)  # (images, size, size)
        add_shapes(canvas, drawing, part, scene)
        drawing.images[part, ..., 0] = np.clip(canvas, 0, 255, out=canvas)

    in_chunks(draw_part, count, CHUNK, seed_of_the_rest, threads)
    return drawing


def balanced_pairs(count, kinds, rng):
    """Half of the pairs are of one kind, half of two, each of these equally often, up to one: int32, (count, 2)."""
    pairs = rng.permutation([(one, other) for one in range(kinds) for other in range(kinds)])
    same = pairs[:, 0] == pairs[:, 1]
    chosen = [np.resize(pairs[same], (count // 2, 2)), np.resize(pairs[~same], (count - count // 2, 2))]
    return rng.permutation(np.concatenate(chosen)).astype("int32")


def arrange(drawing, part, scene, rng):
    """All that chance decides besides the kinds and the ground."""
    shape = drawing.areas[part].shape  # (images, 2)
    drawing.areas[part] = uniform(rng, *scene.areas, shape)
    drawing.centres[part] = places(FARTHEST * np.sqrt(drawing.areas[part]), scene.size, rng)
    drawing.angles[part] = 2 * np.pi * uniform(rng, *scene.turns, shape)
    drawing.contrasts[part] = uniform(rng, *scene.contrasts, shape)


def places(reach, size, rng):
    """Centres of two shapes in each picture, so that neither is cut and they do not touch: (count, 2, 2).

    Any two places that allow for it are equally likely: pairs are proposed until one fits.  reach: (count, 2)
    """
    centres = np.empty((*reach.shape, 2), "float32")
    open_ = np.arange(len(reach))
    while len(open_):
        low = reach[open_, None, :, None] + EDGE
        tries = low + (size - 2 * low) * rng.random((len(open_), TRIES, 2, 2), dtype="float32")
        apart = np.sqrt(((tries[:, :, 0] - tries[:, :, 1]) ** 2).sum(axis=-1))  # (open, TRIES)
        fits = apart >= reach[open_].sum(axis=1, keepdims=True) + GAP
        done = fits.any(axis=1)
        centres[open_[done]] = tries[done, fits[done].argmax(axis=1)]
        open_ = open_[~done]
    return centres


def ground(count, scene, rng):
    """A grey level of its own for each picture, and noise: float32, (count, size, size)."""
    level, noise = uniform(rng, *GROUND, (count, 1, 1)), uniform(rng, *scene.noise, (count, 1, 1))
    canvas = rng.standard_normal((count, scene.size, scene.size), dtype="float32")
    canvas *= noise
    canvas += level + np.float32(0.5)  # so that cutting off the fraction rounds
    return canvas


def add_shapes(canvas, drawing, part, scene):
    """Add both shapes to each picture, each in a window around it, for the rest of the picture does not change."""
    kinds, centres, areas = drawing.kinds[part], drawing.centres[part], drawing.areas[part]
    side = min(scene.size, int(2 * FARTHEST * scene.areas[1] ** 0.5) + 4)
    corners = np.clip(np.rint(centres - side / 2), 0, scene.size - side).astype("int64")  # (images, 2, 2)
    pixels = np.arange(side, dtype="float32") + np.float32(0.5)
    offsets = (corners - centres).astype("float32")[..., None] + pixels  # (images, 2, 2, side)

    covers = np.empty((*kinds.shape, side, side), "float32")
    for number, name in enumerate(scene.kinds):
        chosen = kinds == number
        x, y = offsets[chosen, 0, None, :], offsets[chosen, 1, :, None]  # (shapes, 1, side), (shapes, side, 1)
        angle, area = drawing.angles[part][chosen][:, None, None], areas[chosen][:, None, None]
        cos, sin = np.cos(angle), np.sin(angle)
        distances = KINDS[name](cos * x + sin * y, cos * y - sin * x, area)  # (shapes, side, side)
        covers[chosen] = np.clip(0.5 - distances, 0, 1)  # how much of each pixel the shape covers
    covers *= drawing.contrasts[part][..., None, None]

    windows = np.lib.stride_tricks.sliding_window_view(canvas, (side, side), axis=(1, 2), writeable=True)
    for shape in (0, 1):  # one after the other, for the windows of a picture may overlap
        columns, rows = corners[:, shape].T
        windows[np.arange(len(canvas)), rows, columns] += covers[:, shape]
