"""Pictures of attention: each map and each weight in its place."""

import types

import numpy as np

from vitkeras import plots

DATA = types.SimpleNamespace(title="drawn digits (not MNIST)")
WEIGHTS = np.random.default_rng(0).dirichlet(np.ones(16), (4, 16))  # (heads, tokens, tokens)


def test_q_k_v_and_the_maps_are_drawn_as_they_are(figures):
    projections = {name: np.random.default_rng(i).normal(size=(16, 64)) for i, name in enumerate("QKV")}
    plots.queries_keys_and_maps(projections, WEIGHTS, DATA, "steps.png", "a 7")
    by_title = {axes.get_title(): axes for axes in figures[0].axes}
    for name, matrix in projections.items():
        np.testing.assert_array_equal(by_title[f"{name}: 16 × 64"].images[0].get_array(), matrix)
    for head in range(4):
        picture = by_title[f"head {head}: softmax, 16 × 16"].images[0]
        np.testing.assert_array_equal(picture.get_array(), WEIGHTS[head])
        assert picture.get_clim() == (0, WEIGHTS.max())  # one scale for all heads, and it starts at 0
    assert DATA.title in figures[0].get_suptitle()


def test_what_a_patch_looks_at_lies_where_the_patches_lie(figures):
    image = np.zeros((28, 28, 1), "uint8")
    plots.looking_patch(image, WEIGHTS, 7, 5, (5, 6, 10), DATA, "seven.png", "a 7")
    digit, *maps, _ = figures[0].axes
    assert [frame.get_xy() for frame in digit.patches] == [(6.85, 6.85), (13.85, 6.85), (13.85, 13.85)]
    for head, axes in enumerate(maps):
        np.testing.assert_array_equal(axes.images[0].get_array()[2, 3], WEIGHTS[head, 5, 4 * 2 + 3])
        assert [text.get_text() for text in axes.texts] == ["5", "6", "10"]


def test_a_curve_for_each_kind_of_score_in_each_panel(figures):
    measured = {"plain": [[0.5, 2.0, 0.3], [0.9, 0.5, 0.1]], "scaled": [[0.2, 3.5, 0.3], [0.25, 3.4, 0.31]]}
    plots.softmax_and_scale((4, 16), measured, "scale.png")
    for column, axes in enumerate(figures[0].axes):
        for line, rows in zip(axes.lines, measured.values(), strict=True):
            np.testing.assert_array_equal(line.get_xdata(), (4, 16))
            np.testing.assert_array_equal(line.get_ydata(), [row[column] for row in rows])
