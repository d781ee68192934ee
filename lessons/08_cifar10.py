"""08_cifar10: a small ViT on CIFAR-10, and a CNN of equal parameters and time beside it.

The Italian text stops where its CIFAR-10 example should begin; here it is. A ViT of four blocks over 64 patches of
4 x 4 pixels and a CNN with about as many parameters, which needs about as long for an epoch, learn from the same
images, moved and mirrored anew in every epoch, with the same optimiser and schedule.

Source:  text 004, "Esempio"; lecture, 5, item 1; paper, section 4
Run:     python lessons/08_cifar10.py                8 epochs of each model
         python lessons/08_cifar10.py --resume --seeds 3    the same from two more seeds

Expect:  ViT 56.05%, CNN 77.04% of the test images right: one seed, on the JPEG copy of CIFAR-10, which is not CIFAR-10
         (lessons/results/08_cifar10)
"""

# %% Options come first: --help and mistakes are answered before TensorFlow is loaded
from vitkeras.options import Count, lesson_options

EPOCHS = 8
BATCH_SIZE = 128
LEARNING_RATE = 0.002
WEIGHT_DECAY = 0.05
WARMUP_EPOCHS = 1
SHIFT = 4  # pixels that a training image is moved by, at most
PATCH_SIZE = 4
WIDTH = 64
BLOCKS = 4
HEADS = 4
CNN_WIDTHS = (20, 40, 92)

options = lesson_options("08_cifar10", __doc__, epochs=EPOCHS, seeds=Count(1))

# %% The data
from vitkeras import datasets

data = datasets.load("cifar10", options.data, stand_in=True)
print(data.describe())
if options.quick:
    data = data.first(400, 200)
    print("quick: 400 images to train on and 200 to test on, so the numbers below say nothing about the models")

# %% The machine
from vitkeras import machine

device = machine.prepare(options.seed, options.device, options.precision, options.devices)

# %% Augmentation: a picture shows the same when it is moved a little. A horse mirrored is a horse; a 2 is no 2
from vitkeras import augmentation, plots, runs, training


def augment(images, seed):
    images = augmentation.shifted(images, seed, SHIFT)
    return augmentation.mirrored(images, seed) if data.name == "cifar10" else images


settings = {
    "epochs": options.epochs, "batch_size": BATCH_SIZE, "learning_rate": LEARNING_RATE, "weight_decay": WEIGHT_DECAY,
    "warmup_epochs": WARMUP_EPOCHS, "shift": SHIFT, "patch_size": PATCH_SIZE, "width": WIDTH, "blocks": BLOCKS,
    "heads": HEADS, "cnn_widths": CNN_WIDTHS,
}  # fmt: skip
run = runs.open_run(options, settings, data, device)
plots.augmented(data, augment, options.seed, run.path("augmented.png"))

# %% The ViT
import keras
from keras import layers

from vitkeras import EncoderBlock, PatchEncoder, Patches

image_height, image_width, _ = data.image_shape
num_patches = (image_height // PATCH_SIZE) * (image_width // PATCH_SIZE)
num_classes = len(data.class_names)


def vit():
    inputs = keras.Input(data.image_shape)  # (batch, 32, 32, 3)
    patches = Patches(PATCH_SIZE)(inputs)  # (batch, 64, 48)
    tokens = PatchEncoder(num_patches, WIDTH)(patches)  # (batch, 64, 64)
    for _ in range(BLOCKS):
        tokens = EncoderBlock(HEADS, mlp_dim=2 * WIDTH, dropout=0.0)(tokens)  # (batch, 64, 64)
    x = layers.LayerNormalization(epsilon=1e-6)(tokens)
    x = layers.GlobalAveragePooling1D()(x)  # (batch, 64)
    return keras.Model(inputs, layers.Dense(num_classes, dtype="float32")(x), name="vit")


# %% The CNN. Its convolutions look at 3 x 3 neighbours with the same weights everywhere: locality is built in.
def cnn():
    x = inputs = keras.Input(data.image_shape)  # (batch, 32, 32, 3)
    for width in CNN_WIDTHS:
        for _ in range(2):
            x = layers.Conv2D(width, 3, padding="same", use_bias=False)(x)
            x = layers.BatchNormalization()(x)
            x = layers.ReLU()(x)
        x = layers.MaxPooling2D()(x)  # (batch, 16, 16, 20), then (batch, 8, 8, 40), then (batch, 4, 4, 92)
    x = layers.GlobalAveragePooling2D()(x)  # (batch, 92)
    return keras.Model(inputs, layers.Dense(num_classes, dtype="float32")(x), name="cnn")


MODELS = {"vit": vit, "cnn": cnn}
for build in MODELS.values():
    print(f"{build.__name__}: {build().count_params():,} parameters")

# %% Training: the learning rate rises for an epoch, then falls along a cosine to zero
for_training, for_validation = training.split(data.x_train, data.y_train, validation=0.1)
steps = training.steps(len(for_training[0]), BATCH_SIZE)

for part in run.parts(seed=range(options.seed, options.seed + options.seeds), model=MODELS):
    keras.utils.set_random_seed(part.choice["seed"])
    model = MODELS[part.choice["model"]]()
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, options.epochs - WARMUP_EPOCHS) * steps,
        warmup_target=LEARNING_RATE, warmup_steps=WARMUP_EPOCHS * steps,
    )  # fmt: skip
    model.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=WEIGHT_DECAY),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        run_eagerly=options.quick,  # a few steps are done sooner than a graph is built
    )
    training.train(
        model, for_training, for_validation, batch_size=BATCH_SIZE, epochs=options.epochs,
        seed=part.choice["seed"], run=part, augment=augment,
    )  # fmt: skip

    # The test images: once, at the end
    outcome = training.evaluate(model, data.x_test, data.y_test)
    plots.confusion(outcome, data, part.path("confusion.png"))
    plots.worst_mistakes(outcome, data, part.path("mistakes.png"))
    part.finish(
        model,
        test_accuracy=outcome.accuracy,
        class_accuracy=outcome.class_accuracy,
        seconds_per_epoch=sorted(part.seconds)[len(part.seconds) // 2],
        parameters=model.count_params(),
        history=part.history,
    )

# %% Side by side
import numpy as np

mean = {}
for name in MODELS:
    rows = [row for row in run.rows if row["model"] == name]
    mean[name] = {key: np.mean([row[key] for row in rows], axis=0) for key in ("test_accuracy", "class_accuracy")}
    accuracies = ", ".join(f"{100 * row['test_accuracy']:.2f}%" for row in rows)
    seconds = np.median([row["seconds_per_epoch"] for row in rows])
    print(f"{name}: {rows[0]['parameters']:,} parameters, {seconds:.0f} s an epoch, test accuracy {accuracies}")
plots.compare_curves(
    {name: [row["history"] for row in run.rows if row["model"] == name] for name in MODELS},
    data.title, run.path("curves.png"),
)  # fmt: skip
plots.by_class({name: mean[name]["class_accuracy"] for name in MODELS}, data, run.path("by_class.png"))

# %% Questions to think about
# 1. Which classes do both confuse, and which does only the ViT? Look at the confusion pictures in the folders of both.
# 2. The ViT has no locality built in. Which part of what you see could more data give it, and which could augmentation?
# 3. Take the augmentation away (`augment=None`). Which model suffers more, and in which of the curves do you see it?

# %% The number to check
run.finish(
    answer=f"ViT {100 * mean['vit']['test_accuracy']:.2f}%, CNN {100 * mean['cnn']['test_accuracy']:.2f}% "
    f"of the test images right after {options.epochs} epochs, seeds: {options.seeds}, on {data.title}"
)
