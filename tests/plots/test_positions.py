"""Pictures of positions show the numbers they were given."""

import numpy as np
import pytest
from PIL import Image

from vitkeras import plots
from vitkeras.datasets import Dataset


@pytest.fixture
def data():
    images = np.random.default_rng(0).integers(0, 256, (4, 28, 28, 1), dtype="uint8")
    labels = np.arange(4, dtype="int32")
    return Dataset("drawn", "drawn digits (not MNIST)", images, labels, images, labels, tuple("0123"), "a test")


def test_each_map_shows_the_similarities_of_its_place_and_the_line_their_means(tmp_path, data, figures):
    places = np.arange(6)
    row, column = np.divmod(places, 3)
    distances = np.hypot(row[:, None] - row, column[:, None] - column)
    similarities = 1 - distances / 10
    plots.similarity(similarities, distances, (2, 3), data, tmp_path / "similarity.png")
    with Image.open(tmp_path / "similarity.png") as image:
        image.verify()
    (figure,) = figures
    assert "not MNIST" in figure._suptitle.get_text()
    maps = [axes.images[0].get_array() for axes in figure.axes if axes.images]
    np.testing.assert_allclose(maps[4], similarities[4].reshape(2, 3))
    (pairs, means) = next(axes.lines for axes in figure.axes if axes.get_legend())
    assert len(pairs.get_xdata()) == 15
    np.testing.assert_allclose(means.get_ydata(), 1 - means.get_xdata() / 10)


def test_a_row_of_digits_for_each_order(tmp_path, data, figures):
    plots.reordered({"as it is": data.x_test, "turned": data.x_test[:, ::-1]}, data, tmp_path / "orders.png")
    assert [len(axes.images) for axes in figures[0].axes] == [1] * 8
    np.testing.assert_array_equal(figures[0].axes[5].images[0].get_array(), data.x_test[1, ::-1, :, 0])
    assert {"as it is", "turned"} <= {text.get_text() for axes in figures[0].axes for text in axes.texts}
