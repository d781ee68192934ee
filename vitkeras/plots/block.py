"""The encoder's block with its equations, and what reads the tokens that leave it."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from vitkeras.plots import look
from vitkeras.plots.comparison import dots_on

# As in the lecture's figure F: yellow encoder, red attention, magenta MLP.
NORM, ATTENTION, MLP, EMBEDDING, TOKEN = "#dce8f5", "#f6b8b0", "#e3c4ef", "#fff2a8", "#b7e1a1"
LINE, GREY = "#444444", "#666666"


def encoder_block(image, data, path, patch_size=7):
    """The paper's figure 1 for one digit, from its patches at the bottom up to y, with equation and code beside it."""
    figure = Figure(figsize=(12, 8.6))
    axes = figure.add_axes([0, 0, 1, 1])
    axes.set(xlim=(0, 24), ylim=(0, 17.2))
    axes.axis("off")
    axes.text(0.5, 16.5, f"The encoder, equation by equation ({data.title})", fontsize=15, va="center")

    middle = 5.6
    draw_patches(figure, axes, image, patch_size)
    boxes = [
        (2.9, "patches · E,  class token in front,  + positions", EMBEDDING),
        (5.0, "LayerNorm", NORM), (6.4, "Multi-head attention", ATTENTION),
        (9.2, "LayerNorm", NORM), (10.6, "MLP: Dense, GELU, Dense", MLP),
        (14.2, "LayerNorm of the class token", NORM),
    ]  # fmt: skip
    for y, text, colour in boxes:
        box(axes, middle, y, text, colour)
    for y in (7.8, 12.0):
        axes.text(middle, y, "+", fontsize=17, ha="center", va="center", bbox={"boxstyle": "circle", "fc": "white"})
    for low, high in ((1.75, 2.4), (3.4, 4.5), (5.5, 5.9), (6.9, 7.35), (8.25, 8.7), (9.7, 10.1), (11.1, 11.55),
                      (12.45, 13.7), (14.7, 15.3)):  # fmt: skip
        arrow(axes, [(middle, low), (middle, high)])
    for low, high in ((4.1, 7.8), (8.48, 12.0)):  # the skip connections, around what they skip
        arrow(axes, [(middle, low), (10.3, low), (10.3, high), (middle + 0.5, high)])
        axes.text(10.5, (low + high) / 2, "skip", fontsize=10, va="center", color=GREY)
    axes.text(middle, 15.65, "y", fontsize=14, ha="center", va="center", style="italic")
    frame = FancyBboxPatch(
        (0.5, 3.75),
        11.2,
        9.0,
        boxstyle="round,pad=0,rounding_size=0.2",
        fill=False,
        edgecolor=look.WRONG,
        linewidth=1.6,
    )
    axes.add_patch(frame)
    axes.text(0.75, 12.4, "× L", fontsize=14, color=look.WRONG, va="center", weight="bold")

    explain(axes, 2.9, r"(1)  $z_0 = [x_{class};\; x_p^1E;\; …;\; x_p^NE] + E_{pos}$",
            "z0 = positions(class_token(projection(patches)))", "(batch, 17, 64)")  # fmt: skip
    explain(axes, 6.4, r"(2)  $z'_\ell = \mathrm{MSA}(\mathrm{LN}(z_{\ell-1})) + z_{\ell-1}$",
            "z_prime = attention(norm_1(z0), norm_1(z0)) + z0",
            "(batch, 17, 64): tokens look at each other")  # fmt: skip
    explain(axes, 10.6, r"(3)  $z_\ell = \mathrm{MLP}(\mathrm{LN}(z'_\ell)) + z'_\ell$",
            "z1 = mlp_out(mlp_in(norm_2(z_prime))) + z_prime", "(batch, 17, 64): each token by itself")  # fmt: skip
    explain(axes, 14.2, r"(4)  $y = \mathrm{LN}(z_L^0)$", "y = norm_out(z1[:, 0])", "(batch, 64)")
    look.save(figure, path)


def draw_patches(figure, axes, image, p):
    """The digit's patches in a row, at the bottom."""
    height, width, _ = image.shape
    patches = image[..., 0].reshape(height // p, p, width // p, p).swapaxes(1, 2).reshape(-1, p, p)
    step = 10.2 / len(patches)
    for i, patch in enumerate(patches):
        axes.imshow(patch, cmap="gray", vmin=0, vmax=1, extent=(0.55 + i * step, 0.55 + (i + 0.88) * step, 1.05, 1.62))
    axes.set(xlim=(0, 24), ylim=(0, 17.2), aspect="auto")
    axes.text(5.6, 0.6, f"the {len(patches)} patches of a digit", fontsize=10.5, ha="center", va="center", color=GREY)


def box(axes, x, y, text, colour, width=8.0):
    shape = FancyBboxPatch(
        (x - width / 2, y - 0.5), width, 1.0, boxstyle="round,pad=0,rounding_size=0.2", facecolor=colour,
        edgecolor=LINE, linewidth=0.9,
    )  # fmt: skip
    axes.add_patch(shape)
    axes.text(x, y, text, fontsize=11.5, ha="center", va="center")


def arrow(axes, corners):
    axes.plot(*zip(*corners[:-1], strict=True), color=GREY, lw=1.1, solid_joinstyle="round")
    axes.annotate("", corners[-1], corners[-2], arrowprops={"arrowstyle": "-|>", "color": GREY, "lw": 1.1,
                                                            "shrinkA": 0, "shrinkB": 0})  # fmt: skip


def explain(axes, y, equation, code, shape):
    axes.text(12.4, y + 0.62, equation, fontsize=15, va="center")
    axes.text(13.25, y - 0.22, code, fontsize=10.5, va="center", family="monospace", color=look.TRAIN)
    axes.text(13.25, y - 0.85, shape, fontsize=10.5, va="center", color=GREY)


def readouts(accuracies, heads, data, path):
    """Which tokens each read-out sees, by shade; and the test accuracy of each seed beside it.

    accuracies: {read-out: one a seed};  heads: {read-out: parameters of its head}
    """
    figure = Figure(figsize=(11.5, 4.2))
    left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
    left.set(xlim=(-0.4, 17.2), ylim=(len(accuracies) - 0.4, -0.75), title="what the head sees of the tokens")
    left.axis("off")
    for row, name in enumerate(accuracies):
        for place in range(0 if name == "class token" else 1, 17):
            seen = place == 0 or name != "class token"
            face = (EMBEDDING if place == 0 else TOKEN) if seen else "white"
            left.add_patch(FancyBboxPatch((place + 0.08, row - 0.13), 0.84, 0.36, boxstyle="square,pad=0",
                                          facecolor=face, edgecolor=LINE if seen else "#bbbbbb"))  # fmt: skip
            if seen and name == "flatten":
                left.text(place + 0.5, row + 0.05, f"{place}", ha="center", va="center", fontsize=8.5)
        say = {"class token": "the first one", "average": "the mean of all", "flatten": "each, at its place"}[name]
        left.text(0, row - 0.32, f"{name}: {say}, {heads[name]:,} parameters", fontsize=11, va="center")

    count = len(next(iter(accuracies.values())))
    percent = {name: 100 * np.array(values) for name, values in accuracies.items()}
    title = f"a dot a seed ({count}), a line the mean" if count > 1 else "one seed"
    dots_on(right, percent, "{:.2f}%", title=title, xlabel="test accuracy, %")
    right.margins(x=0.15)
    figure.suptitle(f"Three read-outs: {data.title}")
    figure.tight_layout()
    look.save(figure, path)
