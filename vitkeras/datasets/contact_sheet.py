"""A picture of a data set: images of each class. The quickest way to see that labels and images belong."""

import numpy as np

from vitkeras.files import written_whole

COLUMNS = 12  # images in a row; fewer where they are large
ROWS = 6  # of images, if the classes are few and the images large
WIDEST = 600  # pixels of images in a row
GAP = 2  # pixels between images
WHITE = 255


def draw(data, path):
    """Write the first training images of each class, a row or several, to `path`, a png file."""
    from matplotlib.figure import Figure  # here, so that the listing's options are read without waiting for it

    picture = mosaic(data)
    middles = (np.arange(len(data.class_names)) + 0.5) * (picture.shape[0] + GAP) / len(data.class_names)
    figure = Figure(figsize=(9, 0.6 + 8 * picture.shape[0] / picture.shape[1]), dpi=120, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1)  # inches
    axes = figure.add_subplot()
    smooth = "auto" if data.image_shape[1] > WIDEST // COLUMNS else "nearest"  # hardly enlarged, pixels would be uneven
    axes.imshow(picture, cmap="gray", vmin=0, vmax=WHITE, interpolation=smooth)
    axes.set_yticks(middles - (GAP + 1) / 2, data.class_names)
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(f"{data.title}: the first training images of each class")
    with written_whole(path) as unfinished:
        figure.savefig(unfinished)


def mosaic(data):
    """Out: (rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, channels), white between the images."""
    height, width, channels = data.image_shape
    classes = len(data.class_names)
    columns = max(1, min(COLUMNS, WIDEST // width))
    rows = max(1, ROWS // classes) if columns < COLUMNS else 1  # of each class
    cells = np.full((classes, rows * columns, height + GAP, width + GAP, channels), WHITE, "uint8")
    for label in range(classes):
        images = data.x_train[np.flatnonzero(data.y_train == label)[: rows * columns]]
        cells[label, : len(images), :height, :width] = images
    cells = cells.reshape(classes * rows, columns, height + GAP, width + GAP, channels)
    picture = cells.swapaxes(1, 2)  # (classes * rows, height, columns, width, channels)
    picture = picture.reshape(classes * rows * (height + GAP), columns * (width + GAP), channels)
    return picture[:-GAP, :-GAP]
