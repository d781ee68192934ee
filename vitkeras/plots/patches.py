"""An image cut into patches (the lecture's figure G)."""

from matplotlib.figure import Figure

from vitkeras.plots import look

INK, PAPER = "#7b3294", "#f3f0f7"  # of the patches' numbers, and of the gaps between patches
GAP = 0.3  # between patches, in patches


def patch_grid(image, patches, data, path, label):
    """The image; its patches apart, and numbered; and the same in a row, which is what a Transformer gets.

    image: (height, width, channels); patches: (number, patch_size, patch_size, channels), read like a page
    """
    count, size = patches.shape[:2]
    rows, columns = image.shape[0] // size, image.shape[1] // size
    figure = Figure(figsize=(10, 6.6), layout="constrained")
    figure.get_layout_engine().set(h_pad=0.1)
    figure.suptitle(f"{data.title}, {label}: {count} patches of {size} × {size} pixels", fontsize=14)
    places = figure.subplot_mosaic([["image", "cut"], ["row", "row"]], height_ratios=(6, 1))
    look.show(places["image"], image)
    places["image"].set_title(f"the image: {image.shape[0]} × {image.shape[1]} pixels")
    lay_out(places["cut"], patches, columns)
    places["cut"].set_title(f"cut {rows} × {columns}")
    lay_out(places["row"], patches, count)
    places["row"].set_title(f"what the Transformer is given: a sequence of {count}")
    look.save(figure, path)


def lay_out(axes, patches, columns):
    """Patches with gaps and numbers, so many to a line."""
    step = 1 + GAP
    for number, patch in enumerate(patches):
        row, column = divmod(number, columns)
        draw(axes, patch, left=column * step, top=row * step, side=1)
        axes.text(column * step + 0.5, row * step - 0.03, f"{number}", color=INK, ha="center", va="bottom", fontsize=10)
    lines = -(-len(patches) // columns)
    axes.set(xlim=(-GAP, columns * step), ylim=(lines * step - GAP / 2, -GAP - 0.05))
    axes.set(xticks=[], yticks=[], facecolor=PAPER)
    axes.spines[:].set_visible(False)


def patch_sizes(image, sizes, data, path):
    """The same image cut by several patch sizes: more tokens, fewer values in each."""
    height, width, channels = image.shape
    figure = Figure(figsize=(2.9 * len(sizes), 4), layout="constrained")
    figure.get_layout_engine().set(h_pad=0.1)
    figure.suptitle(f"{data.title}: the smaller the patch, the more tokens, and the more pairs to compare", fontsize=14)
    for axes, size in zip(figure.subplots(1, len(sizes)), sizes, strict=True):
        count = (height // size) * (width // size)
        look.show(axes, image)
        # pixel i reaches from i - 0.5 to i + 0.5
        axes.vlines([x - 0.5 for x in range(0, width + 1, size)], -0.5, height - 0.5, look.SERIES[1], linewidth=1)
        axes.hlines([y - 0.5 for y in range(0, height + 1, size)], -0.5, width - 0.5, look.SERIES[1], linewidth=1)
        axes.set_title(
            f"patches of {size} × {size}\n{count} tokens of {size * size * channels} values\n{count**2:,} pairs",
            fontsize=11,
        )
    look.save(figure, path)


def draw(axes, image, left, top, side):
    """An image as a square at this place, the axis y pointing down."""
    axes.imshow(
        image.squeeze(-1) if image.shape[-1] == 1 else image / 255,
        cmap="gray", vmin=0, vmax=255, extent=(left, left + side, top + side, top),
    )  # fmt: skip
