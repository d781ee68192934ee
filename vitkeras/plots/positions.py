"""Positions: digits whose patches have changed places, and how alike the places' vectors are."""

import numpy as np
from matplotlib.figure import Figure

from vitkeras.plots import look
from vitkeras.plots.look import SERIES


def reordered(rows, data, path):
    """The same digits in several orders of their patches: `rows` is {what was done: images}, a row of pictures each."""
    columns = max(len(images) for images in rows.values())
    figure = Figure(figsize=(1.25 * columns + 1.9, 1.3 * len(rows) + 0.5))
    figure.suptitle(f"{data.title}: the same test images, their patches in another order")
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for axes_row, (name, images) in zip(grid, rows.items(), strict=True):
        for axes, image in zip(axes_row, images, strict=True):
            look.show(axes, image)
        axes_row[0].text(
            -0.15, 0.5, name, transform=axes_row[0].transAxes, ha="right", va="center", fontsize=11
        )  # fmt: skip
    figure.subplots_adjust(wspace=0.08, hspace=0.08)
    look.save(figure, path)


def similarity(similarities, distances, grid, data, path):
    """Left, a map for each place: how like its vector are all others (the paper's figure 7, middle). Right, the same
    pairs over their distance on the grid.

    similarities, distances: (places, places); `grid` is (rows, columns) of the places
    """
    rows, columns = grid
    side = max(5.0, 0.78 * rows)
    figure = Figure(figsize=(2.1 * side, 0.85 * side + 0.8), layout="constrained")
    figure.suptitle(f"Vectors of the {rows} x {columns} positions after training on {data.title}", fontsize=13)
    left, right = figure.subfigures(1, 2, width_ratios=(1.15, 1))

    off_diagonal = similarities[~np.eye(rows * columns, dtype=bool)]
    shade = {"cmap": "viridis", "vmin": off_diagonal.min(), "vmax": off_diagonal.max()}
    maps = left.subplots(rows, columns)
    for place, axes in enumerate(maps.flat):
        picture = axes.imshow(similarities[place].reshape(grid), **shade)
        row, column = divmod(place, columns)
        axes.plot(column, row, "o", color="white", markersize=3, markeredgecolor="black")
        axes.set(xticks=[], yticks=[])
    left.colorbar(picture, ax=maps, shrink=0.8, extend="max", label="cosine similarity with the place of the white dot")

    axes = right.subplots()
    pairs = np.triu_indices(rows * columns, 1)
    apart, alike = distances[pairs], similarities[pairs]
    axes.plot(apart, alike, "o", markersize=4, alpha=0.35, color=SERIES[0], markeredgewidth=0, label="a pair of places")
    steps = np.unique(apart.round(6))
    means = [alike[np.isclose(apart, step)].mean() for step in steps]
    axes.plot(steps, means, "o-", color=SERIES[1], linewidth=1.5, label="mean of the pairs this far apart")
    look.tidy(axes, xlabel="distance of the two places, in patches", ylabel="cosine similarity of their vectors")
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)  # clear of the dots
    look.save(figure, path)
