"""Pictures of pictures: what a model is shown."""

import numpy as np
from matplotlib.figure import Figure

from vitkeras.plots import look


def augmented(data, augment, seed, path, rows=6, columns=8):
    """Some training images, each followed by what `augment` makes of it."""
    figure = Figure(figsize=(1.1 * columns, 1.15 * rows + 0.6))
    figure.suptitle(f"{data.title}: an image (left) and what augmentation makes of it")
    grid = figure.subplots(rows, columns)
    images = data.x_train[:rows].astype("float32") / 255
    for column, axes in enumerate(grid.T):
        shown = np.asarray(augment(images, (seed, column))) if column else images
        for ax, image in zip(axes, shown, strict=True):
            look.show(ax, np.round(255 * image).astype("uint8"))
    figure.tight_layout()
    look.save(figure, path)


def scenes(drawings, data, path, columns=8):
    """A row of pictures for each scene (a dict, name to drawing), with the answer above each picture."""
    figure = Figure(figsize=(1.35 * columns + 1.2, 1.55 * len(drawings) + 0.5))
    figure.suptitle(data.title)
    for row, (name, drawing) in zip(figure.subplots(len(drawings), columns), drawings.items(), strict=True):
        for axes, image, label in zip(row, drawing.images, drawing.labels, strict=False):
            look.show(axes, image)
            axes.set_title(data.class_names[label], fontsize=8)
        row[0].text(-0.1, 0.5, name, transform=row[0].transAxes, ha="right", va="center", fontsize=10)
    figure.tight_layout()
    look.save(figure, path)
