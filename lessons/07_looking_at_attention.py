"""07_looking_at_attention: what a trained ViT looks at, and whether that matters.

Attention weights are numbers that one can take out and draw: 16 x 16 for each head of each layer. Over the digit they
become a heat map, and a product of the layers tells how much of each patch has arrived where. The pictures are
tempting, so the lesson ends with a test of them.

Source:  lecture, 4.1 (figures H to J) and 5, item 2; paper, 4.5 and figure 7, right; Abnar and Zuidema, "Quantifying
         Attention Flow in Transformers", 2020

Run:     python lessons/07_looking_at_attention.py
         python lessons/07_looking_at_attention.py --model runs/tr02c/model.keras       looks at that one instead
         python lessons/07_looking_at_attention.py --model mnist_vit        at the one that ships: nothing is trained
         python lessons/07_looking_at_attention.py --quick       a few images: it runs, but the numbers say nothing

Expect:  with 4 of 16 patches painted over, 60.8% are right if those are the most looked at, 51.9% if the inkiest,
         73.5% if any; untouched 97.3%: MNIST, the small model, seed 1
"""

# %% Options come first: --help and mistakes are answered before TensorFlow is loaded
from vitkeras.options import lesson_options

EPOCHS = 3
BATCH_SIZE = 256
LEARNING_RATE = 0.001
WEIGHT_DECAY = 0.0001
PATCH_SIZE = 7
PROJECTION_DIM = 64  # D, the width of a token
NUM_HEADS = 4
HEAD_WIDTH = 16  # key_dim as in the lecture's text: 4 heads of 16 share the 64
BLOCKS = 4
LAYER = 1  # whose arrows are drawn: in layer 1 a token is still its patch alone, later ones are mixtures
LOOKED_AT = 1000  # test images whose attention is taken out
COVERED = 4  # how many sixteenths of the patches the last test paints over

options = lesson_options(
    "07_looking_at_attention",
    __doc__,
    epochs=EPOCHS,
    model="mnist_vit, which ships, or a model.keras of a lesson (left out: a small one is trained here first)",
)

# %% The data, and a word on what it is
from vitkeras import datasets

data = datasets.load("mnist", options.data, stand_in=True)
print(data.describe())
if options.quick:
    data = data.first(600, 1000)
    print("quick: 600 images to train on and 1,000 to test on, so the numbers below say nothing about the model")

# %% The machine
from vitkeras import machine, runs

device = machine.prepare(options.seed, options.device, options.precision, options.devices)

from vitkeras import trained

given = trained.load(options.model, data.image_shape, len(data.class_names)) if options.model else None
settings = {
    "model": options.model, "batch_size": BATCH_SIZE, "learning_rate": LEARNING_RATE, "weight_decay": WEIGHT_DECAY,
    "patch_size": PATCH_SIZE, "projection_dim": PROJECTION_DIM, "num_heads": NUM_HEADS, "head_width": HEAD_WIDTH,
    "blocks": BLOCKS, "layer": LAYER, "covered": COVERED,
}  # fmt: skip
run = runs.open_run(options, settings, data, device)

# %% The model: one that has been trained already, or a small tr02c, its head a single dense layer
import keras
import numpy as np
from keras import layers

from vitkeras import EncoderBlock, PatchEncoder, Patches, attention, plots, training

rows = columns = 28 // PATCH_SIZE  # the lecture's 16 patches
model = given
if model is None:
    inputs = keras.Input(data.image_shape)  # (batch, 28, 28, 1)
    tokens = PatchEncoder(rows * columns, PROJECTION_DIM)(Patches(PATCH_SIZE)(inputs))  # (batch, 16, 64)
    for _ in range(BLOCKS):
        tokens = EncoderBlock(NUM_HEADS, 2 * PROJECTION_DIM, key_dim=HEAD_WIDTH)(tokens)  # (batch, 16, 64)
    x = layers.Flatten()(layers.LayerNormalization(epsilon=1e-6)(tokens))  # (batch, 1024)
    logits = layers.Dense(len(data.class_names), dtype="float32")(x)  # (batch, 10)
    model = keras.Model(inputs, logits, name="small_tr02c")
    model.compile(
        optimizer=keras.optimizers.AdamW(LEARNING_RATE, weight_decay=WEIGHT_DECAY),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        run_eagerly=options.quick,  # a few steps are done sooner than a graph is built
    )
    for_training, for_validation = training.split(data.x_train, data.y_train, validation=0.1)
    training.train(
        model, for_training, for_validation, batch_size=BATCH_SIZE, epochs=options.epochs, seed=options.seed, run=run
    )
outcome = training.evaluate(model, data.x_test, data.y_test)
print(f"\n{model.name}, {model.count_params():,} parameters: {100 * outcome.accuracy:.2f}% of the test images right")

# %% The weights of all layers and heads. Row i of a map tells how patch i shares its look out: it sums to 1.
images, labels = data.x_test[:LOOKED_AT], data.y_test[:LOOKED_AT]
weights = attention.scores(model, images)  # (layers, images, heads, 16, 16)
print(f"weights {weights.shape}: layers, images, heads, patch that looks, patch that is looked at")
print(f"rows sum to 1, up to {np.abs(weights.sum(-1) - 1).max():.1e}")
grid = attention.square_grid(weights)  # (4, 4); another model may have cut its images otherwise
patches, patch_size = grid[0] * grid[1], 28 // grid[0]


# The lecture's "7" without bar, its strokes through patches 5, 6 and 10: of the test images that are a 7 and are read
# as one, with almost no ink in patches 9 and 11, where a bar would be, the one with most ink in each of the three.
def shares_of_ink(images, side):
    """How much of a digit's ink lies in each of side x side patches: (images, side * side)"""
    of_patches = images.reshape(-1, side, 28 // side, side, 28 // side).sum((2, 4)).reshape(-1, side * side)
    return of_patches / of_patches.sum(-1, keepdims=True)


ink = shares_of_ink(data.x_test, rows)  # (test images, 16)


def here(patch):
    """The patch of this model's grid in which the middle of one of the lecture's 16 lies."""
    row, column = ((7 * place + 3) // patch_size for place in divmod(patch, 4))
    return row * grid[1] + column


plain = (data.y_test == 7) & (outcome.predictions == 7) & (ink[:, [9, 11]].sum(-1) < 0.01)
if not plain.any():
    print("no 7 of this sort is read as a 7: any 7 is taken instead")
    plain = data.y_test == 7
seven = int(np.argmax(np.where(plain, ink[:, [5, 6, 10]].min(-1), -1)))
image = data.x_test[seven]
of_seven = attention.scores(model, image[None])[:, 0]  # (layers, heads, 16, 16)
print(f"\ntest image {seven} is the 7: of its ink, patches 5, 6 and 10 hold {ink[seven, [5, 6, 10]].round(2).tolist()}")
plots.attention_maps(of_seven, "all attention maps of one 7", data, run.path("07_maps.png"))

# %% Over the digit: a map's columns summed up tell how much each patch is looked at
plots.attention_of_heads(
    image, attention.heat(of_seven, grid), "how much each patch of a 7 is looked at", data, run.path("07_heads.png")
)  # fmt: skip

# %% Which patch looks at which? The lecture guesses: 5 at 6, a line at its corner, and 6 at 10, the corner at the stem.
in_layer = attention.between_patches(of_seven[LAYER - 1], grid)  # (heads, 16, 16)
for patch, other in ((5, 6), (6, 10), (10, 6)):
    shares = ", ".join(f"{100 * share:.0f}%" for share in in_layer[:, here(patch), here(other)])
    print(f"layer {LAYER}: patch {patch} gives patch {other} {shares} of its look, by head; evenly {1 / patches:.0%}")
plots.looks(
    image, in_layer, tuple(map(here, (5, 6, 10))), grid, f"layer {LAYER}, what three patches of a 7 look at", data,
    run.path("07_seven.png"),
)  # fmt: skip

# The lecture's pairs are an example of what a head may learn. In layer 1 of the recorded run heads compare others, and
# look at patches without ink, which tell something too. But further up? There the maps above are columns, not pairs.
looks_at_three = attention.heat(of_seven, grid).reshape(*of_seven.shape[:2], -1)[..., [*map(here, (5, 6, 10))]]
looks_at_three = looks_at_three.sum(-1).mean(-1)
by_layer = ", ".join(f"{100 * share:.0f}%" for share in looks_at_three)  # (layers,): the mean over heads
print(f"patches 5, 6 and 10 together get {by_layer} of all looks, layer by layer; evenly {3 / patches:.0%}")

# %% Do heads differ? How much of the attention would have to be moved to turn one head's look into the other's, against
# moving it from one image to the next within a head. 0: the same; 1: nothing in common.
heads, others = attention.between_heads(weights), attention.between_images(weights)
print("\nlayer   two heads, one image   one head, two images")
for layer, (between_heads, between_images) in enumerate(zip(heads, others, strict=True), 1):
    print(f"{layer:>5}   {between_heads:20.2f}   {between_images:20.2f}")

# %% How far do they look? A head that looked at all patches alike would have the mean distance of all pairs.
pixels = attention.mean_distance(weights, grid, patch_size)  # (layers, heads)
even = float(attention.distances(grid, patch_size).mean())
print(f"\nmean attention distance in pixels, layer by layer; looking at all alike: {even:.1f}")
for layer, of_heads in enumerate(pixels, 1):
    print(f"layer {layer}: {', '.join(f'{distance:.1f}' for distance in of_heads)}")
# In the paper's large models some heads of the early layers look nearby only, as a convolution does. Do any here?
plots.mean_distances(pixels, even, data, run.path("07_distances.png"))

# %% Rollout: half of each token comes from itself, by the skip connection, half by attention; the layers multiply up
rolled = attention.rollout(weights)  # (images, 16, 16)
heat = attention.heat(rolled, grid)  # (images, 4, 4): all tokens go into the dense head, hence their average
ink = shares_of_ink(images, grid[0])  # (images, 16): of this model's patches
likeness = float(np.corrcoef(heat.ravel(), ink.ravel())[0, 1])
print(
    f"\nrollout {rolled.shape}; heat {heat.shape}: from {heat.min():.3f} to {heat.max():.3f}, evenly {1 / patches:.3f}"
)
print(f"correlation of the heat with the ink in a patch: {likeness:+.2f}")
one_of_each = [int(np.flatnonzero(labels == label)[0]) for label in range(len(data.class_names))]
plots.attention_over(
    images[one_of_each], heat[one_of_each], [data.class_names[labels[i]] for i in one_of_each],
    "rollout, how much of each patch arrives at the end", data, run.path("07_rollout.png"),
)  # fmt: skip

# %% Does what is looked at matter? Such maps show, says the lecture (5, item 2), where the network looked to classify.
# Then painting over the hottest patches should hurt most. They are painted in the mean grey of the training images, and
# compared with the coldest ones, with random ones, and with a ranking that needs no attention at all: by ink.
grey = data.x_train.mean()
chance = np.random.default_rng(options.seed)
orders = {
    "most looked at (rollout)": np.argsort(-heat.reshape(len(images), -1), axis=1, kind="stable"),  # (images, 16)
    "most ink": np.argsort(-ink, axis=1, kind="stable"),
    "at random": chance.permuted(np.tile(np.arange(patches), (len(images), 1)), axis=1),
    "least looked at (rollout)": np.argsort(heat.reshape(len(images), -1), axis=1, kind="stable"),
}
counts = [sixteenths * patches // 16 for sixteenths in range(0, 13, 2)]
covered = COVERED * patches // 16
accuracies = {
    which: [
        training.evaluate(model, attention.covered(images, order[:, :count], patch_size, grey), labels).accuracy
        for count in counts
    ]
    for which, order in orders.items()
}
print(f"\nright when so many patches of {patches} are covered   {'  '.join(f'{count:>5}' for count in counts)}")
for which, values in accuracies.items():
    print(f"{which:<46} {'  '.join(f'{100 * value:4.0f}%' for value in values)}")
plots.covering(counts, accuracies, patches, data, run.path("07_covering.png"))
# In the recorded run the map does much better than chance, and no better than a ranking by ink: it tells where there
# is something to be seen. That it also tells why the model said 7, and not 1, is more than this test, or the picture,
# can show.

# %% Questions to think about
# 1. Painted over in black (grey = 0), a patch without ink stays what it was. Which of the four curves changes most, and
#    what did the comparison with random patches then really measure?
# 2. Set LAYER = 4. The percentages change, but do they still tell which patch looks at which? What is a "patch" there?
# 3. The rollout gives the skip connections one half. What would the heat be with nine tenths, and is there a right one?

# %% The number to check
of_count = {which: f"{100 * values[counts.index(covered)]:.1f}%" for which, values in accuracies.items()}
run.finish(
    model if given is None else None,
    answer=(
        f"With {covered} of {patches} patches painted over, {of_count['most looked at (rollout)']} are right if those "
        f"are the most looked at, {of_count['most ink']} if the inkiest, {of_count['at random']} if any; untouched "
        f"{100 * accuracies['at random'][0]:.1f}%, on the first {len(images):,} test images of {data.title}"
    ),
    test_accuracy=outcome.accuracy,
    seven=seven,
    looks_at_5_6_and_10=looks_at_three.tolist(),
    between_heads=heads.tolist(),
    between_images=others.tolist(),
    mean_distance=pixels.tolist(),
    mean_distance_of_an_even_look=even,
    heat_and_ink=likeness,
    covered=counts,
    accuracy_when_covered=accuracies,
)
