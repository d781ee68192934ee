"""Models of this project: those that ship with it, each with its card, and those that a lesson has trained."""

import zipfile
import zlib
from pathlib import Path

import keras
import numpy as np
from PIL import Image

import vitkeras.layers  # noqa: F401  registers ours, so that a file that names them can be loaded
from vitkeras import photos
from vitkeras.errors import Misuse, Problem
from vitkeras.pretrained import loading
from vitkeras.pretrained.classifier import Classifier

BRIGHT = 127.5
FAINT = 12  # grey levels: what differs less from the paper is no ink


def from_card(name, folder):
    """A folder with model.keras and card.json, as `shipped/` has them."""
    card = loading.described(Path(folder, "card.json"))
    try:
        labels, like_mnist = tuple(map(str, card["class_names"])), bool(card["like_mnist"])
    except (KeyError, TypeError) as fault:
        raise Problem(f"{Path(folder, 'card.json')} lacks {fault}. Copy the folder again.") from fault
    model = opened(Path(folder, "model.keras"))
    classifier = from_model(name, model, labels, like_mnist)
    classifier.remarks.append(str(card.get("trained_on", "")))
    return classifier


def from_file(name, path):
    """A model.keras: a lesson's, which reads pixels from 0 to 1, or a whole classifier of KerasHub's."""
    model = opened(path)
    if hasattr(model, "preprocessor"):
        from vitkeras.pretrained import kerashub

        return kerashub.from_task(name, model)
    classifier = from_model(name, model, labels=None, like_mnist=False)
    classifier.remarks.append("taken for a model of the lessons: pixels from 0 to 1, and the last layer gives logits")
    return classifier


def opened(path):
    """Nothing in the file is run (Keras's `safe_mode`), and it does not ask for more of anything than a model has."""
    if path.suffix != ".keras":
        raise Misuse(f"{path} is no .keras file.")
    try:
        with zipfile.ZipFile(path) as file:
            small = file.getinfo("config.json").file_size < loading.LARGEST_TEXT
            description = file.read("config.json") if small else b""
    except (zipfile.BadZipFile, KeyError, OSError, RuntimeError, NotImplementedError, zlib.error) as fault:
        raise Problem(f"{path} is no .keras file that can be read: {fault}. Copy it again.") from fault
    loading.within_reason(description, path)
    if b"keras_hub" in description:
        import keras_hub  # noqa: F401  registers its classes
    return keras.saving.load_model(path, safe_mode=True, compile=False)


def from_model(name, model, labels, like_mnist):
    shapes = getattr(model, "input_shape", None), getattr(model, "output_shape", None)
    images = isinstance(shapes[0], tuple) and len(shapes[0]) == 4 and None not in shapes[0][1:]
    if not images or shapes[0][3] not in (1, 3) or not isinstance(shapes[1], tuple) or len(shapes[1]) != 2:
        raise Misuse(
            f"{name} holds a model from {shapes[0]} to {shapes[1]}. A classifier of photos goes from "
            "(None, height, width, 1 or 3) to (None, classes)."
        )
    side = shapes[0][1:]
    if side[0] != side[1]:
        raise Misuse(f"{name} reads images of {side[0]} x {side[1]}, and photos are cut to squares here.")
    last = getattr(model.layers[-1], "activation", keras.activations.linear)
    if last is keras.activations.softmax:
        model.layers[-1].activation = keras.activations.linear  # logits, whatever the model makes of them
    elif last is not keras.activations.linear or isinstance(model.layers[-1], keras.layers.Softmax):
        raise Misuse(f"{name} ends in {model.layers[-1].name!r}; a classifier ends in a linear layer or softmax.")
    return Classifier(name, "vitkeras", model, lambda photo: prepared(photo, side, like_mnist), shown, labels)


def prepared(photo, side, like_mnist):
    """The middle square, made small, from 0 to 1: (height, width, 3) -> `side`, (height, width, channels).

    like_mnist: the picture is a drawn sign. Unless it has the model's size already, what is drawn is found, and brought
        into the place and the contrast that MNIST's digits have
    """
    height, width, channels = side
    if like_mnist and photo.shape[:2] != (height, width):
        return as_in_mnist(np.asarray(Image.fromarray(photo).convert("L"), "float32"))[..., None]
    pixels = photos.square(photo, height, channels).astype("float32")
    if like_mnist and at_the_border(pixels).mean() > BRIGHT:
        pixels = 255 - pixels
    return pixels / 255


def as_in_mnist(grey):
    """Light strokes on black, 20 pixels at most, their centre of mass in the middle: (height, width) -> (28, 28)."""
    ground = np.median(at_the_border(grey))
    ink = np.abs(grey - ground)
    ink = np.clip(ink / max(np.quantile(ink, 0.995), FAINT), 0, 1)
    rows, columns = (np.flatnonzero((ink > 0.4).any(axis)) for axis in (1, 0))
    if len(rows) == 0:  # an empty page
        return np.zeros((28, 28), "float32")
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = np.maximum(1, np.round(20 * np.array(ink.shape) / max(ink.shape))).astype(int)
    drawn = np.asarray(Image.fromarray(ink).resize((int(width), int(height)), Image.Resampling.BOX))
    down, right = (
        int(np.clip(np.round(13.5 - np.average(np.arange(length), weights=drawn.sum(axis) + 1e-9)), 0, 28 - length))
        for length, axis in ((height, 1), (width, 0))
    )
    page = np.zeros((28, 28), "float32")
    page[down : down + height, right : right + width] = drawn
    return page


def at_the_border(pixels):
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])


def shown(pixels):
    grey_or_not = np.clip(pixels * 255 + 0.5, 0, 255).astype("uint8")
    return np.broadcast_to(grey_or_not, (*pixels.shape[:2], 3))
