"""The block diagram of a model: by Graphviz where its `dot` is installed, by our own pen where it is not."""

import shutil

import keras
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from vitkeras.files import written_whole
from vitkeras.plots import look

# As in the lecture's figure F: green patches, yellow encoder, a red frame around what repeats.
COLOURS = {
    "InputLayer": "#eeeeee", "Patches": "#b7e1a1", "PatchEncoder": "#fff2a8", "MyMultiHeadAttention": "#f6b8b0",
    "MultiHeadAttention": "#f6b8b0", "Dense": "#e3c4ef", "Add": "#ffffff",
}  # fmt: skip
OTHER, FRAME, SKIP = "#dce8f5", "#c62828", "#555555"


def draw(model, path, dot=None):
    """Draw `model` into the PNG file `path`. `dot`: use Graphviz or not; by default, if it is there."""
    if not (shutil.which("dot") if dot is None else dot):
        look.save(our_diagram(model), path)
        return
    with written_whole(path) as temporary:
        try:
            keras.utils.plot_model(model, to_file=str(temporary), show_shapes=True, show_layer_names=False, dpi=80)
            by = "by Graphviz"
        except (ImportError, OSError, AssertionError) as fault:  # pydot asserts that dot succeeds
            reason = str(fault).strip().splitlines()[0] if str(fault).strip() else type(fault).__name__
            our_diagram(model).savefig(temporary, **look.LOOK)
            by = f"by ourselves, because dot does not work here: {reason}"
    look.told(path, f" ({by})")


def our_diagram(model):
    """One box a layer, from top to bottom; equal consecutive stretches are drawn once, framed, with their number."""
    rows = [row_of(layer, model.layers) for layer in model.layers]
    start, length, times = longest_repeat(rows)
    rows = rows[: start + length] + rows[start + length * times :]

    figure = Figure(figsize=(6.4, 0.52 * len(rows) + 0.4))
    axes = figure.add_axes([0, 0, 1, 1])
    axes.set(xlim=(-1.3, 11), ylim=(len(rows) - 0.4, -0.6))
    axes.axis("off")
    for i, (kind, details, shape, parents) in enumerate(rows):
        box = FancyBboxPatch(
            (0, i - 0.32), 6.6, 0.64, boxstyle="round,pad=0,rounding_size=0.12", facecolor=COLOURS.get(kind, OTHER),
            edgecolor="#444444", linewidth=0.8,
        )  # fmt: skip
        axes.add_patch(box)
        axes.text(0.25, i, kind, va="center", fontsize=9.5)
        axes.text(6.4, i, details, va="center", ha="right", fontsize=8.5, color="#444444")
        axes.text(6.9, i, shape, va="center", fontsize=8.5, color="#444444", family="monospace")
        for offset in parents:
            if offset == 1:
                route(axes, [(3.3, i - 0.68), (3.3, i - 0.32)])
            else:  # a skip connection, around the boxes that it skips
                route(axes, [(0, i - offset + 0.12), (-0.55, i - offset + 0.12), (-0.55, i - 0.12), (0, i - 0.12)])
    if times > 1:
        frame = FancyBboxPatch(
            (-1.05, start - 0.42), 10.6, length - 0.16, boxstyle="round,pad=0,rounding_size=0.15", fill=False,
            edgecolor=FRAME, linewidth=1.6,
        )  # fmt: skip
        axes.add_patch(frame)
        axes.text(9.75, start + length / 2 - 0.5, f"× {times}", color=FRAME, fontsize=15, va="center", weight="bold")
    return figure


def route(axes, corners):
    axes.plot(*zip(*corners, strict=True), color=SKIP, lw=0.9, solid_joinstyle="round")
    axes.annotate("", corners[-1], corners[-2], arrowprops={"arrowstyle": "-|>", "color": SKIP, "lw": 0.9})


def row_of(layer, layers):
    """What the box of a layer says: kind, settings, shape of the output; and how many rows above its inputs stand."""
    here = layers.index(layer)
    above = [tensor._keras_history.operation for tensor in keras.tree.flatten(layer.input)] if here else []
    offsets = tuple(sorted({here - layers.index(parent) for parent in above if parent is not layer}))
    shape = tuple(layer.output.shape[1:])
    return type(layer).__name__, details_of(layer), str(shape).replace(",)", ")"), offsets


def details_of(layer):
    config = layer.get_config()
    if "num_heads" in config:
        return f"{config['num_heads']} heads of {config['key_dim']}"
    if "patch_size" in config:
        return f"{config['patch_size']} × {config['patch_size']} pixels"
    if "rate" in config:
        return f"{config['rate']:g}"
    if "units" in config:
        return f"{config['units']}" + f", {config['activation']}" * (config["activation"] != "linear")
    return ""


def longest_repeat(rows):
    """(start, length, times) of the stretch whose copies, one after the other, cover most rows.

    >>> longest_repeat(list("xababaz"))
    (1, 2, 2)
    """
    best = (0, 0, 1)
    for length in range(1, len(rows) // 2 + 1):
        for start in range(len(rows) - 2 * length + 1):
            times = 1
            while rows[start + times * length :][:length] == rows[start:][:length]:
                times += 1
            if times > 1 and length * times > best[1] * best[2]:
                best = (start, length, times)
    return best
