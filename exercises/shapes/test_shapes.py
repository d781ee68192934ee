"""The visible tests of `shapes`: the pictures, and whether both models do better than chance.

The examiner looks for shapes as one does without a neural network: smooth the picture, keep what differs from its
ground, and lay a circle, a triangle and a square of the same area over each spot. What fits best is its kind.
"""

import re
from itertools import combinations

import numpy as np
import pytest
from scipy import ndimage

from vitkeras.datasets import shapes
from vitkeras.grading import Different, equal

COUNT = 300  # pictures to judge by
CORNERS = {"circle": 0, "triangle": 3, "square": 4}
SMALLEST = 40  # pixels; what is smaller is noise


class Spot:
    """What stands out in a picture: where, how large, of what kind."""

    def __init__(self, mask, contrast):
        self.contrast, self.area = contrast, int(mask.sum())
        rows, columns = np.nonzero(mask)
        self.y, self.x = rows.mean(), columns.mean()
        self.cut = min(rows.min(), columns.min()) == 0 or max(rows.max(), columns.max()) == len(mask) - 1
        height, width = np.indices(mask.shape)
        self.places = (width - self.x) + 1j * (height - self.y)  # as complex numbers: to turn is to multiply
        self.mask = mask
        fits = {kind: self.fit(corners) for kind, corners in CORNERS.items()}
        self.kind = max(fits, key=fits.get)
        self.quality = fits[self.kind]
        self.turn = self.angle(CORNERS[self.kind]) * CORNERS[self.kind] / (2 * np.pi) % 1  # 1: it looks as before

    def angle(self, corners):
        """Where a corner points. The farther away a pixel is, the more it counts."""
        return np.angle((self.places[self.mask] ** corners).sum()) / corners if corners else 0.0

    def fit(self, corners):
        """How much of the spot and of an ideal shape of its area lie over each other: 1 if they are the same."""
        if corners:
            sides = self.angle(corners) + np.pi / corners * (1 + 2 * np.arange(corners))  # where the sides are
            reach = np.max([(self.places * np.exp(-1j * side)).real for side in sides], axis=0)
            ideal = reach <= np.sqrt(self.area / corners / np.tan(np.pi / corners))
        else:
            ideal = abs(self.places) <= np.sqrt(self.area / np.pi)
        return (self.mask & ideal).sum() / (self.mask | ideal).sum()


def spots(image):
    """What stands out in a picture (96, 96, 1) by more than noise does."""
    lighter = ndimage.gaussian_filter(image[..., 0] - np.median(image), 1)
    found = []
    for sign in (1, -1):
        numbered, _ = ndimage.label(sign * lighter > 20)
        for number in np.flatnonzero(np.bincount(numbered.ravel())[1:] >= SMALLEST)[:4] + 1:
            contrast = np.median(lighter[numbered == number])
            around = ndimage.binary_dilation(numbered == number, iterations=2)
            found.append(Spot(around & (lighter / contrast > 0.5), contrast))
    return found


def drawn(student, seed, count=COUNT):
    """The student's pictures and labels, if they have the form that the task asks for."""
    got = student.draw(count, seed)
    pair = isinstance(got, list) and len(got) == 2 and all(isinstance(part, np.ndarray) for part in got)
    assert pair, "draw() should give two arrays: images, labels"
    images, labels = got
    for name, array, shape, kinds in (("images", images, (count, 96, 96, 1), "u"), ("labels", labels, (count,), "biu")):
        asked = "uint8" if kinds == "u" else "whole numbers"
        good = array.shape == shape and array.dtype.kind in kinds and (kinds != "u" or array.dtype == np.uint8)
        assert good, f"{name} of draw({count}, seed): expected {shape}, {asked}; got {array.shape}, {array.dtype}"
    assert set(np.unique(labels)) <= {0, 1}, f"labels should be 0 and 1, got {np.unique(labels)[:5]}"
    return images, labels.astype(int)


def pairs_of_spots(images, labels):
    """The spots of each picture that has two, and the labels of these pictures."""
    found = [spots(image) for image in images]
    two = [number for number, those in enumerate(found) if len(those) == 2]
    assert len(two) > 0.9 * len(images), f"two shapes were found in only {len(two)} of {len(images)} pictures"
    return [found[number] for number in two], labels[two]


def any_seed(rng):
    return int(rng.integers(2**31))


@pytest.mark.points(
    0.5, hint="rng.permutation of as many zeros as ones gives labels in which neither is the rarer one."
)
def test_the_arrays_have_the_form_asked_for_and_half_of_the_labels_are_one(student, rng):
    images, labels = drawn(student, any_seed(rng))
    share = labels.mean()
    assert 0.4 <= share <= 0.6, f"about half of the pictures should be `same`; of yours {100 * share:.0f}% are"
    different = len(np.unique(images.reshape(COUNT, -1), axis=0))
    assert different == COUNT, f"of {COUNT} pictures only {different} differ from one another"


@pytest.mark.points(0.5, hint="Draw all that is random from one np.random.default_rng(seed), made inside draw().")
def test_a_seed_draws_its_pictures_again_and_another_seed_draws_others(student, rng):
    seed = any_seed(rng)
    images, labels = drawn(student, seed, 24)
    others, other_labels = drawn(student, seed + 1, 24)
    again, labels_again = drawn(student, seed, 24)
    equal(again, images, f"the pictures of seed {seed}, drawn a second time")
    equal(labels_again, labels, f"the labels of seed {seed}, drawn a second time")
    alike = (images == others).reshape(24, -1).all(axis=1).sum()
    assert alike == 0, f"seed {seed} and seed {seed + 1} have {alike} of 24 pictures in common"
    assert (labels != other_labels).any(), f"seed {seed} and seed {seed + 1} have the same labels, in the same order"


@pytest.mark.points(1, hint="Look at some pictures. The ranges that keep shapes visible and apart are in the task.")
def test_each_picture_has_a_noisy_ground_and_two_whole_shapes(student, rng, picture):
    images, _ = drawn(student, any_seed(rng))
    picture("your first picture", images[0])
    steps = abs(np.diff(images[..., 0].astype(int), axis=2)).reshape(COUNT, -1)  # from each pixel to the next
    noise = np.median(np.median(steps, axis=1)) / 0.95  # half of the steps are below 0.95 standard deviations
    assert 2 <= noise <= 20, f"the noise has a standard deviation of about {noise:.1f}; expected 3 to 15 grey levels"
    wrong = {}  # number of a picture -> what is wrong with it
    for number, image in enumerate(images):
        found = spots(image)
        if len(found) != 2:
            wrong[number] = f"{len(found)} shapes that stand out"
        elif any(spot.cut for spot in found):
            wrong[number] = "a shape that the edge cuts"
        elif min(spot.quality for spot in found) < 0.75:
            wrong[number] = "a shape that is no filled circle, triangle with equal sides, or square"
    for number, what in list(wrong.items())[:1]:
        picture(f"picture {number}: {what}", images[number])
    said = "; ".join(f"picture {number}: {what}" for number, what in list(wrong.items())[:3])
    assert len(wrong) <= 0.03 * COUNT, f"{len(wrong)} of {COUNT} pictures are not as they should be. {said}"


@pytest.mark.points(1, hint="1 is same. Decide on the kinds first, and then draw them, not the other way round.")
def test_the_labels_say_what_the_pictures_show(student, rng, picture):
    found, labels = pairs_of_spots(*drawn(student, any_seed(rng)))
    same = np.array([one.kind == other.kind for one, other in found])
    for number in np.flatnonzero(same != labels)[:1]:
        picture(
            f"called {('different', 'same')[labels[number]]}",
            np.where(found[number][0].mask | found[number][1].mask, 1, 0),
        )
    share = (same == labels).mean()
    assert share >= 0.97, f"expected: all labels agree with the shapes that are seen; {100 * share:.0f}% do"


@pytest.mark.points(
    0.5, hint="Places all over the picture, turns all the way round, areas of which some are twice others."
)
def test_places_turns_and_areas_vary(student, rng):
    found, _ = pairs_of_spots(*drawn(student, any_seed(rng)))
    every = [spot for pair in found for spot in pair]
    quarters = np.bincount([(spot.x > 48) + 2 * (spot.y > 48) for spot in every], minlength=4) / len(every)
    assert quarters.min() > 0.12, f"of the shapes {quarters.round(2)} lie in the four quarters of the picture"
    turns = [spot.turn for spot in every if spot.kind != "circle"]
    turns = np.bincount([int(4 * turn) % 4 for turn in turns], minlength=4) / max(1, len(turns))
    assert turns.min() > 0.12, f"of all turns that can be told apart, the four quarters have shares of {turns.round(2)}"
    small, large = np.percentile([spot.area for spot in every], [5, 95])
    assert large > 1.5 * small, (
        f"nearly all areas lie between {small:.0f} and {large:.0f} pixels; expected a wider range"
    )


@pytest.mark.points(0.5, hint="Three kinds of `same`, three pairs of `different`: each should come up about as often.")
def test_every_pair_of_kinds_comes_up(student, rng):
    found, labels = pairs_of_spots(*drawn(student, any_seed(rng)))
    kinds = [" and ".join(sorted(spot.kind for spot in pair)) for pair in found]
    pairs = {
        1: [f"{kind} and {kind}" for kind in CORNERS],
        0: [" and ".join(sorted(two)) for two in combinations(CORNERS, 2)],
    }
    for label, name in ((1, "same"), (0, "different")):
        those = [kind for kind, other in zip(kinds, labels, strict=True) if other == label]
        for pair in pairs[label]:
            share = those.count(pair) / max(1, len(those))
            assert share > 0.15, (
                f"{pair}: expected in about a third of the pictures called {name}, got {100 * share:.0f}%"
            )


@pytest.mark.points(
    0.5, hint="If circles are larger than triangles, areas tell the answer. Choose the area, then the radius."
)
def test_nothing_but_the_kinds_tells_the_answer(student, rng):
    images, labels = drawn(student, any_seed(rng))
    found, labels = pairs_of_spots(images, labels)
    values = {
        "how much the areas differ": [abs(one.area - other.area) for one, other in found],
        "both areas together": [one.area + other.area for one, other in found],
        "how far the shapes are apart": [np.hypot(one.x - other.x, one.y - other.y) for one, other in found],
        "how much the contrasts differ": [abs(one.contrast - other.contrast) for one, other in found],
    }
    assert labels.std() > 0, "all labels are the same"
    for what, numbers in values.items():
        likeness = np.corrcoef(numbers, labels)[0, 1] if np.std(numbers) > 0 else 0.0
        assert abs(likeness) < 0.25, f"{what} tells of the label (correlation {likeness:+.2f}, expected about 0)"


def require_layers(student, name, kind):
    """A model's layers say what it is."""
    kinds = student.layers(name)
    if not any(re.search(kind, one, re.IGNORECASE) for one in kinds):
        raise Different(
            f"{name} is not what it should be", f"a layer named {kind.replace('|', ', or ')}", ", ".join(kinds)
        )


@pytest.mark.points(
    0.5, hint="Stuck at 50%? Begin with easy pictures: one size, hardly turned, little noise. See lesson 10."
)
@pytest.mark.parametrize(
    ("name", "kind"), [("cnn.keras", "conv"), ("vit.keras", "attention|encoder|transformer")], ids=["CNN", "ViT"]
)
def test_a_model_does_better_than_chance(student, rng, name, kind):
    require_layers(student, name, kind)
    fresh = shapes.draw(500, any_seed(rng))
    got = student.predict(student.model(name), fresh.images / np.float32(255))
    if getattr(got, "shape", None) != (500, 2) or got.dtype.kind != "f" or not np.isfinite(got).all():
        told = f"{got.shape}, {got.dtype}" if isinstance(got, np.ndarray) else repr(got)[:80]
        raise Different(f"{name}, asked about 500 pictures", "finite numbers of shape (500, 2)", told)
    right = 100 * (got.argmax(axis=1) == fresh.labels).mean()
    if not right > 60:
        raise Different(f"{name}, asked about 500 pictures that it never saw", "more than 60% right", f"{right:.1f}%")
