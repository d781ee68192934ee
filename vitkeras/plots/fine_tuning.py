"""Fine-tuning: what a model learnt from, and how ways of learning compare while it goes on."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vitkeras.plots import look
from vitkeras.plots.look import SERIES

MOST_CLASSES = 12  # in one picture


def training_images(data, places, path, columns=12):
    """A row of training images for each class: of those at `places`, in that order."""
    classes = min(len(data.class_names), MOST_CLASSES)
    columns = min(columns, int(np.bincount(data.y_train[places]).max()))
    left_out = f"; {classes} of {len(data.class_names)} classes" if classes < len(data.class_names) else ""
    figure = Figure(figsize=(0.75 * columns + 1.2, 0.75 * classes + 0.6), layout="constrained")
    figure.suptitle(f"{data.title}: {len(places):,} images to learn from{left_out}", fontsize=11)
    grid = figure.subplots(classes, columns, squeeze=False)
    for label, row in enumerate(grid):
        for axes in row:
            axes.axis("off")
        for axes, place in zip(row, places[data.y_train[places] == label], strict=False):
            look.show(axes, data.x_train[place])
        name = data.class_names[label]
        row[0].text(-0.2, 0.5, name, transform=row[0].transAxes, ha="right", va="center", fontsize=11)
    look.save(figure, path)


def over_epochs(histories, chance, title, path):
    """Validation accuracy over the epochs for each way of learning: the mean of its seeds, and from least to most.

    histories: {way: [a history for each seed]}, the seeds of a way with as many epochs;  chance: of a guess, 0 to 1
    """
    figure = Figure(figsize=(8.5, 4.8))
    axes = figure.subplots()
    ends = {}
    for colour, (way, runs) in zip(SERIES, histories.items(), strict=False):
        percent = 100 * np.array([history["val_accuracy"] for history in runs])  # (seeds, epochs)
        epochs = np.arange(1, percent.shape[1] + 1)
        axes.fill_between(epochs, percent.min(0), percent.max(0), color=colour, alpha=0.15, linewidth=0)
        axes.plot(epochs, percent.mean(0), "o-" if len(epochs) < 3 else "-", color=colour, linewidth=2)
        ends[way] = (percent.mean(0)[-1], colour)
    if len(epochs) == 1:
        axes.set_xlim(0.5, 1.5)
    axes.axhline(100 * chance, color="#888888", linestyle=":")
    axes.text(1, 100 * chance - 1, "guessing", color="#666666", fontsize=9, va="top")
    for height, (way, (value, colour)) in zip(apart(ends), sorted(ends.items(), key=by_end), strict=True):
        axes.annotate(
            f"{way} {value:.0f}%", (1.01, height), xycoords=axes.get_yaxis_transform(), va="center", color=colour,
            fontsize=11, annotation_clip=False,
        )  # fmt: skip
    seeds = len(next(iter(histories.values())))
    spread = f"mean of {seeds} seeds, shaded from the least to the most" if seeds > 1 else "one seed"
    look.tidy(axes, xlabel="epoch", ylabel=f"validation accuracy (%)\n{spread}", title=title, ylim=(0, 102))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    look.save(figure, path)


def by_end(item):
    return item[1][0]


def apart(ends, gap=5.5):
    """Heights for the names at the ends of the curves, the lowest first: near the ends, but never on each other."""
    heights = []
    for value, _ in sorted(ends.values()):
        heights.append(max(value, heights[-1] + gap) if heights else value)
    return heights
