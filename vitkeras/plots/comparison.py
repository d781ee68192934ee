"""Things compared: a dot for each training, a bar for the mean's interval."""

import numpy as np
from matplotlib.figure import Figure

from vitkeras.plots import look
from vitkeras.plots.look import SERIES


def dots(groups, quantity, title, path):
    """A row for each group (a dict, name to values): its values as dots, their mean as a line."""
    figure = Figure(figsize=(7, 1.2 + 0.7 * len(groups)))
    axes = figure.subplots()
    for row, values in enumerate(map(np.asarray, groups.values())):
        axes.plot(values, np.full(len(values), row), "o", color=SERIES[row % len(SERIES)], alpha=0.6, markersize=9)
        axes.plot([values.mean()] * 2, [row - 0.3, row + 0.3], color=SERIES[row % len(SERIES)], linewidth=2.5)
        axes.annotate(
            f"mean {values.mean():.2f}", (values.mean(), row - 0.32), ha="center", va="bottom", fontsize=9,
            color=SERIES[row % len(SERIES)],
        )  # fmt: skip
    look.tidy(axes, title=title, xlabel=quantity, yticks=range(len(groups)), yticklabels=groups)
    axes.set_ylim(len(groups) - 0.4, -0.75)
    look.save(figure, path)
