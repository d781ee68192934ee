"""A picture of a data set: a row of images for each class. The quickest way to see that labels and images belong."""

import numpy as np

from vitkeras.files import written_whole

COLUMNS = 12
GAP = 2  # pixels between images
WHITE = 255


def draw(data, path):
    """Write the first `COLUMNS` training images of each class to `path`, a png file."""
    from matplotlib.figure import Figure  # here, so that the listing's options are read without waiting for it

    picture = mosaic(data)
    height = data.image_shape[0]
    figure = Figure(figsize=(9, 0.6 + 8 * picture.shape[0] / picture.shape[1]), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(picture, cmap="gray", vmin=0, vmax=WHITE, interpolation="nearest")
    axes.set_yticks(np.arange(len(data.class_names)) * (height + GAP) + (height - 1) / 2, data.class_names)
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(f"{data.title}: the first training images of each class")
    with written_whole(path) as unfinished:
        figure.savefig(unfinished)


def mosaic(data):
    """Out: (classes * (height + GAP) - GAP, COLUMNS * (width + GAP) - GAP, channels), white between the images."""
    height, width, channels = data.image_shape
    classes = len(data.class_names)
    cells = np.full((classes, COLUMNS, height + GAP, width + GAP, channels), WHITE, "uint8")
    for label in range(classes):
        images = data.x_train[np.flatnonzero(data.y_train == label)[:COLUMNS]]
        cells[label, : len(images), :height, :width] = images
    picture = cells.swapaxes(1, 2)  # (classes, height, columns, width, channels)
    picture = picture.reshape(classes * (height + GAP), COLUMNS * (width + GAP), channels)
    return picture[:-GAP, :-GAP]
