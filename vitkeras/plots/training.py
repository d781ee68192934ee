"""How a training went."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vitkeras.plots import look
from vitkeras.plots.look import SERIES, TRAIN, VALIDATION


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
        look.tidy(axes, title=f"model {quantity}: {data.title}", xlabel="epoch", ylabel=quantity)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlim(left=0.5 if len(values) == 1 else None, right=1.5 if len(values) == 1 else None)
        look.save(figure, path)


def learning(curves, per_epoch, first, title, path):
    """Accuracy against the images seen, in two stages: for each name a line a seed; a bar where the second one begins.

    curves: name -> for each seed the percentages after each epoch;  first: epochs of the first stage
    """
    figure = Figure(figsize=(9, 4.5))
    axes = figure.subplots()
    for number, (name, seeds) in enumerate(curves.items()):
        for line, values in enumerate(seeds):
            seen = per_epoch / 1000 * np.arange(1, len(values) + 1)
            axes.plot(
                seen, values, ".-", color=SERIES[number % len(SERIES)], alpha=0.8, label=None if line else name
            )  # fmt: skip
    axes.axvline(per_epoch / 1000 * (first + 0.5), color="grey", linewidth=1, linestyle=":")
    axes.axhline(50, color="grey", linewidth=1)
    look.tidy(axes, title=title, xlabel="thousands of images seen", ylabel="held-out images right (%)")
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    look.save(figure, path)


def compare_curves(histories, title, path):
    """Loss and accuracy of several models, a list of histories each (one for each seed), on common axes."""
    figure = Figure(figsize=(11, 4))
    figure.suptitle(title)
    for axes, quantity in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for colour, (name, runs) in zip(SERIES, histories.items(), strict=False):
            for number, history in enumerate(runs):
                epochs = range(1, len(history[quantity]) + 1)
                labels = (f"{name}, training", f"{name}, validation") if number == 0 else (None, None)
                axes.plot(epochs, history[quantity], "--", color=colour, alpha=0.6, label=labels[0])
                axes.plot(epochs, history[f"val_{quantity}"], ".-", color=colour, label=labels[1])
        look.tidy(axes, xlabel="epoch", ylabel=quantity)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(fontsize=9)
    figure.tight_layout()
    look.save(figure, path)
