"""The pictures are there, are pictures, and say what they show."""

import os
import shutil
import sys

import keras
import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image

from vitkeras import diagram, models, plots
from vitkeras.datasets import Dataset
from vitkeras.plots import look
from vitkeras.training import Outcome

TITLE = "drawn digits (not MNIST)"


@pytest.fixture
def texts(monkeypatch):
    """All that is written in the pictures that a test saves."""
    seen = []
    save = look.save

    def save_and_read(figure, path):
        save(figure, path)
        ticks = {id(tick) for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for tick in axis.findobj(Text)}
        seen.extend(text.get_text() for text in figure.findobj(Text) if id(text) not in ticks)

    monkeypatch.setattr(look, "save", save_and_read)
    return seen


@pytest.fixture
def data():
    images = np.random.default_rng(0).integers(0, 256, (60, 28, 28, 1), dtype="uint8")
    labels = np.arange(60, dtype="int32") % 10
    return Dataset("drawn", TITLE, images, labels, images, labels, tuple("0123456789"), "a test")


def outcome_with_mistakes(labels, *mistakes):
    """Sure of the truth everywhere but at (index, what it says instead, how sure it is)."""
    probabilities = 0.99 * np.eye(10)[labels] + 0.001
    for index, said, sure in mistakes:
        probabilities[index] = (1 - sure) / 9
        probabilities[index, said] = sure
    return Outcome(probabilities, labels)


def is_picture(path):
    with Image.open(path) as image:
        return image.format == "PNG" and len(np.unique(np.asarray(image.convert("L")))) > 10


def test_curves_end_in_their_numbers_and_name_the_data(tmp_path, data, texts):
    history = {"accuracy": [0.5, 0.75], "val_accuracy": [0.4, 0.7125], "loss": [1.0, 0.5], "val_loss": [1.25, 0.6]}
    plots.curves(history, data, tmp_path / "acc.png", tmp_path / "loss.png")
    assert is_picture(tmp_path / "acc.png")
    assert is_picture(tmp_path / "loss.png")
    assert f"model accuracy: {TITLE}" in texts
    assert any("validation 0.7125" in text for text in texts)


def test_confusion_counts_who_was_taken_for_whom(tmp_path, data, texts):
    outcome = outcome_with_mistakes(data.y_test, (7, 1, 0.9), (17, 1, 0.8), (4, 9, 0.6))
    plots.confusion(outcome, data, tmp_path / "confusion.png")
    assert is_picture(tmp_path / "confusion.png")
    assert f"{TITLE}: 95.00% of 60 test images right" in texts
    cells = [text for text in texts if text.isdigit()]
    assert sorted(cells) == sorted(["6"] * 8 + ["4", "2"] + ["5", "1"])  # sevens taken for ones, a four for a nine


def test_the_worst_mistake_comes_first(tmp_path, data, texts):
    outcome = outcome_with_mistakes(data.y_test, (4, 9, 0.6), (7, 1, 0.97))
    plots.worst_mistakes(outcome, data, tmp_path / "mistakes.png")
    assert is_picture(tmp_path / "mistakes.png")
    assert [text.splitlines()[0] for text in texts if "taken for" in text] == ["7, taken for 1", "4, taken for 9"]
    assert any(TITLE in text for text in texts)


def test_no_mistakes_is_a_picture_too(tmp_path, data, texts):
    plots.worst_mistakes(outcome_with_mistakes(data.y_test), data, tmp_path / "mistakes.png")
    assert any("no mistake in 60" in text for text in texts)


def test_our_diagram_draws_the_repeated_block_once_and_says_how_often(tmp_path, texts):
    diagram.draw(models.tr02c(), tmp_path / "tr02c.png", dot=False)
    assert is_picture(tmp_path / "tr02c.png")
    assert texts.count("× 4") == 1
    assert texts.count("MyMultiHeadAttention") == 1
    assert texts.count("Add") == 2
    assert "(28, 28, 1)" in texts
    assert "2048, gelu" in texts


def test_a_model_without_repetition_is_drawn_as_it_is(tmp_path, texts):
    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(3)])
    diagram.draw(model, tmp_path / "small.png", dot=False)
    assert not any("×" in text for text in texts)
    assert "Flatten" in texts


@pytest.mark.skipif(sys.platform == "win32", reason="the false dot is a shell script")
def test_a_dot_that_does_not_work_is_told_and_done_without(tmp_path, monkeypatch, capsys):
    false_dot = tmp_path / "dot"
    false_dot.write_text("#!/bin/sh\nexit 3\n")
    false_dot.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    diagram.draw(models.tr02c(), tmp_path / "tr02c.png")
    assert "dot does not work here" in capsys.readouterr().out
    assert is_picture(tmp_path / "tr02c.png")


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_draws_where_it_is_installed(tmp_path):
    diagram.draw(models.tr02c(), tmp_path / "tr02c.png")
    assert is_picture(tmp_path / "tr02c.png")
