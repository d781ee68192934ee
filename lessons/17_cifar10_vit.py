"""15_cifar10_vit: a small ViT that is worth keeping, trained on CIFAR-10.

Lesson 8's ViT cuts its patches and ends near 56%. Here three convolutions make 64 overlapping patches (the paper's
hybrid, section 3.1), more than four times as many epochs go by, and the labels are smoothed. What comes out has
about a megabyte: it is the model that `vitkeras` ships and that lesson 14 goes on from.

Source:  paper, section 3.1, "Hybrid Architecture"; Xiao et al., "Early convolutions help transformers see better", 2021
Run:     python lessons/15_cifar10_vit.py --precision auto

Expect:  82.09% of the test images right: one seed, on the JPEG copy of CIFAR-10, which is not CIFAR-10
         (lessons/results/15_cifar10_vit)
"""

# %% Options come first: --help and mistakes are answered before TensorFlow is loaded
from vitkeras.options import lesson_options

EPOCHS = 36
BATCH_SIZE = 128
LEARNING_RATE = 0.002
WEIGHT_DECAY = 0.05
WARMUP_EPOCHS = 2
LABEL_SMOOTHING = 0.1
SHIFT = 4  # pixels that a training image is moved by, at most
STEM = ((32, 1), (64, 2), (80, 2))  # channels and stride of each convolution
WIDTH = 80  # D, the width of a token
BLOCKS = 3
HEADS = 4

options = lesson_options("15_cifar10_vit", __doc__, epochs=EPOCHS)

# %% The data
from vitkeras import datasets

data = datasets.load("cifar10", options.data, stand_in=True)
print(data.describe())
if options.quick:
    data = data.first(1000, 500)
    print("quick: 1,000 images to train on and 500 to test on, so the numbers below say nothing about the model")

# %% The machine
from vitkeras import machine

device = machine.prepare(options.seed, options.device, options.precision)

# %% Augmentation, as in lesson 8
from vitkeras import augmentation, plots, runs, training


def augment(images, seed):
    images = augmentation.shifted(images, seed, SHIFT)
    return augmentation.mirrored(images, seed) if data.name == "cifar10" else images


settings = {
    "epochs": options.epochs, "batch_size": BATCH_SIZE, "learning_rate": LEARNING_RATE, "weight_decay": WEIGHT_DECAY,
    "warmup_epochs": WARMUP_EPOCHS, "label_smoothing": LABEL_SMOOTHING, "shift": SHIFT, "stem": STEM, "width": WIDTH,
    "blocks": BLOCKS, "heads": HEADS,
}  # fmt: skip
run = runs.open_run(options, settings, data, device)

# %% The model: convolutions make the tokens, encoder blocks let them look at each other
import keras
from keras import layers

from vitkeras import EncoderBlock, PatchEncoder

num_classes = len(data.class_names)

x = inputs = keras.Input(data.image_shape)  # (batch, 32, 32, 3)
for channels, stride in STEM:
    x = layers.Conv2D(channels, 3, stride, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(x)  # (batch, 32, 32, 32), (batch, 16, 16, 64), (batch, 8, 8, 80)
places = layers.Reshape((-1, x.shape[-1]))(x)  # (batch, 64, 80): overlapping patches of 9 x 9 pixels
tokens = PatchEncoder(places.shape[1], WIDTH)(places)  # (batch, 64, 80)
for _ in range(BLOCKS):
    tokens = EncoderBlock(HEADS, mlp_dim=2 * WIDTH, dropout=0.0)(tokens)  # (batch, 64, 80)
x = layers.LayerNormalization(epsilon=1e-6)(tokens)
x = layers.GlobalAveragePooling1D()(x)  # (batch, 80)
model = keras.Model(inputs, layers.Dense(num_classes, dtype="float32")(x), name="cifar10_vit")
print(f"{model.count_params():,} parameters")


# %% Training. A smoothed label asks for 91% of certainty, not for all of it, and so the logits stay small
for_training, for_validation = training.split(data.x_train, data.y_train, validation=0.1)
steps = training.steps(len(for_training[0]), BATCH_SIZE)
schedule = keras.optimizers.schedules.CosineDecay(
    0.0, max(1, options.epochs - WARMUP_EPOCHS) * steps,
    warmup_target=LEARNING_RATE, warmup_steps=WARMUP_EPOCHS * steps,
)  # fmt: skip
model.compile(
    optimizer=keras.optimizers.AdamW(schedule, weight_decay=WEIGHT_DECAY),
    loss=training.smoothed_crossentropy(LABEL_SMOOTHING),
    metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
)
history = training.train(
    model, for_training, for_validation, batch_size=BATCH_SIZE, epochs=options.epochs,
    seed=options.seed, run=run, augment=augment,
)  # fmt: skip
plots.curves(history, data, run.path("accuracy.png"), run.path("loss.png"))

# %% The test images: once, at the end
outcome = training.evaluate(model, data.x_test, data.y_test)
plots.confusion(outcome, data, run.path("confusion.png"))
plots.worst_mistakes(outcome, data, run.path("mistakes.png"))

# %% Questions to think about
# 1. Count the multiplications of the three convolutions and of the three blocks. Which part is the dearer one?
# 2. What is left of the gain over lesson 8 if it has 8 epochs only (`--epochs 8`)?
# 3. The patches overlap: each token has seen 9 x 9 pixels, and its neighbour begins 4 pixels further on. What is lost
#    where they are cut side by side?

# %% The number to check
run.finish(
    model,
    test_accuracy=outcome.accuracy,
    class_accuracy=outcome.class_accuracy,
    parameters=model.count_params(),
    answer=f"{100 * outcome.accuracy:.2f}% of the test images right after {options.epochs} epochs, on {data.title}",
)
