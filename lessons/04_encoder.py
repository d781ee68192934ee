"""04_encoder: the encoder block, and the paper's equations 1 to 4, each beside its line of code.

A Vision Transformer is four equations. Here each of them is one line of code on eight digits: the first and the
LayerNorm checked by hand, the second and third against our EncoderBlock. Then two ways to make tokens without `Patches`
(a strided convolution, and a small CNN in front: the hybrid), and three ways to read an answer out of the tokens,
trained alike.

Source:  paper, 3.1, equations 1 to 4; text 001, "Explorando as Quatro Equações"; lecture, 4

Run:     python lessons/04_encoder.py                  three read-outs, three seeds each, 3 epochs on 20,000 images
         python lessons/04_encoder.py --seeds 5        more seeds: means that scatter less
         python lessons/04_encoder.py --quick          everything once, on a few images

Expect:  the block and the equations differ by 0.0; of MNIST's test images 92.59% right with the class token, 92.65%
         with the average, 95.76% with flattened tokens, means of three seeds (lessons/results/04_encoder)
"""

# %% Options come first: --help and mistakes are answered before TensorFlow is loaded
from vitkeras.options import Count, lesson_options

EPOCHS = 3
IMAGES = 20_000  # to train on, a tenth of them held out to watch
BATCH_SIZE = 128
LEARNING_RATE = 0.002
WEIGHT_DECAY = 0.0001
PATCH_SIZE = 7
WIDTH = 64  # D, the width of a token
NUM_HEADS = 4
MLP_DIM = 4 * WIDTH  # as in the paper; tr02c has 2 * WIDTH
BLOCKS = 2  # L, in the three trainings

options = lesson_options("04_encoder", __doc__, epochs=EPOCHS, seeds=Count(3))

# %% The data, and a word on what it is
from vitkeras import datasets

data = datasets.load("mnist", options.data, stand_in=True)
print(data.describe())
test_images, seeds = len(data.y_test), options.seeds
if options.quick:
    IMAGES, test_images, seeds = 600, 500, 1
    print("quick: 600 images, one seed: the equations hold all the same, but the accuracies say nothing")
data = data.first(IMAGES, test_images)

# %% The machine
from vitkeras import machine

device = machine.prepare(options.seed, options.device, options.precision, options.devices)

import keras
import numpy as np
from keras import layers

from vitkeras import ClassToken, EncoderBlock, MyMultiHeadAttention, Patches, PositionEmbedding, plots, runs, training

settings = {
    "images": IMAGES, "test_images": test_images, "epochs": options.epochs, "batch_size": BATCH_SIZE,
    "learning_rate": LEARNING_RATE, "weight_decay": WEIGHT_DECAY, "patch_size": PATCH_SIZE, "width": WIDTH,
    "num_heads": NUM_HEADS, "mlp_dim": MLP_DIM, "blocks": BLOCKS,
}  # fmt: skip
run = runs.open_run(options, settings, data, device)
images = data.x_train[:8].astype("float32") / 255  # (8, 28, 28, 1)


def difference(a, b):
    """The largest difference between two tensors of one shape."""
    a, b = keras.ops.convert_to_numpy(a).astype("float32"), keras.ops.convert_to_numpy(b).astype("float32")
    return float(np.abs(a - b).max())


# %% Equation 1: z0 = [x_class; x_p^1 E; x_p^2 E; … x_p^N E] + E_pos
# The semicolons stack the tokens one below the other: x_class is one more token, learned, that belongs to no patch.
patches = Patches(PATCH_SIZE)(images)  # (8, 16, 49): x_p
projection = layers.Dense(WIDTH)  # E; the paper writes no bias, a Dense has one, which starts at 0
class_token, positions = ClassToken(), PositionEmbedding(1 + patches.shape[1])  # x_class, E_pos
z0 = positions(class_token(projection(patches)))  # (8, 17, 64)

rows = [np.tile(class_token.token, (8, 1, 1)), patches @ projection.kernel]  # (8, 1, 64), (8, 16, 64)
by_hand = np.concatenate(rows, axis=1) + np.asarray(positions.table)  # (8, 17, 64) + (17, 64)
print(f"\n(1)  images {images.shape}  ->  patches {tuple(patches.shape)}  ->  z0 {tuple(z0.shape)}")
print(f"     by hand: difference {difference(z0, by_hand):.1e}")
print(
    f"     the class token before the first block: the same for all digits ({difference(z0[:1, 0], z0[1:, 0])} apart)"
)

# %% LayerNorm, by hand: each token by itself gets mean 0 and variance 1, whatever else is in the batch
# The variance stays just below 1, for epsilon = 1e-6 is counted in with the small variance of a fresh token.
norm_1, norm_2, norm_out = (layers.LayerNormalization(epsilon=1e-6) for _ in range(3))
normed = norm_1(z0)  # (8, 17, 64)
z = np.asarray(z0, "float32")
by_hand = (z - z.mean(-1, keepdims=True)) / np.sqrt(z.var(-1, keepdims=True) + 1e-6)  # (8, 17, 64)
token = np.asarray(normed, "float32")[0, 5]
print(f"\nLN   patch 5 of the first digit: mean {z[0, 5].mean():.3f}, variance {z[0, 5].var():.4f}", end="")
print(f"  ->  mean {abs(token.mean()):.3f}, variance {token.var():.4f};  by hand: difference", end=" ")
print(f"{difference(normed, by_hand):.1e}")
print(f"     the digit alone, without the other seven: difference {difference(norm_1(z0[:1]), normed[:1]):.1e}")

# %% Equation 2: z' = MSA(LN(z)) + z, and 3: z = MLP(LN(z')) + z'
attention = MyMultiHeadAttention(NUM_HEADS, WIDTH // NUM_HEADS)  # MSA: 4 heads of 16
mlp_in, mlp_out = layers.Dense(MLP_DIM, activation="gelu"), layers.Dense(WIDTH)  # MLP

z_prime = attention(norm_1(z0), norm_1(z0)) + z0  # (8, 17, 64): here the tokens look at each other
z1 = mlp_out(mlp_in(norm_2(z_prime))) + z_prime  # (8, 17, 64): here each token thinks for itself
print(
    f"\n(2)  z' {tuple(z_prime.shape)}: now the class tokens are {difference(z_prime[:1, 0], z_prime[1:, 0]):.2f} apart"
)
print(f"(3)  z1 {tuple(z1.shape)}, by way of {MLP_DIM} hidden units a token")

# %% Equation 4: y = LN(z_L^0). Of all the tokens after the last block, only the first is read (here L = 1)
y = norm_out(z1[:, 0])  # (8, 64)
print(f"(4)  y {tuple(y.shape)}: one vector stands for the image")

# %% EncoderBlock is equations 2 and 3. Given the same weights, it gives the same.
block = EncoderBlock(NUM_HEADS, MLP_DIM)
block.build(z0.shape)
ours = {"norm_1": norm_1, "attention": attention, "norm_2": norm_2, "mlp_in": mlp_in, "mlp_out": mlp_out}
for name, layer in ours.items():
    getattr(block, name).set_weights(layer.get_weights())
    print(f"     {name:10} {layer.count_params():6,} parameters")
block_difference = difference(block(z0), z1)
print(f"block: {block.count_params():,} parameters; difference from equations 2 and 3: {block_difference}")

# %% The skip connections: silence what the two halves say at their end, and the block hands its input through
silent = EncoderBlock(NUM_HEADS, MLP_DIM)
silent.build(z0.shape)
for layer in (silent.attention.output_dense, silent.mlp_out):
    layer.set_weights([np.zeros_like(w) for w in layer.get_weights()])
print(f"silenced: the block is the identity (difference {difference(silent(z0), z0)})")
plots.encoder_block(images[0], data, run.path("block.png"))

# %% Where tr02c departs from the paper
# - No class token: it flattens all 16 tokens, and a deep head (1024 -> 2048 -> 1024 -> 10, dropout 0.5) reads them. The
#   paper's head is a single layer on y, at pre-training with one hidden layer before it.
# - Each of its 4 heads is 64 wide instead of D / 4 = 16, and its MLP has 2 D hidden units instead of 4 D.
# - It has GELU after the second Dense too. GELU never goes below -0.17, so that such an MLP can add to a token as much
#   as it likes, but take away next to nothing:
paper_mlp = mlp_out(mlp_in(norm_2(z_prime)))  # (8, 17, 64)
tr02c_mlp = keras.activations.gelu(paper_mlp)  # (8, 17, 64)
lowest = [float(keras.ops.min(values)) for values in (paper_mlp, tr02c_mlp)]
print(f"\nthe lowest number that the MLP adds: {lowest[0]:.2f} in the paper's way, {lowest[1]:.2f} in tr02c's")

# %% A strided convolution is Patches and a Dense: the kernel's 7 x 7 pixels are a patch, its channels the token's width
convolution = layers.Conv2D(WIDTH, kernel_size=PATCH_SIZE, strides=PATCH_SIZE)
convolution.build(images.shape)
kernel, bias = projection.get_weights()  # (49, 64), (64,)
convolution.set_weights([kernel.reshape(PATCH_SIZE, PATCH_SIZE, 1, WIDTH), bias])  # (7, 7, 1, 64)
feature_map = convolution(images)  # (8, 4, 4, 64)
tokens = keras.ops.reshape(feature_map, (8, -1, WIDTH))  # (8, 16, 64)
convolution_difference = difference(tokens, projection(patches))
print(f"\nconvolution: {images.shape}  ->  {tuple(feature_map.shape)}  ->  {tuple(tokens.shape)}", end="")
print(f"; difference from Patches and Dense: {convolution_difference:.1e}")

# %% The hybrid (paper, 3.1, "Hybrid architecture"): patches of 1 x 1 out of the feature map of a CNN
stem = keras.Sequential(
    [
        keras.Input(images.shape[1:]),
        layers.Conv2D(16, 3, strides=2, padding="same", activation="gelu"),  # (batch, 14, 14, 16)
        layers.Conv2D(32, 3, strides=2, padding="same", activation="gelu"),  # (batch, 7, 7, 32)
    ]
)
feature_map = stem(images)  # (8, 7, 7, 32)
places = Patches(1)(feature_map)  # (8, 49, 32)
hybrid_projection = layers.Dense(WIDTH)
tokens = hybrid_projection(places)  # (8, 49, 64), then on as before, with equation 1
parameters = stem.count_params() + hybrid_projection.count_params()
print(
    f"hybrid: {images.shape}  ->  {tuple(feature_map.shape)}  ->  {tuple(places.shape)}  ->  {tuple(tokens.shape)}",
    end="",
)
print(f"; {parameters:,} parameters up to the tokens, against {projection.count_params():,} with plain patches")

# %% Three ways to read the answer out of the tokens
READOUTS = {
    "class token": lambda tokens: tokens[:, 0],  # (batch, 64): what one token has gathered (the paper)
    "average": layers.GlobalAveragePooling1D(),  # (batch, 64): all places, but not which place said what
    "flatten": layers.Flatten(),  # (batch, 1024): every place, with weights of its own (tr02c)
}


def classifier(readout):
    inputs = keras.Input(data.image_shape)  # (batch, 28, 28, 1)
    tokens = layers.Dense(WIDTH)(Patches(PATCH_SIZE)(inputs))  # (batch, 16, 64)
    if readout == "class token":
        tokens = ClassToken()(tokens)  # (batch, 17, 64)
    tokens = PositionEmbedding(tokens.shape[1])(tokens)
    for _ in range(BLOCKS):
        tokens = EncoderBlock(NUM_HEADS, MLP_DIM)(tokens)
    features = READOUTS[readout](layers.LayerNormalization(epsilon=1e-6)(tokens))  # (batch, 64), or (batch, 1024)
    return keras.Model(inputs, layers.Dense(len(data.class_names), dtype="float32", name="head")(features))


# %% What does each of them notice when the 16 tokens after the last block change places?
order = [0, *(1 + np.random.default_rng(options.seed).permutation(16))]  # the class token stays in front
heads = {}
for readout, read in READOUTS.items():
    at = slice(None) if readout == "class token" else slice(1, None)
    tokens, moved = z1[:, at], keras.ops.take(z1, order, axis=1)[:, at]
    head = layers.Dense(len(data.class_names))
    change = difference(head(read(tokens)), head(read(moved)))
    heads[readout] = head.count_params()
    print(
        f"{readout:12} {heads[readout]:6,} parameters in the head; places exchanged, the logits change by {change:.1e}"
    )

# %% The three, trained alike on digits. Each model meets the test images once, at its end.
for_training, for_validation = training.split(data.x_train, data.y_train, validation=0.1)
for part in run.parts(readout=tuple(READOUTS), seed=tuple(range(options.seed, options.seed + seeds))):
    keras.utils.set_random_seed(part.choice["seed"])
    model = classifier(part.choice["readout"])
    model.compile(
        keras.optimizers.AdamW(LEARNING_RATE, weight_decay=WEIGHT_DECAY),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        run_eagerly=options.quick,  # a few steps are done sooner than a graph is built
    )
    history = training.train(
        model, for_training, for_validation, batch_size=BATCH_SIZE, epochs=options.epochs, seed=part.choice["seed"],
        run=part,
    )  # fmt: skip
    outcome = training.evaluate(model, data.x_test, data.y_test)
    part.finish(
        parameters=model.count_params(),
        validation_accuracy=history["val_accuracy"][-1],
        test_accuracy=outcome.accuracy,
    )

# %% The table. Look at how far the seeds lie apart before you believe a difference between the means.
accuracies = {readout: [row["test_accuracy"] for row in run.rows if row["readout"] == readout] for readout in READOUTS}
means = {readout: float(np.mean(values)) for readout, values in accuracies.items()}
print(f"\n{'read-out':12} {'head':>7}  test accuracy: mean, and each seed")
for readout, values in accuracies.items():
    each = "  ".join(f"{100 * value:.2f}" for value in values)
    print(f"{readout:12} {heads[readout]:7,}  {100 * means[readout]:.2f}%    {each}")
plots.readouts(accuracies, heads, data, run.path("readouts.png"))

# %% Questions to think about
# 1. Before the first block the class token is the same for every digit. With BLOCKS = 1, how often can it look at the
#    patches, and what of the last block's work on the other 16 tokens is then never read? Try it: which read-out
#    suffers most?
# 2. The average does not notice when tokens change places after the last block. Yet it tells a 6 from a 9. Where has
#    the information on places gone in? (Take PositionEmbedding out of `classifier`, and compare the three.)
# 3. Flattening costs 10 * 64 * 16 weights in the head. How many would it cost with patches of 2 x 2 pixels, and how
#    many do the other two then need?

# %% The number to check
run.finish(
    answer=f"The block and equations 2 and 3 differ by {block_difference}; test accuracy, mean of {seeds} seeds each: "
    + ", ".join(f"{readout} {100 * mean:.2f}%" for readout, mean in means.items())
    + f" on {data.title}",
    block_difference=block_difference,
    convolution_difference=convolution_difference,
    head_parameters=heads,
    test_accuracy=means,
)
