"""What the page is told: probabilities, what the model saw, and its attention. Plain data in, plain data out."""

import base64
import binascii
import functools
import threading
import time

import keras
import numpy as np
from PIL import Image

from vitkeras import attention, photos, pretrained
from vitkeras.datasets import outlines, shapes
from vitkeras.errors import Misuse

DIGITS = "mnist_vit"
PHOTOS = "cifar10_vit"
SHAPES = ("shapes_cnn", "shapes_hybrid", "shapes_vit")
LARGEST_PHOTO = 25_000_000  # bytes
WIDEST_DRAWING = 512  # pixels of a side
LONGEST_SHOWN = 448  # pixels of a side: more of a photo than the page shows need not travel
FULL = 65535  # what a weight of 1 is sent as
ONE_AT_A_TIME = threading.Lock()  # two at once would only be in each other's way


@functools.cache
def classifier(name):
    return pretrained.load(name)


def digit(pixels, side):
    """What is drawn, in grey, one byte a pixel from the upper left corner on; light on dark, or dark on light."""
    check_whole("side", side, 8, WIDEST_DRAWING)
    grey = np.frombuffer(decoded(pixels, "the drawing", WIDEST_DRAWING**2), "uint8")
    if len(grey) != side * side:
        raise Misuse(f"a drawing of {side} x {side} has {side * side:,} pixels, and {len(grey):,} have come.")
    return told(DIGITS, np.repeat(grey.reshape(side, side, 1), 3, axis=2))


def photo(content, name, preset):
    """A file's content, and what it is called; `preset` is one of those that the page was opened with."""
    return told(preset, photos.decode(decoded(content, name, LARGEST_PHOTO), photos.shown(name)))


def pair(both, contrast, noise, chance, looks):
    """Two shapes, placed as asked, and what each of three models says: are they of one kind?

    both: for each shape its kind, x and y in pixels, area in pixels, and turn in degrees
    chance: where the noise starts; looks: whether the attention of the ViT and the hybrid is wanted, too
    """
    picture = shapes.placed(placings(both), within("contrast", contrast, -100, 100), within("noise", noise, 0, 40),
                            check_whole("chance", chance, 0, 2**31))  # fmt: skip
    kinds = [one["kind"] for one in both]
    return {
        "same": kinds[0] == kinds[1],
        "picture": picture_of(np.repeat(picture, 3, axis=2)),
        "models": [told(name, np.repeat(picture, 3, axis=2), looks=looks) for name in SHAPES],
    }


def placings(both):
    if not isinstance(both, list) or len(both) != 2 or not all(isinstance(one, dict) for one in both):
        raise Misuse("two shapes are compared, each a table with kind, x, y, area and turn.")
    size = shapes.SCENES["as in training"].size
    placed = []
    for one in both:
        if one.get("kind") not in outlines.KINDS:
            raise Misuse(f"a shape is one of {', '.join(outlines.KINDS)}. Received: {one.get('kind')!r}")
        x, y = (within(axis, one.get(axis), 0, size) for axis in "xy")
        area, turn = within("area", one.get("area"), 50, 720), within("turn", one.get("turn"), -360, 360)
        placed.append(shapes.Placing(one["kind"], x, y, area, np.deg2rad(turn)))
    return placed


def told(name, picture, looks=True):
    """What a model says of a picture, uint8 (height, width, 3)."""
    model, began = classifier(name), time.perf_counter()
    with ONE_AT_A_TIME:
        prepared = model.prepared([picture])
        logits, weights = asked(model, prepared)
    return {
        "model": name,
        "guesses": [{"name": guess.name, "probability": guess.probability} for guess in model.top(logits, 10)],
        "seen": picture_of(model.shown(prepared[0])),
        "attention": looked(model, weights) if looks and weights else None,
        "milliseconds": round(1000 * (time.perf_counter() - began)),
    }


def asked(model, prepared):
    """(logits, the weights of each layer). Small models are compiled, for layer by layer they take far longer."""
    if model.backbone is not None:  # a preset for photos: its layers are so large that compiling brings little
        logits, weights = model.eagerly(prepared), list(model.attention_of(prepared))
    elif model.attends:
        logits, *weights = model.probe.predict_on_batch(prepared)
    else:
        logits, weights = model.model.predict_on_batch(prepared), []
    ((_, outcome, _),) = model.answered([(None, prepared[0])], lambda batch: logits)
    return model.raised(outcome), weights


def looked(model, weights):
    """Layer by layer (heads, tokens, tokens), all layers taken together (the rollout), and the grid of the patches."""
    weights = [np.asarray(layer, "float32") for layer in weights]
    grid = model.grid(weights[0])
    return {
        "grid": grid,
        "before": attention.tokens_before(weights[0], grid),  # tokens that are no patches come first
        "layers": [{"heads": layer.shape[1], "weights": sixteen_bits(layer[0])} for layer in weights],
        "rollout": sixteen_bits(attention.rollout(weights)[0]),
    }


def sixteen_bits(shares):
    """Numbers from 0 to 1 as a browser reads them quickly."""
    return base64.b64encode(np.rint(FULL * shares).astype("<u2").tobytes()).decode()


def picture_of(pixels):
    """uint8 (height, width, 3)"""
    height, width = pixels.shape[:2]
    if max(height, width) > LONGEST_SHOWN:
        shrunk = Image.fromarray(np.ascontiguousarray(pixels))
        shrunk.thumbnail((LONGEST_SHOWN, LONGEST_SHOWN))
        pixels = np.asarray(shrunk)
        height, width = pixels.shape[:2]
    return {"width": width, "height": height, "rgb": base64.b64encode(pixels.tobytes()).decode()}


def decoded(text, name, most):
    if not isinstance(text, str) or len(text) > most * 4 // 3 + 4:
        raise Misuse(f"{photos.shown(name)} is too large: {most:,} bytes are the most. Save it smaller.")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as fault:
        raise Misuse(f"{photos.shown(name)} has not arrived whole ({fault}). Try it again.") from None


def check_whole(name, value, least, most):
    if type(value) is not int or not least <= value <= most:
        raise Misuse(f"{name} should be a whole number from {least} to {most}. Received: {value!r}")
    return value


def within(name, value, least, most):
    if type(value) not in (int, float) or not least <= value <= most:
        raise Misuse(f"{name} should be a number from {least} to {most}. Received: {value!r}")
    return float(value)


def warm_up(presets):
    """Load the models and have them answer once: the first answer takes seconds, and nobody should wait for it."""
    keras.utils.set_random_seed(1)
    blank = np.full((28, 28, 3), 255, "uint8")
    for name in dict.fromkeys([DIGITS, *presets]):
        told(name, blank)
    middle = shapes.SCENES["as in training"].size // 2
    one = {"kind": "circle", "x": middle, "y": middle, "area": 400, "turn": 0}
    pair([one, one], 60, 8, 1, True)
    pair([one, one], 60, 8, 1, False)
