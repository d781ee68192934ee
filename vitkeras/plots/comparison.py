"""Things compared: a dot for each training, bars side by side, means with their deviation."""

import numpy as np
from matplotlib.figure import Figure

from vitkeras.plots import look
from vitkeras.plots.look import SERIES


def dots(groups, quantity, title, path, mean_form="mean {:.2f}"):
    """A row for each group (a dict, name to values): its values as dots, their mean as a line."""
    figure = Figure(figsize=(7, 1.2 + 0.7 * len(groups)))
    dots_on(figure.subplots(), groups, mean_form, title=title, xlabel=quantity)
    look.save(figure, path)


def dots_on(axes, groups, mean_form, **labels):
    """The rows of `dots`, on axes that may be part of a larger picture."""
    for row, values in enumerate(map(np.asarray, groups.values())):
        colour, mean = SERIES[row % len(SERIES)], values.mean()
        axes.plot(values, np.full(len(values), row), "o", color=colour, alpha=0.6, markersize=9)
        axes.plot([mean] * 2, [row - 0.3, row + 0.3], color=colour, linewidth=2.5)
        axes.annotate(mean_form.format(mean), (mean, row - 0.32), ha="center", va="bottom", fontsize=9, color=colour)
    look.tidy(axes, yticks=range(len(groups)), yticklabels=groups, ylim=(len(groups) - 0.4, -0.75), **labels)


def bars(groups, names, title, quantity, path):
    """A bar for each of `names`, beside each other for each group (a dict, name to percentages), the last on top."""
    figure = Figure(figsize=(7, 1.2 + 0.14 * (1 + 2 * len(groups)) * len(names)))
    axes = figure.subplots()
    height = 0.8 / len(groups)
    for number, (name, values) in enumerate(groups.items()):
        places = np.arange(len(names)) - (number - (len(groups) - 1) / 2) * height
        drawn = axes.barh(places, values, height, color=SERIES[number % len(SERIES)], label=name)
        axes.bar_label(drawn, fmt="%.0f", padding=3, fontsize=8)
    look.tidy(axes, title=title, xlabel=quantity, xlim=(0, 108))
    axes.set_yticks(range(len(names)), names)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=len(groups), frameon=False)
    look.save(figure, path)


def with_error(groups, quantity, title, across, path):
    """Values against a quantity with a logarithmic axis: mean, and one standard deviation up and down.

    groups: name -> {place on the axis: values}
    """
    figure = Figure(figsize=(7, 4.5))
    axes = figure.subplots()
    for colour, (name, values) in zip(SERIES, groups.items(), strict=False):
        places = list(values)
        means = [np.mean(values[place]) for place in places]
        spreads = [np.std(values[place], ddof=1) if len(values[place]) > 1 else 0 for place in places]
        axes.errorbar(places, means, spreads, marker="o", capsize=4, color=colour, label=name)
    look.tidy(axes, title=title, xlabel=across, ylabel=quantity, xscale="log")
    axes.set_xticks(places, [f"{place:,}" for place in places], minor=False)
    axes.minorticks_off()
    axes.legend()
    look.save(figure, path)
