"""03_attention: attention by hand, from the patches of one 7 to the output of the layer.

    Attention(Q, K, V) = softmax(Q Kᵀ / √d) V        in each head, d being the width of a head

Every step is done twice: in NumPy, where nothing is hidden, and in Keras. At the end the two are the same to the last
digits of a float32, gradient included.

Source:  lecture, 4.1 with figures H and J; paper, appendix A, equations 5 to 8

Run:     python lessons/03_attention.py
         python lessons/03_attention.py --seed 7       other weights; nothing is trained here

Expect:  a largest difference of 4.8e-07 (MNIST, seed 1, on a CPU); far more with --precision bfloat16
"""

# %% Options come first: --help and mistakes are answered before TensorFlow is loaded
from vitkeras.options import lesson_options

PATCH_SIZE = 7
PROJECTION_DIM = 64  # D, the width of a token
NUM_HEADS = 4
KEY_DIM = PROJECTION_DIM // NUM_HEADS  # d = 16, the width of a head
DIGIT = 7
IN_VIEW = (5, 6, 10)  # patches of the 7: the bar, the corner, the stroke that goes down (lecture, figure H)
WIDTHS = (4, 16, 64, 256, 1024)  # values of d, to see what the scale is for

options = lesson_options("03_attention", __doc__)

# %% The data, and a word on what it is
from vitkeras import datasets

data = datasets.load("mnist", options.data, stand_in=True)
print(data.describe())

# %% The machine
from vitkeras import machine, runs

device = machine.prepare(options.seed, options.device, options.precision, options.devices)
settings = {"patch_size": PATCH_SIZE, "projection_dim": PROJECTION_DIM, "num_heads": NUM_HEADS, "key_dim": KEY_DIM}
run = runs.open_run(options, settings, data, device)

# %% One digit becomes 16 tokens, as in lesson 1. Then a LayerNorm, which in tr02c comes before the attention.
import keras
import numpy as np
import tensorflow as tf

from vitkeras import MyMultiHeadAttention, PatchEncoder, Patches, copy_attention_weights, plots


def array(tensor):
    return keras.ops.convert_to_numpy(tensor).astype("float64")  # by hand all is float64; the layers have float32


def difference(one, other):
    return float(np.abs(array(one) - array(other)).max())


image = data.x_test[data.y_test == DIGIT][:1]  # (1, 28, 28, 1)
encoder = PatchEncoder((image.shape[1] // PATCH_SIZE) * (image.shape[2] // PATCH_SIZE), PROJECTION_DIM)
norm = keras.layers.LayerNormalization(epsilon=1e-6)
tokens = keras.ops.cast(encoder(Patches(PATCH_SIZE)(image / 255.0)), "float32")  # (1, 16, 64)
normed = norm(tokens)  # (1, 16, 64)

t = array(tokens)[0]  # (16, 64)
x = (t - t.mean(-1, keepdims=True)) / np.sqrt(t.var(-1, keepdims=True) + 1e-6)  # (16, 64), T in the lecture
print(f"\ntokens {t.shape}; LayerNorm gives each a mean of 0 and a variance of 1")
print(f"LayerNorm by hand and Keras: {difference(x, normed[0]):.1e}")

# %% Q, K and V: three products with three matrices of weights, here those of a new layer
mine = MyMultiHeadAttention(NUM_HEADS, KEY_DIM, dropout=0.0)
mine.build(normed.shape, normed.shape)
denses = {"Q": mine.query_dense, "K": mine.key_dense, "V": mine.value_dense, "O": mine.output_dense}
weights = {name: (array(dense.kernel), array(dense.bias)) for name, dense in denses.items()}

# The lecture leaves the bias out of Q = T W. The layers have one; before training it is 0.
projections = {name: x @ weights[name][0] + weights[name][1] for name in "QKV"}  # three times (16, 64)
print(f"Q, K and V: {x.shape} times {weights['Q'][0].shape} gives {projections['Q'].shape}")
print(f"Q by hand and Keras: {difference(projections['Q'], mine.query_dense(normed)[0]):.1e}")

# %% Four heads: each gets 16 of the 64 columns. No number is calculated, they are only addressed in another way.
# The lecture's formula for d, D / num_heads, is right; but 16/4 = 4 should read 64/4 = 16, as in the text around it.


def split_heads(matrix, heads=NUM_HEADS):
    return matrix.reshape(len(matrix), heads, -1).transpose(1, 0, 2)  # (tokens, heads, d), then (heads, tokens, d)


q, k, v = (split_heads(projections[name]) for name in "QKV")  # (4, 16, 16): heads, tokens, d
print(f"\nQ in heads: {projections['Q'].shape} -> {q.shape}")
columns_of_2 = projections["Q"][:, 2 * KEY_DIM : 3 * KEY_DIM]  # (16, 16)
print(f"head 2 and columns {2 * KEY_DIM} to {3 * KEY_DIM - 1}: {difference(q[2], columns_of_2):.1e}")

# %% Compare: every query with every key, scaled; softmax makes each row a distribution


def softmax(scores):
    powers = np.exp(scores - scores.max(-1, keepdims=True))  # minus the largest: the same result, without overflow
    return powers / powers.sum(-1, keepdims=True)


scores = q @ k.transpose(0, 2, 1) / np.sqrt(KEY_DIM)  # (4, 16, 16): heads, patch that looks, patch looked at
maps = softmax(scores)  # (4, 16, 16)
print(f"\nmaps {maps.shape}, one a head; the rows sum to 1: {difference(maps.sum(-1), 1):.1e}")

# These are the attention maps: which patch looks at which. The lecture keeps the name for what comes next, the maps
# times V. In one head that is 16 x 16 as well, but only because d happens to equal the number of patches: its columns
# are no patches, they are the 16 new values of each patch. In tr02c, where d is 64, it is 16 x 64, and the map 16 x 16.

# %% Mix the values by these weights; lay the heads side by side; let a last matrix mix what they found
mixed = maps @ v  # (4, 16, 16): heads, tokens, d
joined = mixed.transpose(1, 0, 2).reshape(len(x), -1)  # (16, 4, 16), then (16, 64)
output = joined @ weights["O"][0] + weights["O"][1]  # (16, 64), as wide as the tokens: the skip connection adds them
print(f"maps times V {mixed.shape} -> side by side {joined.shape} -> output {output.shape}")

# %% The four heads at once, or one after the other in a loop?
one_by_one = []
for head in range(NUM_HEADS):
    of_head = slice(head * KEY_DIM, (head + 1) * KEY_DIM)
    q_head, k_head, v_head = (projections[name][:, of_head] for name in "QKV")  # three times (16, 16)
    one_by_one.append(softmax(q_head @ k_head.T / np.sqrt(KEY_DIM)) @ v_head)  # (16, 16)
print(f"\nbatched product and loop over heads: {difference(joined, np.concatenate(one_by_one, axis=-1)):.1e}")

# %% What it looks like. Nothing has been learned yet: who looks at whom is chance (after training: lesson 7)
label = f"a {data.class_names[DIGIT]}, new weights"
plots.queries_keys_and_maps(projections, maps, data, run.path("q_k_v_maps.png"), label)
plots.looking_patch(image[0], maps, PATCH_SIZE, IN_VIEW[0], IN_VIEW, data, run.path("seven.png"), label)

# %% The same from the two layers, given the same weights
theirs = keras.layers.MultiHeadAttention(NUM_HEADS, KEY_DIM, dropout=0.0)
theirs.build(normed.shape, normed.shape)
copy_attention_weights(mine, theirs)
layers = {"MyMultiHeadAttention": mine, "Keras's MultiHeadAttention": theirs}
differences = {}
print()
for name, layer in layers.items():
    its_output, its_maps = layer(normed, normed, return_attention_scores=True)  # (1, 16, 64), (1, 4, 16, 16)
    differences[name] = {"output": difference(output, its_output[0]), "maps": difference(maps, its_maps[0])}
    print(f"by hand and {name}: output {differences[name]['output']:.1e}, maps {differences[name]['maps']:.1e}")

# %% And the gradient: of a number made of the output, (output * pattern).sum(), with respect to the 16 * 64 inputs
pattern = np.random.default_rng(options.seed).normal(size=output.shape)


def by_hand(x):
    """All the steps above once more, from the (16, 64) after LayerNorm to the (16, 64) of the output."""
    q, k, v = (split_heads(x @ weights[name][0] + weights[name][1]) for name in "QKV")
    mixed = softmax(q @ k.transpose(0, 2, 1) / np.sqrt(KEY_DIM)) @ v
    return mixed.transpose(1, 0, 2).reshape(len(x), -1) @ weights["O"][0] + weights["O"][1]


step = 1e-5  # without calculus: nudge each input a little up and down, and see what the number does
nudges = step * np.eye(x.size).reshape(-1, *x.shape)  # (1024, 16, 64)
slopes = [((by_hand(x + nudge) - by_hand(x - nudge)) * pattern).sum() / (2 * step) for nudge in nudges]
for name, layer in layers.items():
    with tf.GradientTape() as tape:
        tape.watch(normed)
        number = tf.reduce_sum(tf.cast(layer(normed, normed)[0], "float32") * pattern.astype("float32"))
    gradient = tape.gradient(number, normed)[0]  # (16, 64)
    differences[name]["gradient"] = difference(np.reshape(slopes, x.shape), gradient)
    print(f"by hand and {name}: gradient {differences[name]['gradient']:.1e}")

# %% How large are new weights? Keras draws them evenly from ±√(6 / (rows + columns)): Glorot's ±0.2165 of the lecture.
# That is for 64 x 64, as in the lecture's text. Its program has key_dim=64, and key_dim is the width of ONE head: there
# W_Q is 64 x 256, its weights are smaller, and Q is 16 x 256. Both are attention; the program's has more parameters.
of_tr02c = MyMultiHeadAttention(NUM_HEADS, PROJECTION_DIM)
of_tr02c.build(normed.shape, normed.shape)
print()
for name, layer in (("here", mine), ("in tr02c", of_tr02c)):
    kernel = array(layer.query_dense.kernel)
    limit = np.sqrt(6 / sum(kernel.shape))
    print(f"W_Q {name}: {kernel.shape}, Glorot ±{limit:.4f}, largest weight {np.abs(kernel).max():.4f}, ", end="")
    print(f"Q {tuple(layer.query_dense(normed)[0].shape)}, {layer.count_params():,} parameters")

# %% Why random? Heads whose weights start alike calculate the same, and get the same gradient: they stay alike.
print("\nall weights    maps of the heads differ by    gradients of W_V by    largest of these gradients")
for start in (0.0, 0.1, "Glorot"):
    layer = MyMultiHeadAttention(NUM_HEADS, KEY_DIM, dropout=0.0)
    layer.build(tokens.shape, tokens.shape)
    if start != "Glorot":
        layer.set_weights([np.full(weight.shape, start) for weight in layer.get_weights()])
    with tf.GradientTape() as tape:
        its_output, its_maps = layer(tokens, tokens, return_attention_scores=True)  # (1, 16, 64), (1, 4, 16, 16)
        number = tf.reduce_sum(tf.cast(its_output[0], "float32") * pattern.astype("float32"))
    gradients = split_heads(array(tape.gradient(number, layer.value_dense.kernel)))  # (4, 64, 16)
    apart = difference(its_maps[0], its_maps[:1, 0]), difference(gradients, gradients[:1])  # each head from head 0
    print(f"{start!s:<15}{apart[0]:<31.1e}{apart[1]:<23.1e}{np.abs(gradients).max():.1e}")
# With zeros it is worse than alike: W_V learns nothing as long as W_O is 0, and W_O nothing as long as V is 0.

# %% Why divide by √d? A sum of d products of independent numbers of mean 0 and variance 1 has variance d, so scores
# grow with the width of a head. Softmax of large scores is nearly one-hot. It then hardly changes when the scores do:
# its Jacobian, which every gradient on the way to Q and K is multiplied by, is close to 0 for most. Of weights p it is
# J = diag(p) - p pᵀ.
chance = np.random.default_rng(options.seed)
measured = {"q·k": [], "q·k / √d": []}
print("\nscores         d   variance   largest weight   entropy   norm of J: median    mean")
for d in WIDTHS:
    queries, keys = chance.normal(size=(1000, 1, d)), chance.normal(size=(1000, 16, d))
    products = (queries @ keys.transpose(0, 2, 1))[:, 0]  # (1000, 16): 1000 queries, each with 16 keys of its own
    for name, scaled in (("q·k", products), ("q·k / √d", products / np.sqrt(d))):
        p = softmax(scaled)
        largest = p.max(-1).mean()
        entropy = -(p * np.log2(np.maximum(p, 1e-300))).sum(-1).mean()  # 4 bits: all 16 alike; 0: only one
        norms = np.linalg.norm(p[:, :, None] * (np.eye(16) - p[:, None, :]), axis=(1, 2))  # (1000,)
        measured[name].append([largest, entropy, np.median(norms)])
        print(f"{name:<9}{d:>7}{scaled.var():>11.1f}{largest:>17.3f}{entropy:>10.2f}{np.median(norms):>20.5f}", end="")
        print(f"{norms.mean():>8.3f}")
plots.softmax_and_scale(WIDTHS, measured, run.path("scale.png"))

# %% Questions to think about
# 1. On MNIST with seed 1, head 0 lets patch 5, the bar, look at patch 6, the corner, more than at any other patch
#    (seven.png): just what the lecture hopes for. Has it learned to? See what --seed 3 and --seed 4 draw.
# 2. In the cell "Why random?" set all weights to 0.1, but leave W_O as it was drawn. The maps of the heads are alike.
#    Will they be after a step of training? And with 0 in place of 0.1: which of Q, K and V gets a gradient then?
# 3. Without the scale the median of J's norm dies, while its mean only shrinks. Which queries still learn? And as the
#    keys grow with d as well: multiply J by the keys, to see what arrives at the query. Which would you rather train?

# %% The number to check
largest = max(max(each["output"], each["maps"]) for each in differences.values())
run.finish(
    answer=f"By hand and in both layers, attention differs by at most {largest:.1e} (output and maps) on {data.title}",
    differences=differences,
    largest_difference=largest,
)
