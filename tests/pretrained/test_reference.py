"""Logits, pixels and attention against `transformers` on PyTorch, given the same files (make_reference.py)."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vitkeras import pretrained

NAMES = ("vit", "vit, as files of 2021 were", "vit, tanh", "deit", "deit, two heads")
PHOTOS = Path(__file__).parents[3] / "shared" / "data" / "photos"


@pytest.fixture(scope="module", params=NAMES)
def both(request, hugging_face, reference):
    """A classifier, and what `transformers` said."""
    return pretrained.load(hugging_face(request.param)), reference["folders"][request.param]


def test_pixels_are_prepared_as_transformers_prepares_them(both, photos):
    classifier, theirs = both
    for photo, answer in zip(photos, theirs["pictures"], strict=True):
        np.testing.assert_allclose(classifier.prepare(photo)[::7, ::11].flatten()[::5], answer["pixels"], atol=1e-5)


def test_logits_are_those_of_transformers(both, photos):
    classifier, theirs = both
    expected = [answer["logits"] for answer in theirs["pictures"]]
    assert np.ptp(expected, axis=0).max() > 0.1, "the pictures should not all be the same to the model"
    np.testing.assert_allclose(classifier.logits(photos), expected, atol=1e-4)


def test_attention_is_that_of_transformers(both, photos):
    classifier, theirs = both
    weights = classifier.attention(photos)  # (layers, photos, heads, tokens, tokens)
    for number, answer in enumerate(theirs["pictures"]):
        np.testing.assert_allclose(weights[:, number, :, 0, ::5].flatten(), answer["attention"], atol=1e-5)


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the real photos are not here")
def test_logits_of_real_photos_are_those_of_transformers(both):
    classifier, theirs = both
    images = [np.asarray(Image.open(PHOTOS / name).convert("RGB")) for name in theirs["photos"]]
    np.testing.assert_allclose(classifier.logits(images), list(theirs["photos"].values()), atol=1e-3)


@pytest.mark.parametrize("family", ["vit", "deit"])
def test_a_kerashub_preset_gives_the_logits_of_transformers_too(family, reference, photos, kerashub):
    theirs = reference["kerashub"][family]
    ours = pretrained.load(kerashub(family, like_hugging_face=True))
    for photo, answer in zip(photos, theirs, strict=True):
        np.testing.assert_allclose(
            ours.prepare(photo)[::7, ::11].flatten()[::5], answer["pixels"], atol=1e-3
        )  # TensorFlow rounds cubic weights
    np.testing.assert_allclose(ours.logits(photos), [answer["logits"] for answer in theirs], atol=1e-3)
