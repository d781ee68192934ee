"""Pictures of a run. Each says which data it shows, so that a drawn digit is never taken for MNIST."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vitkeras.files import written_whole

LOOK = {"dpi": 120, "bbox_inches": "tight", "facecolor": "white"}
TRAIN, VALIDATION, RIGHT, WRONG = "#1f77b4", "#d95f02", "#1a7f37", "#c62828"


def save(figure, path):
    with written_whole(path) as temporary:
        figure.savefig(temporary, **LOOK)
    print(f"picture: {path}")


def curves(history, data, accuracy_path, loss_path):
    """Accuracy and loss over the epochs, a picture each, for training and validation."""
    for quantity, path in (("accuracy", accuracy_path), ("loss", loss_path)):
        figure = Figure(figsize=(6, 4))
        axes = figure.subplots()
        for name, label, colour in ((quantity, "train", TRAIN), (f"val_{quantity}", "validation", VALIDATION)):
            values = history[name]
            axes.plot(range(1, len(values) + 1), values, marker="." if len(values) < 15 else "", color=colour)
            axes.annotate(
                f" {label} {values[-1]:.4f}", (len(values), values[-1]), xytext=(4, 0), textcoords="offset points",
                color=colour, va="bottom" if values[-1] >= history[quantity][-1] else "top", fontsize=9,
            )  # fmt: skip
        axes.set(title=f"model {quantity}: {data.title}", xlabel="epoch", ylabel=quantity)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlim(left=0.5 if len(values) == 1 else None, right=1.5 if len(values) == 1 else None)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        save(figure, path)


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
    save(figure, path)


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
        show(axes, data.x_test[i])
        said = outcome.predictions[i]
        axes.set_title(
            f"{data.class_names[outcome.labels[i]]}, taken for {data.class_names[said]}\n"
            f"sure to {100 * outcome.probabilities[i, said]:.0f}%",
            fontsize=8, color=WRONG,
        )  # fmt: skip
    figure.tight_layout()
    save(figure, path)


def show(axes, image):
    """One image on one set of axes: grey if it has one channel."""
    axes.imshow(image.squeeze(-1) if image.shape[-1] == 1 else image, cmap="gray", vmin=0, vmax=255)
    axes.axis("off")
