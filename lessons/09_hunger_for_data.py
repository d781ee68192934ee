"""09_hunger_for_data: does a ViT need more training images than a CNN?

The lecture says so: a CNN is built to look at neighbourhoods in the same way everywhere, and a ViT has to learn that
much from examples. So train one of each, with 23,946 and 28,138 parameters, on 1% to 100% of the training images.
Every training takes the same number of steps: a smaller set is gone through more often. Each seed draws a subset of its
own.

Source:  lecture, 1 and 5, item 1; paper, section 4.3 and figure 4
Run:     python lessons/09_hunger_for_data.py

Expect:  the gap between the two is widest where images are fewest: 22.32 points with 540 images, 1.38 with 54,000
         (MNIST, means of three seeds, lessons/results/09_hunger_for_data)
"""

# %% Options come first: --help and mistakes are answered before TensorFlow is loaded
from vitkeras.options import Count, lesson_options

EPOCHS = 3  # of the whole training set; of a part of it, correspondingly more
SEEDS = 3
PERCENTAGES = (1, 3, 10, 30, 100)
BATCH_SIZE = 128
LEARNING_RATE = 0.002
WEIGHT_DECAY = 0.05
PATCH_SIZE = 7
WIDTH = 32
BLOCKS = 3
HEADS = 4
CNN_WIDTHS = (16, 32, 64)

options = lesson_options("09_hunger_for_data", __doc__, epochs=EPOCHS, seeds=Count(SEEDS, least=2))

# %% The data
from vitkeras import datasets

data = datasets.load("mnist", options.data, stand_in=True)
print(data.describe())
if options.quick:
    data, options.seeds, PERCENTAGES = data.first(600, 200), 2, (10, 100)
    print("quick: 600 images to train on, 200 to test on, and two percentages: no claim can be tested with that")

# %% The machine
from vitkeras import machine

device = machine.prepare(options.seed, options.device, options.precision, options.devices)

# %% The two models
import keras
import numpy as np
from keras import layers

from vitkeras import EncoderBlock, PatchEncoder, Patches

image_height, image_width, _ = data.image_shape
num_patches = (image_height // PATCH_SIZE) * (image_width // PATCH_SIZE)
num_classes = len(data.class_names)


def vit():
    inputs = keras.Input(data.image_shape)  # (batch, 28, 28, 1)
    tokens = PatchEncoder(num_patches, WIDTH)(Patches(PATCH_SIZE)(inputs))  # (batch, 16, 32)
    for _ in range(BLOCKS):
        tokens = EncoderBlock(HEADS, mlp_dim=2 * WIDTH, dropout=0.0)(tokens)
    x = layers.LayerNormalization(epsilon=1e-6)(tokens)
    x = layers.GlobalAveragePooling1D()(x)  # (batch, 32)
    return keras.Model(inputs, layers.Dense(num_classes, dtype="float32")(x), name="vit")


def cnn():
    x = inputs = keras.Input(data.image_shape)
    for width in CNN_WIDTHS:
        x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D()(x)  # (batch, 14, 14, 16), then (batch, 7, 7, 32), then (batch, 3, 3, 64)
    x = layers.GlobalAveragePooling2D()(x)  # (batch, 64)
    return keras.Model(inputs, layers.Dense(num_classes, dtype="float32")(x), name="cnn")


MODELS = {"cnn": cnn, "vit": vit}
for build in MODELS.values():
    print(f"{build.__name__}: {build().count_params():,} parameters")

# %% Ten trainings for each seed
from vitkeras import plots, runs, training

settings = {
    "epochs": options.epochs, "batch_size": BATCH_SIZE, "learning_rate": LEARNING_RATE, "weight_decay": WEIGHT_DECAY,
    "patch_size": PATCH_SIZE, "width": WIDTH, "blocks": BLOCKS, "heads": HEADS, "cnn_widths": CNN_WIDTHS,
}  # fmt: skip
run = runs.open_run(options, settings, data, device)
(images, labels), for_validation = training.split(data.x_train, data.y_train, validation=0.1)
steps = options.epochs * training.steps(len(images), BATCH_SIZE)

for part in run.parts(
    seed=range(options.seed, options.seed + options.seeds), percentage=PERCENTAGES, model=MODELS
):  # fmt: skip
    seed, percentage = part.choice["seed"], part.choice["percentage"]
    subset = np.random.default_rng(seed).permutation(len(images))[: len(images) * percentage // 100]
    repeated = np.resize(subset, len(images))  # the few images again and again, as many as the whole set has
    keras.utils.set_random_seed(seed)
    model = MODELS[part.choice["model"]]()
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps - steps // 10, warmup_target=LEARNING_RATE, warmup_steps=steps // 10
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=WEIGHT_DECAY),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        run_eagerly=options.quick,  # a few steps are done sooner than a graph is built
    )
    training.train(
        model, (images[repeated], labels[repeated]), for_validation,
        batch_size=BATCH_SIZE, epochs=options.epochs, seed=seed, run=part,
    )  # fmt: skip
    part.finish(
        test_accuracy=training.evaluate(model, data.x_test, data.y_test).accuracy,
        training_images=len(subset),
        steps=int(model.optimizer.iterations),
        parameters=model.count_params(),
    )

# %% The claim, tested
accuracy = {name: {} for name in MODELS}  # model -> number of training images -> a value for each seed
for row in run.rows:
    accuracy[row["model"]].setdefault(row["training_images"], []).append(100 * row["test_accuracy"])

print("\ntest accuracy, and CNN less ViT: mean ± deviation of the seeds")
print(f"{'images':>8}{'CNN':>18}{'ViT':>18}{'gap (points)':>16}")
gaps = {}
for count in accuracy["cnn"]:
    of_cnn, of_vit = (np.array(accuracy[name][count]) for name in ("cnn", "vit"))
    gaps[count] = of_cnn - of_vit  # by seed: both had the same images
    cells = [f"{values.mean():.2f} ± {values.std(ddof=1):.2f}%" for values in (of_cnn, of_vit)]
    print(f"{count:>8,}{cells[0]:>18}{cells[1]:>18}{gaps[count].mean():>+9.2f} ± {gaps[count].std(ddof=1):.2f}")
plots.with_error(
    accuracy, "test accuracy (%)", f"{data.title}: {steps:,} steps, mean and deviation of {options.seeds} seeds",
    "training images", run.path("hunger.png"),
)  # fmt: skip

# %% Questions to think about
# 1. Both models saw equally many images in all, counted with repetition. Why is the gap not the same everywhere?
# 2. At which number of images does the ViT reach what the CNN has with a tenth of them?
# 3. Which knowledge that the CNN has from the start could augmentation (lesson 8) give the ViT? Try, with 1%.

# %% The number to check
fewest, most = min(gaps), max(gaps)
run.finish(
    answer=f"CNN - ViT: {gaps[fewest].mean():+.2f} points with {fewest:,} training images, "
    f"{gaps[most].mean():+.2f} with {most:,}, {options.seeds} seeds, on {data.title}"
)
