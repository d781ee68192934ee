"""The models that ship: small, described, and as good as their cards say."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from vitkeras import datasets, pretrained
from vitkeras.datasets import shapes
from vitkeras.errors import Problem
from vitkeras.pretrained.catalogue import SHIPPED_FOLDER, card

ROOT = Path(__file__).parents[2]
DATA = {"mnist_vit": ("mnist", "MNIST"), "cifar10_vit": ("cifar10", "JPEG copy of CIFAR-10")}
SHAPES = {"shapes_cnn", "shapes_hybrid", "shapes_vit"}  # tested on pictures that are drawn now


@pytest.fixture(scope="module", params=pretrained.SHIPPED)
def classifier(request):
    return pretrained.load(request.param)


def test_every_model_has_a_data_set_that_it_is_tested_on():
    assert {*DATA, *SHAPES} == set(pretrained.SHIPPED)


def test_the_card_describes_the_model(classifier):
    about = card(classifier.name)
    assert about["parameters"] == classifier.parameters
    assert tuple(about["image_shape"]) == classifier.model.input_shape[1:]
    assert len(about["class_names"]) == classifier.classes
    assert {"accuracy", "licence", "limits", "trained_on", "training"} <= about.keys()
    for file in (about["recipe"], about["record"]):
        assert (ROOT / file).is_file()
    assert about["trained_on"] in classifier.remarks


def test_a_card_says_what_was_recorded(classifier):
    about = card(classifier.name)
    trainings = json.loads((ROOT / about["record"]).read_text(encoding="utf-8"))["results"]["trainings"]
    recorded = {
        round(100 * value, 2)
        for row in trainings
        for part in (row, row.get("accuracy"))
        for value in (part.values() if isinstance(part, dict) else ())
        if isinstance(value, float)
    }
    said = [100 * share for share in about["accuracy"].values()]
    said += [float(number) for number in re.findall(r"(\d+(?:\.\d+)?)%", about["training"])]
    assert {round(number, 2) for number in said} <= recorded


def test_a_model_has_about_a_megabyte(classifier):
    assert (SHIPPED_FOLDER / classifier.name / "model.keras").stat().st_size < 1.2e6


def test_it_computes_in_the_precision_that_is_asked_for(classifier):
    assert {layer.compute_dtype for layer in classifier.model.layers} == {"float32"}


def asked_about(name):
    """Images and labels that a model was tested on, their title, and by how much its accuracy there may be off."""
    if name in SHAPES:
        drawing = shapes.draw(2000, seed=2, scene=shapes.SCENES["as in training"])  # those of lesson 10
        return drawing.images, drawing.labels, "fresh pictures", 0.001
    name, title = DATA[name]
    try:
        data = datasets.load(name, download=False)
    except Problem:
        pytest.skip(f"{title} is not here")
    if data.title not in (title, "CIFAR-10"):
        pytest.skip(f"{data.title} is here, and not {title}")
    return data.x_test, data.y_test, title, 0.003 if data.title == title else 0.02


def test_the_stored_accuracy_is_that_on_the_data(classifier):
    images, labels, title, off = asked_about(classifier.name)
    logits = np.concatenate(
        [
            classifier.model.predict_on_batch(images[start : start + 500] / np.float32(255))
            for start in range(0, len(images), 500)
        ]
    )
    stored = next(share for on, share in card(classifier.name)["accuracy"].items() if on.startswith(title))
    assert (logits.argmax(-1) == labels).mean() == pytest.approx(stored, abs=off)
