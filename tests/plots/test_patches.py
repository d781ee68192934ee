"""Pictures of patches show the patches that they say they show."""

import types

import numpy as np
import pytest

from vitkeras import plots

DATA = types.SimpleNamespace(title="drawn digits (not MNIST)")


@pytest.mark.parametrize("channels", [1, 3])
def test_every_patch_lies_at_its_number_in_the_grid_and_in_the_row(figures, channels):
    image = np.random.default_rng(0).integers(0, 256, (8, 12, channels))
    patches = [image[r : r + 4, c : c + 4] for r in (0, 4) for c in (0, 4, 8)]
    plots.patch_grid(image, np.array(patches), DATA, "grid.png", "noise")
    (figure,) = figures
    _, grid, row = figure.axes
    for axes, columns in ((grid, 3), (row, 6)):
        assert [text.get_text() for text in axes.texts] == list("012345")
        for number, (picture, patch) in enumerate(zip(axes.images, patches, strict=True)):
            drawn = np.asarray(picture.get_array()) * (1 if channels == 1 else 255)
            np.testing.assert_allclose(drawn, patch.squeeze(-1) if channels == 1 else patch)
            left, _, _, top = picture.get_extent()
            assert (round(top / 1.3), round(left / 1.3)) == divmod(number, columns)
    assert figure.get_suptitle() == "drawn digits (not MNIST), noise: 6 patches of 4 × 4 pixels"


def test_the_lines_lie_between_the_patches(figures):
    plots.patch_sizes(np.zeros((28, 28, 1), "uint8"), (14, 7), DATA, "sizes.png")
    coarse, fine = figures[0].axes
    assert coarse.get_title() == "patches of 14 × 14\n4 tokens of 196 values\n16 pairs"
    assert fine.get_title() == "patches of 7 × 7\n16 tokens of 49 values\n256 pairs"
    assert [segment[0][0] for segment in coarse.collections[0].get_segments()] == [-0.5, 13.5, 27.5]
    assert len(fine.collections[1].get_segments()) == 5
