"""Attention weights as pictures: as matrices, over the image, as arrows, and as distances."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle

from vitkeras.plots import look
from vitkeras.plots.look import SERIES


def attention_maps(weights, title, data, path):
    """All maps of one image: a row for each layer, a column for each head, in each (tokens, tokens).

    weights: (layers, heads, tokens, tokens)
    """
    layers, heads, tokens, _ = weights.shape
    figure, grid = sheet(layers, heads, f"{data.title}: {title}")
    for (layer, head), axes in np.ndenumerate(grid):
        picture = axes.imshow(weights[layer, head], cmap="magma", vmin=0, vmax=weights.max())
        ticks = range(0, tokens, 5)
        axes.set(xticks=ticks if layer == layers - 1 else [], yticks=ticks if head == 0 else [])
        name(axes, layer, head)
    figure.supxlabel("patch that is looked at")
    figure.supylabel("patch that looks")
    figure.colorbar(picture, ax=grid, shrink=0.7, label="attention weight (each row sums to 1)")
    look.save(figure, path)


def attention_of_heads(image, heat, title, data, path):
    """How much each patch is looked at, over the image: a row for each layer, a column for each head.

    image: (height, width, channels); heat: (layers, heads, rows, columns)
    """
    layers, heads = heat.shape[:2]
    figure, grid = sheet(layers, heads, f"{data.title}: {title}")
    for (layer, head), axes in np.ndenumerate(grid):
        picture = over(axes, image, heat[layer, head], heat.max())
        name(axes, layer, head)
    figure.colorbar(picture, ax=grid, shrink=0.7, label="share of all looks that this patch gets")
    look.save(figure, path)


def attention_over(images, heat, names, title, data, path, columns=5):
    """One heat map over each of several images.

    images: (images, height, width, channels); heat: (images, rows, columns); names: what to write above each
    """
    rows = -(-len(images) // columns)
    figure, grid = sheet(rows, columns, f"{data.title}: {title}")
    for axes in grid.flat[len(images) :]:
        axes.axis("off")
    for axes, image, shares, text in zip(grid.flat, images, heat, names, strict=False):
        picture = over(axes, image, shares, heat.max())
        axes.set_title(text, fontsize=10)
    figure.colorbar(picture, ax=grid, shrink=0.8, label="share of the patch")
    look.save(figure, path)


def looks(image, weights, patches, grid, title, data, path, most=3):
    """From each of some patches, arrows to those that it looks at most: a row for each patch, a column for each head.

    image: (height, width, channels); weights: (heads, patches, patches); `grid` is (rows, columns) of the patches
    """
    heads = len(weights)
    figure, axes_grid = sheet(len(patches), heads, f"{data.title}: {title}")
    height, width = image.shape[0] / grid[0], image.shape[1] / grid[1]
    centres = np.array([((c + 0.5) * width - 0.5, (r + 0.5) * height - 0.5) for r, c in np.ndindex(*grid)])
    for (row, head), axes in np.ndenumerate(axes_grid):
        patch = patches[row]
        shares = weights[head, patch]
        picture = over(axes, image, shares.reshape(grid), weights[:, patches].max())
        corner = centres[patch] - (width / 2, height / 2)
        axes.add_patch(Rectangle(corner, width, height, fill=False, edgecolor=SERIES[1], linewidth=2.5))
        for target in np.argsort(-shares, kind="stable")[:most]:
            label = f"{100 * shares[target]:.0f}%"
            if target != patch:
                axes.add_patch(
                    FancyArrowPatch(
                        centres[patch], centres[target], arrowstyle="-|>", mutation_scale=12, shrinkA=0, shrinkB=6,
                        color=SERIES[1], linewidth=1 + 5 * shares[target],
                    )
                )  # fmt: skip
            # At the far side of the patch, clear of the arrow's head.
            above = target // grid[1] <= patch // grid[1] and target != patch
            place = centres[target] + (0, (height / 2 - 0.4) * (-1 if above else 1))
            axes.text(
                *place, label, ha="center", va="top" if above else "bottom", fontsize=8, color="black",
                bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.85},
            )  # fmt: skip
        axes.set_title(f"patch {patch}, head {head}", fontsize=10)
    figure.colorbar(picture, ax=axes_grid, shrink=0.7, label="weight that the marked patch gives")
    look.save(figure, path)


def mean_distances(pixels, even, data, path):
    """How far each head looks, over the layers (the paper's figure 7, right). `even`: if it looked at all alike.

    pixels: (layers, heads)
    """
    figure = Figure(figsize=(6, 4.2))
    axes = figure.subplots()
    heads = len(pixels[0])
    for head, column in enumerate(np.transpose(pixels)):
        aside = 0.08 * (head - (heads - 1) / 2)  # so that no dot hides another
        axes.plot(
            np.arange(1, len(column) + 1) + aside, column, "o", color=SERIES[head % len(SERIES)],
            label=f"head {head}",
        )  # fmt: skip
    axes.axhline(even, color="black", linestyle="--", linewidth=1)
    axes.annotate(
        "looking at all patches alike", (0.99, even), xycoords=("axes fraction", "data"), xytext=(0, 4),
        textcoords="offset points", ha="right", fontsize=9,
    )  # fmt: skip
    look.tidy(axes, title=f"How far heads look: {data.title}", xlabel="layer", ylabel="mean distance in pixels")
    axes.set(xticks=range(1, len(pixels) + 1), ylim=(0, 1.15 * max(even, np.max(pixels))))
    axes.legend(frameon=False, ncols=4, loc="lower center")
    look.save(figure, path)


def covering(counts, accuracies, patches, data, path):
    """Accuracy over the number of patches that were painted over: {which patches: one accuracy for each count}."""
    figure = Figure(figsize=(6.6, 4.4))
    axes = figure.subplots()
    for colour, (which, values) in zip(SERIES, accuracies.items(), strict=False):
        axes.plot(counts, 100 * np.asarray(values), ".-", color=colour, label=which)
    look.tidy(
        axes, title=f"Patches painted over: {data.title}", xlabel=f"patches painted over, of {patches}",
        ylabel="test images right, in %", xticks=counts, ylim=(0, 102),
    )  # fmt: skip
    axes.legend(frameon=False, title="painted over first:", alignment="left")
    look.save(figure, path)


def sheet(rows, columns, title):
    """A grid of axes for small pictures, as large as a slide takes them."""
    figure = Figure(figsize=(1.75 * columns + 1.6, 1.85 * rows + 0.8), layout="constrained")
    figure.suptitle(title, fontsize=13)
    return figure, figure.subplots(rows, columns, squeeze=False)


def name(axes, layer, head):
    axes.set_title(f"layer {layer + 1}, head {head}", fontsize=10)


def over(axes, image, shares, largest):
    """A number for each patch as colour, and the image's strokes as white lines on it: colours stay what they are."""
    height, width = image.shape[:2]
    picture = axes.imshow(
        shares, cmap="viridis", vmin=0, vmax=largest, extent=(-0.5, width - 0.5, height - 0.5, -0.5),
        interpolation="nearest",
    )  # fmt: skip
    grey = image.mean(-1)
    axes.contour(grey, levels=[grey.max() / 2], colors="white", linewidths=1.6)
    axes.set(xticks=[], yticks=[])
    return picture
