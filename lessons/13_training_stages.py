"""13_training_stages: what the name of a ViT tells, what each variant costs, and how one is taken to larger images.

Text 002 takes the letter of a name for a stage of training: B for pre-trained on ImageNet-21k, L for fine-tuned on
ImageNet-2012 after that. The two stages are as it says, and so is the number, the side of a patch in pixels. But the
letters are sizes, Base and Large, and models of both sizes go through both stages. Here the stages are drawn, the
variants counted and measured, and the step that needs care is done: position embeddings for larger images.

Source:  text 002, "Architectures used" and "Training stages"; paper, table 1, sections 3.2 and 4.1

Run:     python lessons/13_training_stages.py              four whole models are measured: some 4 GB of memory
         python lessons/13_training_stages.py --quick      what is measured has two blocks

Expect:  B/16 at 224 x 224: 197 tokens, 17.56 billion multiply-adds; B/32: 50 tokens, 3.98 times fewer; B/16 at
         384 x 384: 577 tokens, 3.16 times as many. So by formula, and exactly so in the graphs of KerasHub's models
"""

# %% Options come first: --help and mistakes are answered before TensorFlow is loaded
from vitkeras.errors import Misuse
from vitkeras.options import lesson_options

VARIANTS = {f"{size}/{patch} at {side}": (size, patch, side) for size in "BL" for patch in (16, 32)
            for side in (224, 384)}  # fmt: skip
VARIANTS |= {f"H/14 at {side}": ("H", 14, side) for side in (224, 518)}  # no 384, which is no multiple of 14
WHOLE = ("B/16 at 224", "B/32 at 224", "B/16 at 384", "L/16 at 224")  # measured from end to end
ROUNDS = 7
CLASSES = 1000  # of ImageNet-2012

options = lesson_options("13_training_stages", __doc__)

# %% The data: one digit, which stands for the photographs in the picture of the stages
from vitkeras import datasets

data = datasets.load("mnist", options.data, stand_in=True)
print(data.describe())
few_blocks = None
if options.quick:
    VARIANTS = {name: VARIANTS[name] for name in WHOLE[:3]}
    WHOLE, ROUNDS, few_blocks = WHOLE[:1], 3, 2
    print("quick: in the graphs and under the clock a model has 2 of its 12 blocks, so the times say little")

# %% The machine
import os

from vitkeras import machine

os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # a GPU's memory is shared with the processes below
device = machine.prepare(options.seed, options.device, options.precision, options.devices)

import keras
import keras_hub
import numpy as np

from vitkeras import plots, position_grids, runs
from vitkeras.benchmark import measuring, variants
from vitkeras.models import PAPER_SIZES

settings = {"variants": VARIANTS, "whole": WHOLE, "rounds": ROUNDS, "few_blocks": few_blocks}
run = runs.open_run(options, settings, data, device)


# %% By hand: the weights of a ViT, and its multiplications for one image. Nothing here asks how it was trained
def tokens_of(patch, side):
    return (side // patch) ** 2 + 1  # and the class token


def parameters_of(name, patch, side, blocks=None):
    size, n = PAPER_SIZES[name], tokens_of(patch, side)
    d, m = size.width, size.mlp_dim
    block = 4 * (d * d + d) + (d * m + m + m * d + d) + 2 * 2 * d  # Q, K, V and output; MLP; two LayerNorms
    return {
        "patch embedding": 3 * patch**2 * d + d,
        "class token, positions": d + n * d,
        "encoder": (blocks or size.blocks) * block + 2 * d,
    }


def multiply_adds_of(name, patch, side, blocks=None):
    size, n = PAPER_SIZES[name], tokens_of(patch, side)
    d, blocks = size.width, blocks or size.blocks
    return {
        "patch embedding": (n - 1) * 3 * patch**2 * d,
        "scores and mix": blocks * 2 * n * n * d,  # all that grows with the square of n
        "projections and MLP": blocks * (4 * n * d * d + 2 * n * d * size.mlp_dim),
    }


# %% The letter and the stage: KerasHub's names tell both, vit_base_patch16_224_imagenet21k
LETTERS = {"base": "B", "large": "L", "huge": "H"}
STAGES = {"imagenet21k": "pre-trained", "imagenet": "fine-tuned"}
presets_agree = True
print(f"\n{'preset of KerasHub':37}{'size':>5}{'stage':>13}{'tokens':>8}{'parameters':>14}{'by hand':>14}")
for name, preset in keras_hub.models.ViTBackbone.presets.items():
    _, word, patch, side, trained_on = name.split("_")
    letter, patch, side = LETTERS[word], int(patch.removeprefix("patch")), int(side)
    published, by_hand = preset["metadata"]["params"], sum(parameters_of(letter, patch, side).values())
    presets_agree &= published == by_hand
    about = f"{letter:>5}{STAGES[trained_on]:>13}{tokens_of(patch, side):>8}"
    print(f"{name:37}{about}{published:>14,}{by_hand:>14,}")
print(f"published and by hand {'all equal' if presets_agree else 'NOT all equal'}; B and L are there in both stages")

# %% The stages. Fine-tuning begins with all that was learned, but for the head: that is D x K zeros
base = PAPER_SIZES["B"]
print(f"\nB's new head: {base.width} x {CLASSES} zeros and {CLASSES} biases: {(base.width + 1) * CLASSES:,} parameters")
print(f"each class gets 1/{CLASSES} at first, so the loss begins at ln {CLASSES} = {np.log(CLASSES):.2f}")
digit = data.x_test[data.y_test == 5][0]  # (28, 28, 1)
plots.training_stages(digit, "ViT-B/16", base, 16, (224, 384), CLASSES, data, run.path("stages.png"))

# %% The variants, by hand and in the graphs of KerasHub's models: those are what its presets load
# Inside a stateless scope Keras makes no weights, only shapes, so that Huge needs no memory.
print(f"\n{'':11}{'tokens':>8}{'parameters':>14}{'weights':>10}{'multiply-adds':>16}{'N² part':>10}   graph")
counts = {}
for name, what in VARIANTS.items():
    with keras.StatelessScope(initialize_variables=False):
        model = variants.backbone(*what, few_blocks)
        in_graph = model.count_params(), variants.multiply_adds(variants.on_one_image(model))
    equal = in_graph == tuple(sum(f(*what, few_blocks).values()) for f in (parameters_of, multiply_adds_of))
    parameters, costs, tokens = parameters_of(*what), multiply_adds_of(*what), tokens_of(*what[1:])
    weights, cost = sum(parameters.values()), sum(costs.values())
    counts[name] = {"tokens": tokens, "parameters": weights, "parameters of": parameters,
                    "multiply-adds": cost, "multiply-adds of": costs, "graph equal": equal}  # fmt: skip
    shown = f"{4 * weights / 2**20:7.0f} MB{cost / 1e9:14.2f} G{costs['scores and mix'] / cost:10.1%}"
    print(f"{name:11}{tokens:8}{weights:14,}{shown}   {'equal' if equal else 'NOT equal'}")
keras.utils.clear_session()

# %% What small patches cost. What they buy is accuracy: in the paper's table 5 each /16 is ahead of its /32 on ImageNet
coarse, fine, large = (counts[name] for name in ("B/32 at 224", "B/16 at 224", "B/16 at 384"))
rows = {"patches": lambda c: c["tokens"] - 1, "tokens": lambda c: c["tokens"], "scores": lambda c: c["tokens"] ** 2}
for kind in ("parameters", "multiply-adds"):
    rows[kind] = lambda c, kind=kind: c[kind]
    rows |= {f"{kind}: {part}": lambda c, kind=kind, part=part: c[f"{kind} of"][part] for part in fine[f"{kind} of"]}
print(f"\n{'at 224 x 224':36}{'B/32':>15}{'B/16':>16}")
for what, number in rows.items():
    before, after = number(coarse), number(fine)
    print(f"{what:36}{before:>15,}{after:>16,}{after / before:8.2f} times")

# %% Measured, on random weights: the clock does not care. All blocks of a model are equal, so one of them is enough;
# a few whole models, each in a process of its own, show whether that is true, and how much memory they take.
for part in run.parts(measured=("one block", "whole models")):
    if part.choice["measured"] == "one block":
        steps = {}
        for name, what in VARIANTS.items():
            of_this = variants.pieces(variants.backbone(*what, blocks=1))
            steps |= {f"{name}, {piece}": step for piece, step in of_this.items()}
        part.finish(milliseconds=measuring.in_turn(steps, ROUNDS))
    else:
        models = {name: (*VARIANTS[name], few_blocks or PAPER_SIZES[VARIANTS[name][0]].blocks) for name in WHOLE}
        on = "gpu" if "GPU" in device["device"] else "cpu"
        part.finish(models=variants.whole_models(models, ROUNDS, on, device["precision"]))
pieces, whole = run.rows[0]["milliseconds"], run.rows[1]["models"]


def told(times):
    return f"{np.median(times):.1f} ({min(times):.1f} to {max(times):.1f})"


print(f"\nmilliseconds for one image, median of {ROUNDS} (range); megabytes above what Python and TensorFlow take.")
print("ratio: embedding and blocks to the whole model, both in its process and round by round")
print(f"{'':11}{'one block':>26}{'blocks':>8}{'embedding and blocks':>23}{'whole':>29}{'ratio':>9}{'peak':>11}")
for name, what in VARIANTS.items():
    blocks = few_blocks or PAPER_SIZES[what[0]].blocks
    block, embedding = (np.array(pieces[f"{name}, {piece}"]) for piece in ("block", "embedding"))
    counts[name]["milliseconds"] = float(np.median(embedding + blocks * block))
    line = f"{name:11}{told(block):>26}{blocks:8}{counts[name]['milliseconds']:23.1f}"
    if name in whole:
        peak, times = whole[name]["megabytes"], whole[name]["milliseconds"]
        line += f"{told(times):>29}{np.median(np.divide(whole[name]['of_pieces'], times)):9.2f}"
        line += f"{'unknown' if peak is None else f'{peak:.0f} MB':>11}"
    print(line)

# %% Positions for a finer grid: known at the centres of 14 x 14 patches, and wanted at those of 24 x 24
# No weights trained on ImageNet are at hand, so waves stand in for learned positions: sines and cosines of a patch's
# place in the image. They have a value at every place, so that what is interpolated can be held against what is true.
GRID, FINER = (14, 14), (24, 24)
LENGTHS = np.geomspace(2.5, 40, 16)  # wavelengths, in patches of the coarse grid


def waves(side):
    centres = (np.arange(side) + 0.5) * GRID[0] / side  # (side,): in coarse patches
    angles = 2 * np.pi * centres[:, None] / LENGTHS  # (side, 16)
    along = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)  # (side, 32)
    return np.concatenate([np.repeat(along, side, axis=0), np.tile(along, (side, 1))], axis=1)  # (side * side, 64)


learned, true = waves(14), waves(24)  # (196, 64), (576, 64)
made, errors = {}, {}
print(f"\npositions {learned.shape} -> {true.shape}; error as a share of their size, at wavelengths in patches")
print(f"{'':29}{'all':>9}" + "".join(f"{length:9.1f}" for length in LENGTHS[::3]))
for how in position_grids.KERNELS:
    made[how] = position_grids.resized(learned, GRID, FINER, tokens_before=0, interpolation=how)  # (576, 64)
    off = ((made[how] - true) ** 2).reshape(*FINER, 4, len(LENGTHS))  # (24, 24, 4, 16)
    # Three places in from the border, all samples are there that a cubic asks for.
    for where, places in (("everywhere", off), ("inside", off[3:-3, 3:-3])):
        errors[f"{how}, {where}"] = np.sqrt(places.mean((0, 1, 2)) / 0.5)  # (16,): the mean square of a wave is 0.5
        figures = [np.sqrt(places.mean() / 0.5), *errors[f"{how}, {where}"][::3]]
        print(f"{how + ', ' + where:29}" + "".join(f"{figure:9.3%}" for figure in figures))
patch = 4 * 14 + 9, 7 * 24 + 16  # row 4, column 9 of the coarse grid, and where that is in the finer one
plots.finer_grid(
    {"14 × 14, as learned": (learned, patch[0]), "24 × 24, bicubic": (made["bicubic"], patch[1]),
     "24 × 24, the true ones": (true, patch[1])},
    errors, LENGTHS, "waves stand in for learned ones", run.path("positions.png"),
)  # fmt: skip

# %% A whole backbone at another resolution: positions interpolated, all other weights the same. Here a tiny one
tiny = keras_hub.models.ViTBackbone((224, 224, 3), 16, num_layers=2, num_heads=4, hidden_dim=64, mlp_dim=256)
larger = position_grids.with_resolution(tiny, 384)
same = sum(np.array_equal(a, b) for a, b in zip(tiny.get_weights(), larger.get_weights(), strict=True))
print(
    f"\nat 224: {tiny.output.shape}, at 384: {larger.output.shape}; {same} of {len(tiny.weights)} weights are the same"
)
try:
    position_grids.with_resolution(tiny, 380)
except Misuse as refusal:
    print(f"at 380: {refusal}")

# %% Questions to think about
# 1. From B/32 to B/16 the scores grow 15.5-fold and the multiply-adds not even 4-fold. Which would make the scores
#    count for more, a wider model or larger images? Put one of each into VARIANTS and look at the N² part.
# 2. A head of zeros lets no gradient through. Which weights change in the first step, and what changes in the second?
# 3. Take positions from 14 x 14 to 24 x 24 and back. What is lost, at which wavelengths, and by which interpolation?

# %% The number to check
fewer, more = (a["multiply-adds"] / b["multiply-adds"] for a, b in ((fine, coarse), (large, fine)))
run.finish(
    answer=f"B/16 at 224 x 224: {fine['tokens']} tokens, {fine['multiply-adds'] / 1e9:.2f} billion multiply-adds; "
    f"B/32: {coarse['tokens']} tokens, {fewer:.2f} times fewer; "
    f"B/16 at 384 x 384: {large['tokens']} tokens, {more:.2f} times as many",
    counts=counts,
    presets_agree=presets_agree,
    errors={how: values.tolist() for how, values in errors.items()},
)
