"""A photo beside what a classifier says of it, and under what it has looked at."""

import numpy as np
from matplotlib.figure import Figure

from vitkeras import attention
from vitkeras.plots import look
from vitkeras.plots.look import SERIES


def photo_and_bars(photo, guesses, title, path):
    """The photo, and a bar for each of the likeliest classes.

    photo: uint8 (height, width, 3); guesses: [(name, index, probability)], the likeliest first
    """
    figure = Figure(figsize=(9, 0.42 * max(len(guesses), 6) + 1.2), layout="constrained")
    figure.suptitle(look.literal(title), fontsize=13)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.6))
    step = max(1, max(photo.shape) // 800)  # a picture of a photo needs no more pixels
    left.imshow(photo[::step, ::step])
    left.axis("off")
    places = np.arange(len(guesses))[::-1]
    shares = [100 * guess.probability for guess in guesses]
    right.barh(places, shares, color=SERIES[0])
    for place, share in zip(places, shares, strict=True):
        right.text(share + 1, place, f"{share:.1f}%", va="center", fontsize=9)
    right.set_yticks(places, [look.literal(f"{guess.name} ({guess.index})") for guess in guesses])
    look.tidy(right, xlabel="probability in %", xlim=(0, 112), xticks=range(0, 101, 20))
    right.grid(axis="y", visible=False)
    look.save(figure, path)


def looked_at(photo, weights, grid, title, path, heads=False):
    """The photo, what the last layer looks at (mean of its heads), and the rollout through all layers.

    Where there is a class token, it is the one that looks; else all tokens, on average.

    photo: uint8 (height, width, 3); weights: (layers, 1, heads, tokens, tokens), or a list of layers
    heads: each head of the last layer in a picture of its own, below
    """
    last = weights[-1][0]  # (heads, tokens, tokens)
    maps = {
        "the photo, as the model sees it": None,
        "last layer, mean of its heads": attention.heat(last.mean(0), grid),
        "rollout through all layers": attention.heat(attention.rollout(weights)[0], grid),
    }
    if heads:
        maps |= {f"last layer, head {head}": attention.heat(last[head], grid) for head in range(len(last))}
    columns = 3 if len(maps) <= 6 else 4 if len(maps) <= 8 else 5
    rows = -(-len(maps) // columns)
    figure = Figure(figsize=(3.1 * columns, 2.75 * rows + 0.6), layout="constrained")
    figure.suptitle(look.literal(title), fontsize=13)
    axes_grid = figure.subplots(rows, columns, squeeze=False)
    for axes in axes_grid.flat:
        axes.axis("off")
    for axes, (name, heat) in zip(axes_grid.flat, maps.items(), strict=False):
        axes.set_title(name, fontsize=10)
        axes.imshow(photo)
        if heat is not None:
            height, width = photo.shape[:2]
            picture = axes.imshow(
                heat, cmap="inferno", alpha=0.65, vmin=0, interpolation="nearest",
                extent=(-0.5, width - 0.5, height - 0.5, -0.5),
            )  # fmt: skip
            bar = figure.colorbar(picture, ax=axes, shrink=0.7, format=lambda share, _: f"{100 * share:.1f}%")
            bar.ax.tick_params(labelsize=7)
    look.save(figure, path)


def prepared(pictures, data, path):
    """One picture as different models get it. pictures: {whose way: uint8 (height, width, 3)}"""
    figure = Figure(figsize=(3 * len(pictures), 3.4), layout="constrained")
    figure.suptitle(f"Before the model ({data.title})", fontsize=13)
    for axes, (name, picture) in zip(figure.subplots(1, len(pictures)), pictures.items(), strict=True):
        axes.imshow(picture)
        height, width = picture.shape[:2]
        axes.set_title(f"{name}\n{width} x {height}", fontsize=10)
        axes.axis("off")
    look.save(figure, path)
