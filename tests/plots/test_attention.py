"""Pictures of attention show the numbers they were given, at the place they belong to."""

import numpy as np
import pytest
from matplotlib.patches import FancyArrowPatch
from PIL import Image

from vitkeras import plots
from vitkeras.datasets import Dataset


@pytest.fixture
def data():
    images = np.zeros((3, 28, 28, 1), "uint8")
    images[:, 5:20, 10:18] = 255
    labels = np.arange(3, dtype="int32")
    return Dataset("drawn", "drawn digits (not MNIST)", images, labels, images, labels, tuple("012"), "a test")


@pytest.fixture
def weights():
    """(2 layers, 3 heads, 16, 16), rows summing to one."""
    weights = np.random.default_rng(0).uniform(size=(2, 3, 16, 16))
    return weights / weights.sum(-1, keepdims=True)


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in (*axes.texts, axes.title)]


def test_every_map_is_drawn_to_one_scale(tmp_path, data, figures, weights):
    plots.attention_maps(weights, "a test", data, tmp_path / "maps.png")
    with Image.open(tmp_path / "maps.png") as image:
        image.verify()
    (figure,) = figures
    assert "not MNIST" in figure._suptitle.get_text()
    pictures = [axes.images[0] for axes in figure.axes if axes.images]
    np.testing.assert_array_equal(pictures[4].get_array(), weights[1, 1])
    assert {picture.get_clim() for picture in pictures} == {(0, weights.max())}
    assert "layer 2, head 2" in texts(figure)


def test_heat_lies_over_the_image_that_it_belongs_to(tmp_path, data, figures, weights):
    heat = weights.mean(-2).reshape(2, 3, 4, 4)
    plots.attention_of_heads(data.x_test[0], heat, "a test", data, tmp_path / "heads.png")
    plots.attention_over(data.x_test, heat[0], ["a", "b", "c"], "a test", data, tmp_path / "over.png", columns=2)
    for figure in figures:
        pictures = [axes.images[0] for axes in figure.axes if axes.images]
        np.testing.assert_array_equal(pictures[1].get_array(), heat[0, 1])
        assert pictures[1].get_extent() == [-0.5, 27.5, 27.5, -0.5]
    assert {"a", "b", "c"} <= set(texts(figures[1]))


def test_arrows_go_to_the_patches_that_are_looked_at_most(tmp_path, data, figures, weights):
    head = weights[0].copy()
    head[0, 5] = 0.0
    head[0, 5, [2, 5, 14]] = 0.5, 0.3, 0.2
    plots.looks(data.x_test[0], head, (5, 6), (4, 4), "a test", data, tmp_path / "looks.png")
    axes = figures[0].axes[0]
    arrows = [patch for patch in axes.patches if isinstance(patch, FancyArrowPatch)]
    ends = [arrow._posA_posB for arrow in arrows]  # none from patch 5 to itself
    np.testing.assert_allclose(ends, [[(10, 10), (17, 3)], [(10, 10), (17, 24)]])
    assert [text.get_text() for text in axes.texts] == ["50%", "30%", "20%"]
    assert "patch 6, head 1" in texts(figures[0])


def test_distances_stand_over_their_layer(tmp_path, data, figures):
    plots.mean_distances(np.array([[3.0, 12.0], [8.0, 9.0]]), 10.0, data, tmp_path / "distances.png")
    first, second = figures[0].axes[0].lines[:2]
    np.testing.assert_array_equal(first.get_ydata(), [3, 8])
    np.testing.assert_array_equal(np.round(second.get_xdata()), [1, 2])
    assert "not MNIST" in figures[0].axes[0].get_title()


def test_a_curve_for_each_way_of_covering(tmp_path, data, figures):
    plots.covering([0, 2], {"this": [0.9, 0.5], "that": [0.9, 0.8]}, 16, data, tmp_path / "covering.png")
    this, that = figures[0].axes[0].lines
    np.testing.assert_allclose(this.get_ydata(), [90, 50])
    assert that.get_label() == "that"
