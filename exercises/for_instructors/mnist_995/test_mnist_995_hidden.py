"""The hidden tests of `mnist_995`: the upper rungs of the ladder. Their names say whether the images were MNIST's."""

import functools
import io
import re
import weakref
import zipfile

import numpy as np
import pytest

from vitkeras import datasets
from vitkeras.grading import Different

DATA = "MNIST" if datasets.find("mnist") else "drawn digits, not MNIST"
ALSO = 2500  # test images that are asked about a second time, moved
LOSS = 1.5  # percent that moving them may cost
HINT = "Digits may be shifted, turned and bent a little and stay what they are: show the model such ones in training."
answers = weakref.WeakKeyDictionary()  # of each student: what the model said is asked once, not for every rung


@functools.cache
def images_to_read():
    data = datasets.load("mnist", stand_in=True, download=False)
    if (data.title == "MNIST") != (DATA == "MNIST"):
        raise RuntimeError(f"the data that was found is {data.title}: {data.origin}")
    return data.x_test.copy(), data.y_test


def require(percent, student, rng):
    """Pass if more than so many percent of the test images are read, and if this holds for moved ones.

    All come in an order of chance, and with them some a second time, moved by a pixel and with a little noise. As far
    as this costs more than LOSS, it is taken off: who knows the images by heart reads no others.
    """
    if student not in answers:
        require_attention(student.file("model.keras"))
        images, labels = images_to_read()
        moved = rng.choice(len(images), ALSO, replace=False)
        steps, axes = rng.choice([-1, 1], ALSO), rng.choice([0, 1], ALSO)
        copies = [np.roll(images[i], step, axis) for i, step, axis in zip(moved, steps, axes, strict=True)]
        copies = np.clip(np.float32(copies) / 255 + rng.normal(0, 0.02, np.shape(copies)), 0, 1)
        asked = np.concatenate([images / np.float32(255), copies.astype("float32")])
        order = rng.permutation(len(asked))
        got = student.predict(student.model("model.keras"), asked[order])
        if getattr(got, "shape", None) != (len(asked), 10) or got.dtype.kind != "f" or not np.isfinite(got).all():
            told = f"{got.shape}, {got.dtype}" if isinstance(got, np.ndarray) else repr(got)[:80]
            raise Different(f"{len(asked):,} images read", f"finite numbers of shape {(len(asked), 10)}", told)
        said = np.empty(len(asked), int)
        said[order] = got.argmax(axis=1)
        answers[student] = [
            100 * (said[: len(images)] == labels).mean(),
            100 * (said[len(images) :] == labels[moved]).mean(),
        ]
    as_they_are, when_moved = answers[student]
    if not min(as_they_are, when_moved + LOSS) > percent:
        told = f"{as_they_are:.2f}%, and {when_moved:.2f}% of images that were moved by a pixel"
        raise Different(f"test images read ({DATA})", f"more than {percent:.2f}% right", told)


def require_attention(data):
    """A ViT, by the names of its layers. The file is read as text; nothing of it is loaded here."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open("config.json") as file:
            text = file.read(2**22).decode(errors="replace")
    except Exception:
        raise AssertionError("this is no file that model.save() of Keras writes") from None
    kinds = sorted(set(re.findall(r'"class_name": *"(\w+)"', text)))
    if not any(re.search("attention|encoder|transformer", kind, re.IGNORECASE) for kind in kinds):
        raise Different("no ViT", "a layer whose name says attention, encoder or transformer", ", ".join(kinds))


@pytest.mark.points(0.5, hint=HINT)
@pytest.mark.parametrize("rung", [99.1, 99.3], ids=(DATA + ": {:.2f}%").format)
def test_more_of_the_test_images_are_right_than(student, rng, rung):
    require(rung, student, rng)


@pytest.mark.points(1.5, hint=HINT)
@pytest.mark.parametrize("goal", [99.5], ids=(DATA + ": {:.2f}%").format)
def test_the_goal_is_reached_with_more_than(student, rng, goal):
    require(goal, student, rng)
