"""From pre-training to fine-tuning: what is kept, what is new; and position embeddings taken to a finer grid."""

import numpy as np
from matplotlib.figure import Figure

from vitkeras.plots import look
from vitkeras.plots.block import EMBEDDING, GREY, NORM, TOKEN, arrow, box

LEFT, MIDDLE, RIGHT = 4.0, 11.0, 18.0  # the centres of three columns


def training_stages(image, name, size, patch_size, sides, classes, data, path):
    """Two columns, the stages; between them, what becomes of each part of the model.

    size: a `models.Size`;  sides: of the images in pre-training and in fine-tuning;  classes: those of the new head
    """
    figure = Figure(figsize=(13, 9))
    axes = figure.add_axes([0, 0, 1, 1])
    axes.text(MIDDLE, 15.1, f"The training stages of {name}", fontsize=16, ha="center", va="center")
    axes.text(
        MIDDLE, 14.5, f"the same for every size and patch; pictured: {data.title}", fontsize=11, ha="center",
        va="center", color=GREY,
    )  # fmt: skip
    grids = [side // patch_size for side in sides]
    first, second = grids
    columns = (
        (LEFT, "1  pre-training", "head for some 21,000 classes", "#dddddd", "right"),
        (RIGHT, "2  fine-tuning", f"new head for {classes:,} classes", TOKEN, "left"),
    )
    for (x, stage, head, colour, align), side, grid in zip(columns, sides, grids, strict=True):
        half = 1.9 * side / max(sides)  # to scale: the image of fine-tuning has more pixels
        draw_image(axes, image, x, 0.3 + half, half, grid)
        outside = x + (half + 0.2) * (-1 if align == "right" else 1)
        axes.text(
            outside, 0.3 + half, f"{side} × {side}\npixels\n\n{grid} × {grid}\npatches", fontsize=11, va="center",
            ha=align,
        )  # fmt: skip
        box(axes, x, 5.2, f"patch embedding: {grid**2} tokens of {size.width}", EMBEDDING, 6.4)
        box(axes, x, 7.2, f"class token, positions: {grid**2 + 1} × {size.width}", EMBEDDING, 6.4)
        for behind in (0.24, 0.12):
            box(axes, x + behind, 9.3 + behind, "", NORM, 6.4)
        box(axes, x, 9.3, f"encoder: {size.blocks} blocks", NORM, 6.4)
        box(axes, x, 11.6, head, colour, 6.4)
        for low, high in ((0.4 + 2 * half, 4.65), (5.75, 6.65), (7.75, 8.75), (10.1, 11.05), (12.15, 12.95)):
            arrow(axes, [(x, low), (x, high)])
        axes.text(x, 13.35, stage, fontsize=14, weight="bold", ha="center", va="center")
    patch = f"{patch_size} × {patch_size}"
    becomes = (
        (5.2, "the same weights", f"{3 * patch_size**2} × {size.width}: a patch is\n{patch} pixels as before"),
        (7.2, "interpolated", f"{first} × {first} → {second} × {second};\nthat of the class token stays"),
        (9.3, "the same weights", "blocks take any\nnumber of tokens"),
        (11.6, "thrown away, begun anew", f"{size.width} × {classes:,} zeros and a bias:\n"
                                          f"{(size.width + 1) * classes:,} parameters"),
    )  # fmt: skip
    for y, what, why in becomes:
        axes.text(MIDDLE, y + 0.2, what, fontsize=12, weight="bold", ha="center", va="bottom", color=look.TRAIN)
        arrow(axes, [(LEFT + 3.6, y), (RIGHT - 3.4, y)])
        axes.text(MIDDLE, y - 0.2, why, fontsize=10.5, ha="center", va="top", color=GREY)
    axes.set(xlim=(0, 22), ylim=(0, 15.5), aspect="auto")
    axes.axis("off")
    look.save(figure, path)


def draw_image(axes, image, x, y, half, grid):
    axes.imshow(image[..., 0], cmap="gray", vmin=0, vmax=255, extent=(x - half, x + half, y - half, y + half))
    for line in np.linspace(-half, half, grid + 1):
        axes.plot([x + line] * 2, [y - half, y + half], color=look.SERIES[1], lw=0.5)
        axes.plot([x - half, x + half], [y + line] * 2, color=look.SERIES[1], lw=0.5)


def finer_grid(positions, errors, lengths, stand_in, path):
    """Left, how alike one patch's vector is to all others, on each grid; right, how far the vectors are from the true.

    positions: {what: (vectors of a square grid, the patch's number)};  lengths: of waves, in patches of the first grid
    errors: {"bicubic, inside": one a wavelength, "bicubic, everywhere": …}
    """
    figure = Figure(figsize=(15, 5.2), layout="constrained")
    figure.suptitle(f"Position embeddings on a finer grid ({stand_in})", fontsize=13)
    left, right = figure.subfigures(1, 2, width_ratios=(2, 1))
    maps = left.subplots(1, len(positions))
    cosines = {what: similar_to(*vectors) for what, vectors in positions.items()}
    lowest = min(values.min() for values in cosines.values())
    for axes, (what, values) in zip(maps, cosines.items(), strict=True):
        picture = axes.imshow(values, cmap="viridis", vmin=lowest, vmax=1)
        row, column = divmod(positions[what][1], values.shape[1])
        axes.plot(column, row, "o", color="white", markersize=5, markeredgecolor="black")
        axes.set(xticks=[], yticks=[])
        axes.set_title(what, fontsize=11)
    left.colorbar(
        picture,
        ax=list(maps),
        location="bottom",
        shrink=0.5,
        aspect=40,
        label="cosine similarity with the white dot's place",
    )
    axes = right.subplots()
    colours = dict(zip(dict.fromkeys(name.split(", ")[0] for name in errors), look.SERIES, strict=False))
    for name, values in errors.items():
        how, where = name.split(", ")
        style = "o-" if where == "inside" else ":"
        axes.plot(lengths, 100 * np.asarray(values), style, color=colours[how], label=name, ms=4, lw=1.8)
    axes.set(xscale="log", yscale="log")
    ticks = [length for length in (2, 4, 8, 16, 32, 64) if min(lengths) <= length <= max(lengths)]
    look.tidy(axes, title="error of the interpolated positions", xlabel="wavelength, in patches of the coarse grid",
              ylabel="% of the positions' size")  # fmt: skip
    axes.minorticks_off()
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.yaxis.set_major_formatter("{x:g}")
    axes.legend(frameon=False, fontsize=9, loc="lower left")
    look.save(figure, path)


def similar_to(vectors, place):
    """(side, side): cosines between the vector of one place and those of all."""
    side = round(len(vectors) ** 0.5)
    directions = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)  # (side * side, D)
    return (directions @ directions[place]).reshape(side, side)
