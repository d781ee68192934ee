"""Attention step by step: its matrices, what single patches look at, and what the scale is for (figures H and J)."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from vitkeras.plots import look
from vitkeras.plots.look import RIGHT, WRONG

OUTLINE = [withStroke(linewidth=2, foreground="black")]
FRAMES = ("#ff5252", "#ffb300", "#ff6ec7")  # bright: they lie on black, and on the dark end of viridis


def queries_keys_and_maps(projections, weights, data, path, label):
    """Q, K and V side by side, each with its heads; below, the attention map of each head.

    projections: {"Q": (tokens, heads * width of a head), …}; weights: (heads, tokens, tokens)
    """
    heads, tokens, _ = weights.shape
    figure = Figure(figsize=(12, 5.9), layout="constrained")
    figure.get_layout_engine().set(h_pad=0.1)
    figure.suptitle(f"{data.title}, {label}: from Q, K and V to {heads} attention maps", fontsize=14)
    above, below = figure.subfigures(2, 1, height_ratios=(1, 1.7))

    grid = above.subplots(1, len(projections))
    strongest = max(np.abs(matrix).max() for matrix in projections.values())
    for axes, (name, matrix) in zip(grid, projections.items(), strict=True):
        picture = axes.imshow(matrix, cmap="RdBu_r", vmin=-strongest, vmax=strongest, aspect="auto")
        width = matrix.shape[1] // heads
        axes.vlines([head * width - 0.5 for head in range(1, heads)], -0.5, tokens - 0.5, "black", linewidth=1.5)
        axes.set(
            xticks=[(head + 0.5) * width - 0.5 for head in range(heads)],
            xticklabels=[f"head {h}" for h in range(heads)],
        )
        axes.set(yticks=range(0, tokens, 5), title=f"{name}: {tokens} × {matrix.shape[1]}")
        axes.tick_params(axis="x", length=0)
    grid[0].set_ylabel("patch")
    above.colorbar(picture, ax=grid, pad=0.01)

    grid = below.subplots(1, heads)
    for head, axes in enumerate(grid):
        picture = axes.imshow(weights[head], cmap="viridis", vmin=0, vmax=weights.max())
        axes.set(title=f"head {head}: softmax, {tokens} × {tokens}", xlabel="patch looked at")
        axes.set(xticks=range(0, tokens, 5), yticks=range(0, tokens, 5))
    grid[0].set_ylabel("patch that looks")
    below.colorbar(picture, ax=grid, pad=0.01)
    look.save(figure, path)


def looking_patch(image, weights, patch_size, looking, framed, data, path, label):
    """What one patch looks at, head by head, laid out as the patches lie in the image; some patches are framed.

    weights: (heads, patches, patches); `looking` is the patch's number, `framed` are the numbers to point out
    """
    heads = len(weights)
    rows, columns = image.shape[0] // patch_size, image.shape[1] // patch_size
    figure = Figure(figsize=(2.6 * (heads + 1) + 0.6, 3.2), layout="constrained")
    figure.suptitle(f"{data.title}, {label}: what patch {looking} looks at", fontsize=14)
    grid = figure.subplots(1, heads + 1)
    look.show(grid[0], image)
    point_out(grid[0], framed, columns, patch_size)
    grid[0].set_title("the patches in view")
    for head, axes in enumerate(grid[1:]):
        seen = weights[head, looking].reshape(rows, columns)
        picture = axes.imshow(seen, cmap="viridis", vmin=0, vmax=weights[:, looking].max())
        point_out(axes, framed, columns, 1)
        axes.set(title=f"head {head}", xticks=[], yticks=[])
    figure.colorbar(picture, ax=grid[1:], pad=0.01, label="weight")
    look.save(figure, path)


def point_out(axes, numbers, columns, side):
    """Frame and number these patches, where each is `side` wide on the axes."""
    for number, colour in zip(numbers, FRAMES, strict=False):
        row, column = divmod(number, columns)
        x, y = column * side - 0.5, row * side - 0.5
        inset = side / 20
        axes.add_patch(
            Rectangle(
                (x + inset, y + inset), side - 2 * inset, side - 2 * inset, fill=False, color=colour, linewidth=2.5
            )
        )
        axes.text(
            x + 2 * inset,
            y + 2 * inset,
            f"{number}",
            color=colour,
            ha="left",
            va="top",
            weight="bold",
            path_effects=OUTLINE,
        )


def softmax_and_scale(widths, measured, path):
    """How sharp a softmax is, and how much gradient it lets through, against the width of a head.

    measured: {"what goes into the softmax": for each width (largest weight, entropy in bits, norm of the Jacobian)}
    """
    panels = ("largest weight (mean)", "entropy in bits (mean)", "norm of the Jacobian (median)")
    figure = Figure(figsize=(12, 3.9), layout="constrained")
    figure.get_layout_engine().set(h_pad=0.1)
    figure.suptitle("softmax of the products of random vectors q and k: what the division by √d is for", fontsize=14)
    for column, (axes, title) in enumerate(zip(figure.subplots(1, len(panels)), panels, strict=True)):
        for (scores, rows), colour in zip(measured.items(), (WRONG, RIGHT), strict=True):
            axes.plot(widths, [row[column] for row in rows], marker="o", color=colour, label=f"softmax of {scores}")
        axes.set_xscale("log", base=2)
        look.tidy(axes, title=title, xlabel="d, the width of a head", xticks=widths, xticklabels=widths)
        axes.set_ylim(bottom=0)
    figure.axes[0].legend(frameon=False)
    look.save(figure, path)
