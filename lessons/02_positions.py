"""02_positions: attention does not know where a patch was, so each token is told its place.

A vector of 64 learned numbers is added to each token, another one for each of the 16 places. Here is where these
vectors come from (a look-up table), what a ViT cannot tell without them (shown exactly, and in accuracy), and whether
neighbouring places end up with similar ones.

Source:  lecture, 3.2 a to d; paper, 3.1, equation 1, and figure 7, middle

Run:     python lessons/02_positions.py
         python lessons/02_positions.py --quick       a few images: it runs, but the accuracies say nothing

Expect:  shuffling the patches anew for each image costs a ViT without positions 0.00 points of accuracy (82.92% before
         and after), one with positions 62.78 (from 92.96% to 30.18%): first 20,000 images of MNIST, seed 1
"""

# %% Options come first: --help and mistakes are answered before TensorFlow is loaded
from vitkeras.options import lesson_options

TRAINING_IMAGES = 20_000
EPOCHS = 3
BATCH_SIZE = 128
LEARNING_RATE = 0.001
WEIGHT_DECAY = 0.0001
PATCH_SIZE = 7
PROJECTION_DIM = 64  # D, the width of a token
NUM_HEADS = 4
BLOCKS = 2

options = lesson_options("02_positions", __doc__, epochs=EPOCHS)

# %% The data, and a word on what it is
from vitkeras import datasets

data = datasets.load("mnist", options.data, stand_in=True)
data = data.first(600, 500) if options.quick else data.first(TRAINING_IMAGES, len(data.x_test))
print(data.describe())
if options.quick:
    print("quick: 600 images to train on and 500 to test on, so the accuracies below say nothing")

# %% The machine
from vitkeras import machine, runs

device = machine.prepare(options.seed, options.device, options.precision, options.devices)
settings = {
    "epochs": options.epochs, "batch_size": BATCH_SIZE, "learning_rate": LEARNING_RATE, "weight_decay": WEIGHT_DECAY,
    "patch_size": PATCH_SIZE, "projection_dim": PROJECTION_DIM, "num_heads": NUM_HEADS, "blocks": BLOCKS,
}  # fmt: skip
run = runs.open_run(options, settings, data, device)

# %% a, b. A look-up table: put in 5, and row 5 comes out
import keras
import numpy as np
from keras import layers

from vitkeras import ClassToken, EncoderBlock, ImageFromPatches, Patches, PositionEmbedding, attention, plots, training

rows = columns = 28 // PATCH_SIZE
places = np.arange(rows * columns)  # 0 to 15, row by row
embedding = layers.Embedding(len(places), PROJECTION_DIM)
looked_up = embedding(places).numpy()  # (16, 64)
table = embedding.embeddings.numpy()  # (16, 64): E
print(f"\nplaces {places.shape} -> vectors {looked_up.shape}, from a table E {table.shape}")
print(f"row 5 of E and what comes out for 5 differ by {np.abs(table[5] - embedding(np.array(5)).numpy()).max()}")
print(f"before training, E lies between {table.min():+.4f} and {table.max():+.4f}; the lecture says ±0.05")

# All 16 rows are wanted, in order, so that the look-up gives back E itself. Our layer adds E without looking it up.
ours = PositionEmbedding(len(places))
ours.build((None, *table.shape))
ours.table.assign(table)
tokens = np.random.default_rng(options.seed).normal(size=(2, *table.shape)).astype("float32")  # (2, 16, 64)
added = np.abs(ours(tokens).numpy() - (tokens + looked_up)).max()
print(f"tokens + look-up and our PositionEmbedding differ by {added}")

# %% d. One-hot times a matrix is the same look-up, only that it multiplies by zero most of the time
one_hot = np.eye(len(places), dtype="float32")[places]  # (16, 16): a single 1 in each row
by_product = one_hot @ table  # (16, 16) @ (16, 64) -> (16, 64)
print(f"\none-hot {one_hot.shape} @ E {table.shape} and the look-up differ by {np.abs(by_product - looked_up).max()}")
print(f"multiplications: {one_hot.size * PROJECTION_DIM:,}; those by one: {len(places) * PROJECTION_DIM:,}; look-up: 0")
print(f"16 words of a dictionary of 50,000 in one-hot: {16 * 50_000:,} numbers; to look them up: 16")
apart = np.linalg.norm(one_hot[:, None] - one_hot, axis=-1)[np.triu_indices(len(places), 1)]  # (120,)
print(f"distances between two one-hot vectors: {apart.min():.4f} to {apart.max():.4f}. None is nearer than another")


# %% A small ViT, with or without positions, and with one of three ways to come from tokens to logits
def vit(positions, ending):
    inputs = keras.Input(data.image_shape)  # (batch, 28, 28, 1)
    x = layers.Dense(PROJECTION_DIM)(Patches(PATCH_SIZE)(inputs))  # (batch, 16, 64)
    if positions == "with":
        x = PositionEmbedding(len(places), name="positions")(x)
    if ending == "class token":
        x = ClassToken()(x)  # (batch, 17, 64)
    for _ in range(BLOCKS):
        x = EncoderBlock(NUM_HEADS, 2 * PROJECTION_DIM, dropout=0.0)(x)  # without dropout, to compare exactly
    x = layers.LayerNormalization(epsilon=1e-6)(x)
    if ending == "average":
        x = layers.GlobalAveragePooling1D()(x)  # (batch, 64)
    if ending == "class token":
        x = x[:, 0]  # (batch, 64)
    if ending == "flatten":
        x = layers.Flatten()(x)  # (batch, 1024)
    return keras.Model(inputs, layers.Dense(len(data.class_names), dtype="float32")(x))


# %% Patches in another order: `order` says for each place which patch comes there, for all images or for each its own
def reordered(images, order):
    patches = keras.ops.convert_to_numpy(Patches(PATCH_SIZE, dtype="float32")(images))  # (images, 16, 49)
    order = np.broadcast_to(order, patches.shape[:2])[..., None]  # (images, 16, 1)
    moved = np.take_along_axis(patches, order, axis=1)  # (images, 16, 49)
    together = ImageFromPatches(PATCH_SIZE, images.shape[1:3], dtype="float32")(moved)  # (images, 28, 28, 1)
    return keras.ops.convert_to_numpy(together).astype(images.dtype)


chance = np.random.default_rng(options.seed)
fixed = chance.permutation(places)  # (16,): one order for all images
anew = chance.permuted(np.tile(places, (len(data.x_test), 1)), axis=1)  # (images, 16): one for each test image
digits = {
    "in place": data.x_test[:8],
    "one order\nfor all images": reordered(data.x_test[:8], fixed),
    "a new order\nfor each image": reordered(data.x_test[:8], anew[:8]),
}
print(f"\nthe order that all images get in `shuffled`: {fixed.tolist()}")
plots.reordered(digits, data, run.path("02_reordered.png"))

# %% What a ViT cannot tell without positions, exactly. First a block: shuffle what goes in, and the same comes out,
# shuffled alike. No token knows its number.
block = EncoderBlock(NUM_HEADS, 2 * PROJECTION_DIM)
after, before = block(tokens).numpy()[:, fixed], block(tokens[:, fixed]).numpy()  # (2, 16, 64) each
print(f"\nblock, then shuffled, or shuffled, then block: they differ by {np.abs(after - before).max():.1e}")

# Then whole models, untrained: what holds for random weights here holds for any.
images = data.x_test[:64] / np.float32(255)
changes = {}
print("by how much the logits change when the patches are shuffled (at most, over 64 images)")
print("ending         without positions    with positions")
for ending in ("average", "class token", "flatten"):
    for positions in ("without", "with"):
        model = vit(positions, ending)
        change = model(images).numpy() - model(reordered(images, fixed)).numpy()  # (64, 10)
        changes[f"{ending}, {positions}"] = float(np.abs(change).max())
    print(f"{ending:<12}   {changes[f'{ending}, without']:17.1e}    {changes[f'{ending}, with']:14.1e}")
# An average forgets the order, and so does a class token that looks at all. Flattened tokens keep it: in tr02c each
# place has weights of its own in the dense head, so that it would see the order even without position vectors.

# %% The same in accuracy. Four trainings: with and without positions, on digits as they are and on digits whose patches
# were all shuffled in one order. Each is tested on digits of its own kind, and on digits that are each in a new order.
for part in run.parts(positions=("with", "without"), patches=("in place", "shuffled")):
    order = fixed if part.choice["patches"] == "shuffled" else places
    keras.utils.set_random_seed(options.seed)
    model = vit(part.choice["positions"], "average")
    model.compile(
        optimizer=keras.optimizers.AdamW(LEARNING_RATE, weight_decay=WEIGHT_DECAY),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        run_eagerly=options.quick,  # a few steps are done sooner than a graph is built
    )
    for_training, for_validation = training.split(reordered(data.x_train, order), data.y_train)
    training.train(
        model, for_training, for_validation, batch_size=BATCH_SIZE, epochs=options.epochs, seed=options.seed, run=part
    )
    same = training.evaluate(model, reordered(data.x_test, order), data.y_test).accuracy
    scattered = training.evaluate(model, reordered(data.x_test, anew), data.y_test).accuracy
    part.finish(model, test_accuracy=same, scattered_accuracy=scattered)

print("\npositions   trained on patches   tested on the same   tested in new orders")
for row in run.rows:
    print(
        f"{row['positions']:<9}   {row['patches']:<18}   {100 * row['test_accuracy']:17.2f}%   "
        f"{100 * row['scattered_accuracy']:19.2f}%"
    )
accuracy = {(row["positions"], row["patches"]): row["test_accuracy"] for row in run.rows}
lost = {which: accuracy[which, "in place"] - accuracy[which, "shuffled"] for which in ("with", "without")}
right = accuracy["with", "in place"]
luck = 2 * float(np.sqrt(2 * right * (1 - right) / len(data.y_test)))  # two standard errors of a difference
print(
    f"lost by training on shuffled patches: {100 * lost['with']:.2f} points with positions, "
    f"{100 * lost['without']:.2f} without. "
    f"Up to {100 * luck:.2f}, either way, is luck of the test images, and that of the training comes on top"
)
# Without positions a digit is a bag of patches, whatever their order: the lower two rows say the same, left and right.
# With positions the order counts, as the right column shows, and yet any order will do if it is always the same one.
# Which patch is above which a ViT does not know, says the lecture. In the recorded run it reads the puzzle nearly as
# well as the digit.

# %% That is exact as well: give the trained model its table in the other order, and it reads the shuffled digits as it
# read the others. A CNN could not be adapted so: it counts on neighbours being neighbours.
trained = keras.saving.load_model(run.path("positions-with_patches-in-place") / "model.keras")
logits = trained(images).numpy()
learned = trained.get_layer("positions").table.numpy()  # (16, 64)
trained.get_layer("positions").table.assign(learned[fixed])
exchange = float(np.abs(trained(reordered(images, fixed)).numpy() - logits).max())
print(
    f"\nshuffled digits, read with the table shuffled alike: logits of up to {np.abs(logits).max():.1f} "
    f"differ by {exchange:.1e}"
)

# %% c, d. After training: how large are the vectors, and do neighbouring places have similar ones?
print(f"\nE was between ±0.05 and is between {learned.min():+.2f} and {learned.max():+.2f}; the lecture says ±2.0")
directions = learned / np.linalg.norm(learned, axis=-1, keepdims=True)  # (16, 64)
similarities = directions @ directions.T  # (16, 64) @ (64, 16) -> (16, 16): cosines
distances = attention.distances((rows, columns), patch_size=1)  # (16, 16), in patches
one_of_each = np.triu_indices(len(places), 1)  # 120 pairs
alike, apart = similarities[one_of_each], distances[one_of_each]
near, far = float(alike[apart == 1].mean()), float(alike[apart > 2].mean())
correlation = float(np.corrcoef(alike, apart)[0, 1])
print(f"mean cosine similarity: {near:+.3f} for neighbours, {far:+.3f} for places more than 2 patches apart")

# Is that more than chance would bring? Deal the 16 vectors out to the places at random, a thousand times.
by_chance = []
for _ in range(1000):
    dealt = chance.permutation(places)
    by_chance.append(np.corrcoef(similarities[np.ix_(dealt, dealt)][one_of_each], apart)[0, 1])
as_low = float(np.mean(np.array(by_chance) <= correlation))
print(f"correlation of similarity with distance: {correlation:+.3f}; as low or lower by chance: {as_low:.1%}")
plots.similarity(similarities, distances, (rows, columns), data, run.path("02_similarity.png"))

# The lecture says that neighbours get similar vectors, and the paper sees it in large models after millions of images.
# Look at the picture and the two lines above: with 16 places, and so little training, is there any of it?

# %% Questions to think about
# 1. `flatten` tells the order without positions, and tr02c flattens. Take the positions out of tr02c and train both for
#    a few epochs: what are they still good for? Think of what a block can compare before the head sees anything.
# 2. Shuffle the pixels within each patch, in one order for all of them (x's last axis in `reordered`). What does a ViT
#    lose? And with all pixels of the image in one order, across patches: what would each patch then hold?
# 3. With PATCH_SIZE = 4 there are 49 places. Do neighbours get similar vectors then, and with EPOCHS = 20? Why might
#    similar vectors pay for neighbouring patches of 4 pixels rather than for those of 7?

# %% The number to check
run.finish(
    answer=(
        f"Shuffling the patches anew for each image costs a ViT without positions "
        f"{100 * (run.rows[2]['test_accuracy'] - run.rows[2]['scattered_accuracy']):.2f} points of accuracy, one with "
        f"positions {100 * (run.rows[0]['test_accuracy'] - run.rows[0]['scattered_accuracy']):.2f}, on {data.title}"
    ),
    logits_changed=changes,
    fixed_order=fixed.tolist(),
    lost_by_shuffled_training=lost,
    logits_changed_with_table_shuffled_alike=exchange,
    table_range=[float(learned.min()), float(learned.max())],
    similarity_of_neighbours=near,
    similarity_of_distant=far,
    correlation_with_distance=correlation,
    as_low_by_chance=as_low,
)
