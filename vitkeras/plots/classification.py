"""What a classifier said of the test images."""

import numpy as np
from matplotlib.figure import Figure

from vitkeras.plots import look
from vitkeras.plots.comparison import bars
from vitkeras.plots.look import RIGHT, WRONG


def confusion(outcome, data, path):
    """How often each class was taken for each other. Shade shows mistakes only: the diagonal would drown them."""
    count = len(data.class_names)
    table = np.zeros((count, count), int)
    np.add.at(table, (outcome.labels, outcome.predictions), 1)
    mistakes = table * ~np.eye(count, dtype=bool)

    figure = Figure(figsize=(1.5 + 0.6 * count, 1.2 + 0.6 * count))
    axes = figure.subplots()
    axes.imshow(mistakes, cmap="Oranges", vmax=max(1, mistakes.max()) * 1.3)
    for (row, column), number in np.ndenumerate(table):
        colour = RIGHT if row == column else "black"
        if number:
            axes.text(column, row, f"{number}", ha="center", va="center", color=colour, fontsize=9)
    axes.set(
        title=f"{data.title}: {100 * outcome.accuracy:.2f}% of {len(outcome.labels):,} test images right",
        xlabel="the model said", ylabel="it was",
        xticks=range(count), yticks=range(count), xticklabels=data.class_names, yticklabels=data.class_names,
    )  # fmt: skip
    if max(map(len, data.class_names)) > 2:
        axes.tick_params(axis="x", rotation=45)
    look.save(figure, path)


def worst_mistakes(outcome, data, path, rows=4, columns=6):
    """The test images that the model was most sure of and wrong about, the worst first."""
    wrong = np.flatnonzero(outcome.predictions != outcome.labels)
    worst = wrong[np.argsort(-outcome.probabilities.max(-1)[wrong], kind="stable")][: rows * columns]

    figure = Figure(figsize=(1.5 * columns, 1.75 * rows + 0.5))
    figure.suptitle(
        f"{data.title}: the {len(worst)} worst of {len(wrong)} mistakes"
        if len(wrong) else f"{data.title}: no mistake in {len(outcome.labels):,} test images",
    )  # fmt: skip
    grid = figure.subplots(rows, columns).ravel()
    for axes in grid:
        axes.axis("off")
    for axes, i in zip(grid, worst, strict=False):
        look.show(axes, data.x_test[i])
        said = outcome.predictions[i]
        axes.set_title(
            f"{data.class_names[outcome.labels[i]]}, taken for {data.class_names[said]}\n"
            f"sure to {100 * outcome.probabilities[i, said]:.0f}%",
            fontsize=8, color=WRONG,
        )  # fmt: skip
    figure.tight_layout()
    look.save(figure, path)


def by_class(accuracies, data, path):
    """The accuracy of several models on each class, the class that is hardest for the first model on top."""
    order = np.argsort(-np.asarray(next(iter(accuracies.values()))))
    percent = {name: 100 * np.asarray(values)[order] for name, values in accuracies.items()}
    names = [data.class_names[i] for i in order]
    bars(percent, names, f"{data.title}: class by class", "test images right (%)", path)
