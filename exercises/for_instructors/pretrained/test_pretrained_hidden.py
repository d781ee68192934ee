"""The hidden tests of `pretrained`: resizing and both classifiers once more in NumPy, on pictures never seen before."""

import math

import numpy as np
import pytest

from vitkeras.grading import close, equal, refuses
from vitkeras.grading.comparing import Different, brief

MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
FAMILIES = {"vit": 4, "deit": 5}  # weights before the first block


def some_picture(rng, channels=3, wider=None):
    """Bytes that are smooth enough to be resized with sense, in a picture that is never square."""
    short = int(rng.integers(20, 40))
    long = short + 2 * int(rng.integers(6, 20)) + int(rng.integers(2))
    wider = bool(rng.integers(2)) if wider is None else wider
    height, width = (short, long) if wider else (long, short)
    coarse = rng.integers(0, 256, (-(-height // 4), -(-width // 4), channels))
    noise = rng.integers(-20, 21, (height, width, channels))
    return np.clip(coarse.repeat(4, 0).repeat(4, 1)[:height, :width] + noise, 0, 255).astype("uint8")


def interpolation(count, size):
    """The matrix that makes `size` values of `count`, linearly between the centres of pixels: (size, count)."""
    places = np.clip((np.arange(size) + 0.5) * count / size - 0.5, 0, count - 1)
    return np.clip(1 - abs(places[:, None] - np.arange(count)), 0, None)


def prepared(image, size, family):
    """What `preprocess` should give, in float64."""
    image = image.astype("float64")
    if family == "vit":
        height, width, _ = image.shape
        side = min(height, width)
        image = image[(height - side) // 2 :, (width - side) // 2 :][:side, :side]
    image = np.einsum("yh,xw,hwc->yxc", interpolation(image.shape[0], size), interpolation(image.shape[1], size), image)
    return image / 127.5 - 1 if family == "vit" else (image / 255 - MEAN) / DEVIATION


def normalised(x, gamma, beta):
    return gamma * (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-6) + beta


def gelu(x):
    return x * (1 + np.vectorize(math.erf)(x / 2**0.5)) / 2


def reference_logits(weights, picture, family):
    """What the classifier says, in float64: (classes,)"""
    weights = [array.astype("float64") for array in weights]
    start = weights[: FAMILIES[family]]
    if family == "vit":
        special, kernel, bias, positions = [start[0][0]], start[1], start[2], start[3]
    else:
        special, positions, kernel, bias = [start[0][0], start[1][0]], start[2][0], start[3], start[4]
    size = kernel.shape[0]
    places = [(top, left) for top in range(0, len(picture), size) for left in range(0, len(picture), size)]
    patches = np.stack([picture[t : t + size, left : left + size].ravel() for t, left in places])
    x = np.concatenate([*special, patches @ kernel.reshape(-1, kernel.shape[-1]) + bias]) + positions

    g1, b1, wq, bq, wk, bk, wv, bv, wo, bo, g2, b2, w1, c1, w2, c2, g3, b3, head, head_bias = weights[len(start) :]
    n = normalised(x, g1, b1)
    queries, keys, values = (
        np.einsum("td,dhk->htk", n, kernel) + bias[:, None] for kernel, bias in ((wq, bq), (wk, bk), (wv, bv))
    )
    scores = np.exp(np.einsum("htk,hsk->hts", queries, keys) / np.sqrt(wq.shape[-1]))
    scores /= scores.sum(-1, keepdims=True)
    x = x + np.einsum("hts,hsk,hkd->td", scores, values, wo) + bo
    x = x + gelu(normalised(x, g2, b2) @ w1 + c1) @ w2 + c2
    return normalised(x, g3, b3)[0] @ head + head_bias


def some_classifier(student, rng, family, size, classes):
    """A classifier of the student's with fresh weights; and these weights."""
    classifier = student.tiny_classifier(family, size, classes)
    weights = [rng.normal(0, 0.3, array.shape).astype("float32") for array in classifier.get_weights()]
    classifier.set_weights(weights)
    return classifier, weights


def some_question(rng, weights, family, size, channels=3):
    """A picture, and what the classifier says of it. No two classes are so near that rounding could swap them."""
    while True:
        image = some_picture(rng, channels)
        rgb = image.repeat(3, -1) if channels == 1 else image[..., :3]
        logits = reference_logits(weights, prepared(rgb, size, family), family)
        if np.diff(np.sort(logits)).min() > 1e-3:
            return image, logits


def likeliest(logits, names, k):
    probabilities = np.exp(logits - logits.max())
    probabilities /= probabilities.sum()
    order = sorted(range(len(logits)), key=lambda index: -probabilities[index])[:k]
    return [(names[index], index, float(probabilities[index])) for index in order]


def agree(got, expected, what):
    """Names and numbers of the classes exactly, probabilities up to rounding."""
    rows = [list(row) for row in got] if isinstance(got, list) and all(isinstance(row, list) for row in got) else []
    if [row[:2] for row in rows] != [list(row[:2]) for row in expected] or any(len(row) != 3 for row in rows):
        told = [[name, index, round(probability, 4)] for name, index, probability in expected]
        raise Different(f"{what}: other classes", brief(told), brief(got))
    close(
        np.array([row[2] for row in rows]),
        np.array([row[2] for row in expected]),
        f"{what}: the probabilities",
        rtol=1e-2,
    )


@pytest.mark.points(
    1, hint="ViT: the square in the middle first, then resize. DeiT: resize the whole. float32 all the way."
)
@pytest.mark.parametrize("family", FAMILIES)
def test_pictures_of_any_size_are_prepared_right(student, rng, picture, family):
    for wider in (True, False):
        image, size = some_picture(rng, wider=wider), 8 * int(rng.integers(2, 5))
        got, expected = student.preprocess(image, size, family), prepared(image, size, family)
        if getattr(got, "shape", None) == expected.shape:
            picture(f"a picture of {image.shape}, for a {family} of {size} x {size}", got, expected)
        close(got, expected, f"a picture of {image.shape}, for a {family} of {size} x {size}", rtol=1e-3, atol=1e-3)


@pytest.mark.points(0.5, hint="Along the last axis, with keepdims; and top_k for any k up to the number of classes.")
def test_probabilities_and_their_order_hold_for_many_classes(student, rng):
    classes = int(rng.integers(20, 60))
    logits = rng.normal(0, 3, (int(rng.integers(2, 5)), 3, classes))
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    close(student.softmax(logits), probabilities, f"probabilities of logits {logits.shape}")
    names = [f"class {number}" for number in rng.permutation(classes)]
    whole = rng.integers(1, 8, classes) / 64.0  # many are equal
    expected = sorted(((names[i], i, float(whole[i])) for i in range(classes)), key=lambda row: (-row[2], row[1]))
    equal(student.top_k(whole, names, classes), expected, "all classes, the likeliest first")
    refuses(ValueError, lambda: student.top_k(whole, names, 0), "the top 0")


@pytest.mark.points(1, hint="preprocess, a batch axis, classifier(batch), its first row, softmax, top_k.")
@pytest.mark.parametrize("family", FAMILIES)
def test_the_five_likeliest_classes_are_found(student, rng, family):
    size, classes = 8 * int(rng.integers(2, 5)), int(rng.integers(8, 30))
    classifier, weights = some_classifier(student, rng, family, size, classes)
    names = [f"class {number}" for number in rng.permutation(classes)]
    for channels in (3, 1, 4):
        image, logits = some_question(rng, weights, family, size, channels)
        expected = likeliest(logits, names, 5)
        got = student.classify(classifier, family, image, names)
        agree(got, expected, f"the top 5 by a {family} of {size} x {size}, picture {image.shape}")


@pytest.mark.points(1, hint="The classifier gives logits, and not of the top k alone: softmax goes over all classes.")
def test_all_probabilities_together_are_one(student, rng):
    family = ("vit", "deit")[int(rng.integers(2))]
    size, classes = 8 * int(rng.integers(2, 5)), int(rng.integers(6, 12))
    classifier, weights = some_classifier(student, rng, family, size, classes)
    names = [f"class {number}" for number in rng.permutation(classes)]
    image, logits = some_question(rng, weights, family, size)
    expected = likeliest(logits, names, classes)
    for k in (classes, 1, 3):
        agree(student.classify(classifier, family, image, names, k), expected[:k], f"the top {k} of {classes} classes")
