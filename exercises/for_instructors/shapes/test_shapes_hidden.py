"""The hidden tests of `shapes`: a thousand fresh pictures for each model, and a ladder of points."""

import re
import weakref

import numpy as np
import pytest

from vitkeras.datasets import shapes
from vitkeras.grading import Different

COUNT = 1000
KINDS = {"cnn.keras": "conv", "vit.keras": "attention|encoder|transformer"}  # named so, a layer shows what a model is
HINT = "Train longer, on more pictures, with a schedule; look at those it gets wrong. Lesson 10 has models that do it."
answers = weakref.WeakKeyDictionary()  # of each student: what a model said is asked once, not for every rung


def require(percent, student, name, rng):
    """Pass if the model gets more than so many of the pictures right, and is of the kind that its name promises."""
    known = answers.setdefault(student, {})
    if name not in known:
        kinds = student.layers(name)
        if not any(re.search(KINDS[name], kind, re.IGNORECASE) for kind in kinds):
            raise Different(
                f"{name} is not what it should be",
                f"a layer named {KINDS[name].replace('|', ', or ')}",
                ", ".join(kinds),
            )
        fresh = shapes.draw(COUNT, int(rng.integers(2**31)))
        model = student.model(name)
        got = student.predict(model, fresh.images / np.float32(255))
        if getattr(got, "shape", None) != (COUNT, 2) or got.dtype.kind != "f" or not np.isfinite(got).all():
            told = f"{got.shape}, {got.dtype}" if isinstance(got, np.ndarray) else repr(got)[:80]
            raise Different(f"{name}, asked about {COUNT} pictures", f"finite numbers of shape {(COUNT, 2)}", told)
        require_learnt(student, model, name, fresh.images[:20] / np.float32(255))
        known[name] = 100 * (got.argmax(axis=1) == fresh.labels).mean()
    if not known[name] > percent:
        asked = f"{name}, asked about {COUNT:,} pictures that it never saw"
        raise Different(asked, f"more than {percent}% right", f"{known[name]:.1f}%")


def require_learnt(student, model, name, images):
    """What a model knows, it knows by its weights: with all of them at 0 every picture is the same to it."""
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    spread = float(np.ptp(student.predict(model, images), axis=0).max())
    if not spread < 1e-4:
        raise Different(f"{name} with all its weights at 0", "the same answer for every picture", "different answers")


@pytest.mark.points(0.5, hint=HINT)
@pytest.mark.parametrize("percent", [75, 90, 97], ids="{}%".format)
def test_the_cnn_gets_more_fresh_pictures_right_than(student, rng, percent):
    require(percent, student, "cnn.keras", rng)


@pytest.mark.points(1, hint=HINT)
@pytest.mark.parametrize("percent", [75, 90, 97], ids="{}%".format)
def test_the_vit_gets_more_fresh_pictures_right_than(student, rng, percent):
    require(percent, student, "vit.keras", rng)
