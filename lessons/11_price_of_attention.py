"""11_price_of_attention: what N patches cost, counted and measured.

Attention compares each patch with each: N * N scores. So its price grows with the square of N, and that of everything
else in the block with N alone. Here the multiplications are counted, by formula and in the graph, and the time and the
memory are measured, from 16 tokens up to 2,304. Who pays more, and from which N on?

Source:  lecture, 5, item 3; paper, 4.1, "Model Variants"

Run:     python lessons/11_price_of_attention.py                 three sweeps over all N
         python lessons/11_price_of_attention.py --width 128     wider tokens: the crossing moves
         python lessons/11_price_of_attention.py --quick         up to 256 tokens, one sweep

Expect:  as counted, attention overtakes the MLP at N = 128, and its N² part alone at N = 256, exactly. As measured on
         two cores of an AMD EPYC, at N = 77 and N = 185, with exponents of 1.98 for the N² part and 1.02 for the MLP
         (lessons/results/11_price_of_attention). Times are your machine's, and true only if nothing else runs on it.
"""

# %% Options come first: --help and mistakes are answered before TensorFlow is loaded
from vitkeras.errors import Misuse
from vitkeras.options import Count, lesson_options

TOKENS = (16, 49, 64, 144, 196, 256, 576, 784, 1024, 2304)  # N
HEADS = 4
TOKENS_A_CALL = 4608  # in each call as many images as make so many tokens: a call's own cost is shared by all N alike
ROUNDS = 5  # in each sweep
FIT_FROM = 256  # the exponent is that of large N

options = lesson_options("11_price_of_attention", __doc__, width=Count(64), sweeps=Count(3))
if options.width % HEADS:
    raise Misuse(
        f"--width is shared out among {HEADS} heads, so it must be a multiple of {HEADS}, not {options.width}."
    )
WIDTH = options.width  # D
MLP_DIM = 4 * WIDTH  # as in the paper

# %% The data. Only the number of patches matters to the clock, not what is on them.
from vitkeras import datasets

data = datasets.load("mnist", options.data, stand_in=True)
print(data.describe())
sweeps = options.sweeps
if options.quick:
    TOKENS, TOKENS_A_CALL, FIT_FROM, sweeps = TOKENS[:6], 1024, 64, 1
    print("quick: few tokens and a single sweep, so the times below say little")

# %% The machine
from vitkeras import machine

device = machine.prepare(options.seed, options.device, options.precision, options.devices)

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from vitkeras import MyMultiHeadAttention, Patches, plots, runs
from vitkeras.benchmark import measuring, price

settings = {
    "tokens": TOKENS, "tokens_a_call": TOKENS_A_CALL, "width": WIDTH, "heads": HEADS, "mlp_dim": MLP_DIM,
    "rounds": ROUNDS, "sweeps": sweeps, "fit_from": FIT_FROM, "device": device["device"],
}  # fmt: skip
run = runs.open_run(options, settings, data, device)

# %% Where large N come from: smaller patches, or larger images
digit = data.x_train[:1]  # (1, 28, 28, 1)
print(f"\na digit of {digit.shape[1:]}:")
for size in (7, 4, 2, 1):
    patches = Patches(size)(digit)  # (1, N, size * size)
    print(f"  patches of {size} x {size}: {tuple(patches.shape[1:])}, so {patches.shape[1] ** 2:,} scores in each head")
for side in (224, 384):
    print(f"photographs of {side} x {side}, patches of 16 x 16: N = {(side // 16) ** 2}")


# %% Counting by formula: the multiply-adds of one block, for one image of N tokens
def counted(n, width=WIDTH, mlp_dim=MLP_DIM):
    return {
        "projections": 4 * n * width**2,  # (N, D) times (D, D), for Q, K, V and the output
        "scores and mix": 2 * n**2 * width,  # Q times K transposed, and the weights times V: N * N * D each
        "mlp": 2 * n * width * mlp_dim,  # (N, D) times (D, mlp_dim), and back
    }


# Where do they meet? Divide out what both sides have in common.
#   2 N² D = 4 N D²            N = 2 D    the N² part against the projections; attention as a whole against the MLP too
#   2 N² D = 2 N D mlp_dim     N = mlp_dim = 4 D    the N² part against the MLP
#   2 N² D = 4 N D² + 8 N D²   N = 6 D    the N² part against all the rest of the block
print(f"\nD = {WIDTH}: the N² part equals the projections at N = {2 * WIDTH}, the MLP at {4 * WIDTH}, ", end="")
print(f"all the rest at {6 * WIDTH}")
models = {"digits by 7": (16, 64), "digits by 1": (784, 64), "ViT-B/16, 224": (196, 768), "ViT-B/16, 384": (576, 768)}
for name, (n, width) in models.items():
    costs = counted(n, width, 4 * width)
    share = costs["scores and mix"] / sum(costs.values())
    print(f"  {name}: N = {n}, D = {width}, N² part {100 * share:.1f}% of the block's multiplications")

# %% The parts of the block, to be measured one by one
query, key, value, output = (layers.Dense(WIDTH) for _ in range(4))
mlp_in, mlp_out = layers.Dense(MLP_DIM, activation="gelu"), layers.Dense(WIDTH)
ours = MyMultiHeadAttention(HEADS, WIDTH // HEADS, dropout=0.0)
theirs = layers.MultiHeadAttention(HEADS, WIDTH // HEADS)  # without dropout it takes its fused way
for layer in (query, key, value, output, mlp_in):
    layer.build((None, None, WIDTH))
mlp_out.build((None, None, MLP_DIM))
for layer in (ours, theirs):
    layer.build((None, None, WIDTH), (None, None, WIDTH))


def scores_and_mix(q, k, v):
    weights = ops.softmax(ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))))  # (batch, heads, N, N)
    return ops.matmul(weights, v)  # (batch, heads, N, D / heads)


def parts_of(n):
    """Each part as a compiled function without arguments, on random tokens; and how many images it is given."""
    images = max(1, round(TOKENS_A_CALL / n))
    dtype = keras.config.dtype_policy().compute_dtype
    x = tf.cast(tf.random.normal((images, n, WIDTH)), dtype)
    q, k, v = (tf.cast(tf.random.normal((images, HEADS, n, WIDTH // HEADS)), dtype) for _ in range(3))
    parts = {
        "projections": lambda: query(x) + key(x) + value(x) + output(x),
        "scores and mix": lambda: scores_and_mix(q, k, v),
        "mlp": lambda: mlp_out(mlp_in(x)),
        "ours": lambda: ours(x, x),
        "keras": lambda: theirs(x, x),
        "keras, with scores": lambda: theirs(x, x, return_attention_scores=True)[0],
    }
    return {name: tf.function(part) for name, part in parts.items()}, images


compiled = {n: parts_of(n) for n in TOKENS}

# %% Counting again, in the graphs that will run: is it what the formulas say?
in_graph = {
    n: {name: price.multiply_adds(parts[name]) / images for name in counted(n)}
    for n, (parts, images) in compiled.items()
}
print(f"\ngraph and formulas agree for all N: {all(in_graph[n] == counted(n) for n in TOKENS)}")

# %% Measuring. A sweep goes through all N, and at each N the parts take turns: a slow moment meets them all.
for part in run.parts(sweep=tuple(range(1, sweeps + 1)), tokens=TOKENS):
    steps, images = compiled[part.choice["tokens"]]
    milliseconds = measuring.in_turn(steps, ROUNDS)
    part.finish(images=images, milliseconds={name: [ms / images for ms in each] for name, each in milliseconds.items()})

times = price.median_times(run.rows)  # {part: one for each N}
print(f"\nmilliseconds an image (median of {sweeps * ROUNDS}), D = {WIDTH}")
print(f"{'N':>5}" + "".join(f"{name:>20}" for name in times))
for i, n in enumerate(TOKENS):
    print(f"{n:5}" + "".join(f"{values[i]:20.3f}" for values in times.values()))

# %% The exponent: a power law c * N^p is a straight line of slope p where both axes are logarithmic
large = [i for i, n in enumerate(TOKENS) if n >= FIT_FROM]
fits = {name: price.exponent(np.take(TOKENS, large), np.take(times[name], large)) for name in times}
print()
for name, (power, _) in fits.items():
    print(f"{name:20} grows with N to the power of {power:.2f}, from {FIT_FROM} tokens on")


# %% The crossings. Multiplications are not the whole price: softmax takes the exponential of all N² scores, and the
# scores go to memory and back. What disturbs a round disturbs its parts alike, so they are compared round by round.
crossings = {
    "N² part and projections": price.overtakes(TOKENS, price.median_ratios(run.rows, "scores and mix", "projections")),
    "N² part and MLP": price.overtakes(TOKENS, price.median_ratios(run.rows, "scores and mix", "mlp")),
    "attention and MLP": price.overtakes(TOKENS, price.median_ratios(run.rows, "ours", "mlp")),
}
nowhere = f"not between {TOKENS[0]} and {TOKENS[-1]}"
crossed = {name: f"N = {n:.0f}" if n else nowhere for name, n in crossings.items()}
for (name, where), formula in zip(crossed.items(), (2 * WIDTH, 4 * WIDTH, 2 * WIDTH), strict=True):
    print(f"{name}: equal at N = {formula} as counted, {where} as measured")

# %% Memory, in float32: the scores of one image, heads * N * N numbers, against a tensor of its tokens, N * D numbers
peaks = price.peaks_of_attention(TOKENS, WIDTH, HEADS)  # {"ours": megabytes for each N, "keras": …}
print(f"\nmegabytes for one image{'N':>6}{'scores':>10}{'tokens':>10}   peak of the layer, in a process of its own")
for i, n in enumerate(TOKENS):
    measured = "".join(f"   {layer} {values[i]:.0f}" for layer, values in peaks.items() if values)
    print(f"{n:29}{4 * HEADS * n * n / 2**20:10.2f}{4 * n * WIDTH / 2**20:10.3f}{measured}")

# %% Keras's fused attention
# Without dropout, and if nobody asks for the scores, Keras's layer calls `ops.dot_product_attention`, which on a GPU
# with JAX or PyTorch may be a single kernel that never writes the N * N scores down (flash attention). TensorFlow has
# no such kernel, and Keras refuses `flash_attention=True` there: it is the same products and the same softmax.
against_ours = {name: price.median_ratios(run.rows, name, "ours") for name in ("keras", "keras, with scores")}
print("\nKeras's layer against ours, times as long" + "".join(f"{n:>8}" for n in TOKENS))
for name, values in against_ours.items():
    print(f"{name:40} " + "".join(f"{value:8.2f}" for value in values))

# %% The picture
title = f"D = {WIDTH}, {device['device']}"
plots.price(times, {n: counted(n) for n in TOKENS}, fits, crossings, FIT_FROM, title, run.path("price.png"))

# %% Questions to think about
# 1. With --width 128 the counted crossing doubles. Does the measured one? What in the N² part does not depend on D?
# 2. Halve the patch size: N is four times as large. What happens to each column of the table?
# 3. ViT-B/16 spends 4% of its multiplications on the N² part. At which image size would it be half of the block's?

# %% The number to check
run.finish(
    answer=f"Time of the N² part: N to the power of {fits['scores and mix'][0]:.2f}, of the MLP: {fits['mlp'][0]:.2f}; "
    f"attention overtakes the MLP: {crossed['attention and MLP']} as measured, {2 * WIDTH} as counted "
    f"(random tokens; {data.title} for the shapes)",
    times=times,
    exponents={name: power for name, (power, _) in fits.items()},
    crossings=crossings,
    counted={str(n): counted(n) for n in TOKENS},
    peaks=peaks,
    keras_against_ours=against_ours,
)
