"""16_the_homework: the lecture's extra homework, solved: more than 99.50% of MNIST, without transfer learning.

A ViT behind three convolutions, and a CNN that has convolutions where the ViT has its blocks: about as many parameters,
the same images, the same number of epochs. Then one thing is changed at a time, in shorter trainings, and the images
held out from training tell what it was worth. The test images are asked at the end of each long training, in one view
and in five, and by the short ones never; nothing is chosen by the answers, for that would be fitting the test set.

Five views are the image as it is and moved by a pixel along the diagonals; their logits are averaged. The running
average of the weights is what a training keeps. Held-out images tell what either is worth.

Muon trains the ViT's matrices. The CNN has AdamW, at a rate of its own: Muon, as Keras has it, is for matrices, and
passes over the kernels of convolutions.

Source:  lecture, "lição de casa extra #1"; Hassani et al., "Escaping the Big Data Paradigm with Compact Transformers",
         2021; Simard et al., "Best practices for convolutional neural networks", 2003 (distorted digits)
Run:     python lessons/16_the_homework.py --precision auto --seeds 3
         python lessons/16_the_homework.py --precision auto --seeds 3 --trainings ablation --epochs 3
         python lessons/16_the_homework.py --precision auto --trainings ships

Expect:  the ViT has 99.61% of MNIST's test images right, the CNN 99.56%, means of three seeds; each ViT 23 to
         32 min on two cores that other work used as well
"""

# %% Options come first: --help and mistakes are answered before TensorFlow is loaded
from vitkeras.options import Count, lesson_options

EPOCHS = 24
BATCH_SIZE = 256
LEARNING_RATE = 0.005  # of the ViT's matrices, by Muon
SHARE_OF_THE_REST = 0.4  # of that rate, for everything else, by Adam
ADAM_RATE = 0.002  # where Adam trains all
WEIGHT_DECAY = 0.05
LABEL_SMOOTHING = 0.1
AVERAGED = 0.998  # how much of the weights' running average a step keeps, in a long training; less in a short one
STEM = ((16, 1), (40, 2), (80, 2))  # channels and stride of each convolution
WIDTH = 80  # D, the width of a token
BLOCKS = 4
LOCAL = 2  # blocks whose heads begin with a look at the neighbours
HEADS = 8
DRAWN = 18000  # digits drawn from fonts, beside MNIST's, for what ships
MOVES = ((0, 0), (-1, -1), (-1, 1), (1, -1), (1, 1))  # pixels down and to the right, of the five views

options = lesson_options(
    "16_the_homework", __doc__, epochs=EPOCHS, seeds=Count(1), trainings=("models", "ablation", "ships")
)

# %% The data. What ships learns digits drawn from fonts as well, so that it reads both
from vitkeras import datasets

data = datasets.load("mnist", options.data, stand_in=True)
print(data.describe())
drawn = datasets.load("drawn")
if options.quick:
    data, drawn = data.first(300, 100), drawn.first(100, 50)
    print("quick: 300 images to train on and 100 to test on, so the numbers below say nothing about the models")

# %% The machine
from vitkeras import machine

device = machine.prepare(options.seed, options.device, options.precision, options.devices)

# %% The ViT, with what can be changed about it as arguments
import keras
from keras import layers, ops

from vitkeras import ClassToken, LeanBlock, PatchEncoder, Patches


def convolution(x, channels, stride=1):
    x = layers.Conv2D(channels, 3, stride, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.95)(x))


def stem(x):
    for channels, stride in STEM:
        x = convolution(x, channels, stride)  # (batch, 28, 28, 16), (batch, 14, 14, 40), (batch, 7, 7, 80)
    return x


def vit(front="convolutions", readout="mean", local=LOCAL):
    inputs = keras.Input(data.image_shape)  # (batch, 28, 28, 1)
    if front == "cut":  # patches of 4 x 4, side by side
        places = Patches(4)(inputs)  # (batch, 49, 16)
    elif front == "overlapping":  # of 7 x 7, 4 apart; the encoder's matrix then sees them as they are
        places = layers.Reshape((49, 49))(ops.image.extract_patches(inputs, 7, 4, padding="same"))
    else:  # of 9 x 9, by three convolutions
        places = layers.Reshape((49, WIDTH))(stem(inputs))  # (batch, 49, 80)
    tokens = PatchEncoder(49, WIDTH)(places)  # (batch, 49, 80)
    if readout == "class token":
        tokens = ClassToken()(tokens)  # (batch, 50, 80)
    for block in range(BLOCKS):
        tokens = LeanBlock(HEADS, 2 * WIDTH, dropout=0.0, grid=(7, 7), local=block < local)(tokens)
    x = layers.RMSNormalization(epsilon=1e-6)(tokens)
    x = layers.GlobalAveragePooling1D()(x) if readout == "mean" else x[:, 0]  # (batch, 80)
    return keras.Model(inputs, layers.Dense(10, dtype="float32", name="logits")(x), name="vit")


# %% The CNN: the same three convolutions, and then four more where the ViT has its blocks
def cnn():
    inputs = keras.Input(data.image_shape)
    x = stem(inputs)  # (batch, 7, 7, 80)
    for _ in range(BLOCKS):
        x = layers.Add()([x, convolution(x, WIDTH)])
    x = layers.GlobalAveragePooling2D()(x)  # (batch, 80)
    return keras.Model(inputs, layers.Dense(10, dtype="float32", name="logits")(x), name="cnn")


# %% What is trained: everything that helps, or all but one
from vitkeras import augmentation, plots, runs, training

AUGMENTED = {
    "distorted": augmentation.distorted,
    "shifted": lambda images, seed: augmentation.shifted(images, seed, 2),
    "none": None,
}
WHOLE = {
    "build": vit, "augmented": "distorted", "optimizer": "muon", "falling": True, "smoothing": LABEL_SMOOTHING,
    "drawn": False,
}  # fmt: skip
CHANGES = {  # name -> what is other than in WHOLE
    "all of it": {},
    "shifts for distortions": {"augmented": "shifted"},
    "no augmentation": {"augmented": "none"},
    "overlapping patches for convolutions": {"build": lambda: vit(front="overlapping")},
    "patches cut side by side": {"build": lambda: vit(front="cut")},
    "class token for the mean": {"build": lambda: vit(readout="class token")},
    "neighbours not first": {"build": lambda: vit(local=0)},
    "AdamW for Muon, its rate, clipped": {"optimizer": "adamw"},
    "a rate that does not fall": {"falling": False},
    "labels not smoothed": {"smoothing": 0.0},
    "drawn digits as well": {"drawn": True},
}
TRAININGS = {
    "models": {"vit": {}, "cnn": {"build": cnn, "optimizer": "adamw"}},
    "ablation": CHANGES,
    "ships": {"vit": {"drawn": True}},  # what `vitkeras` ships, and hands in for exercise mnist_995
}[options.trainings]

# %% Training
import numpy as np

settings = {
    "epochs": options.epochs, "batch_size": BATCH_SIZE, "learning_rate": LEARNING_RATE,
    "share_of_the_rest": SHARE_OF_THE_REST, "adam_rate": ADAM_RATE, "weight_decay": WEIGHT_DECAY,
    "label_smoothing": LABEL_SMOOTHING, "averaged": AVERAGED, "stem": STEM, "width": WIDTH, "blocks": BLOCKS,
    "local": LOCAL, "heads": HEADS, "drawn": [DRAWN, drawn.fingerprint()],
}  # fmt: skip
run = runs.open_run(options, settings, data, device)
for_training, for_validation = training.split(data.x_train, data.y_train, validation=0.1)
some_drawn = drawn.x_train[:DRAWN], drawn.y_train[:DRAWN]
with_drawn = [np.concatenate(parts) for parts in zip(for_training, some_drawn, strict=True)]


def optimizer(name, falling, steps):
    rate = {"muon": LEARNING_RATE, "adamw": ADAM_RATE}[name]
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, options.epochs - 1) * steps, alpha=0.0 if falling else 1.0, warmup_target=rate, warmup_steps=steps
    )
    # The average reaches over a tenth of a training at most: further back the weights were others altogether.
    kept = min(AVERAGED, max(0.0, 1 - 10 / (options.epochs * steps)))
    common = {"weight_decay": WEIGHT_DECAY, "use_ema": True, "ema_momentum": kept}
    if name == "adamw":
        return keras.optimizers.AdamW(rate, global_clipnorm=1.0, **common)
    return keras.optimizers.Muon(
        rate, adam_weight_decay=WEIGHT_DECAY, adam_lr_ratio=SHARE_OF_THE_REST, exclude_layers=["table", "logits"],
        **common,
    )  # fmt: skip


def in_views(model):
    """The model, asked about five views of an image: the average of its logits."""
    inputs = keras.Input(data.image_shape)
    framed = layers.ZeroPadding2D(1)(inputs)  # (batch, 30, 30, 1)
    views = [
        layers.Cropping2D(((1 - down, 1 + down), (1 - right, 1 + right)))(framed)  # (batch, 28, 28, 1)
        for down, right in MOVES
    ]
    asked = keras.Model(inputs, layers.Average()([model(view) for view in views]))
    asked.run_eagerly = options.quick
    return asked


for part in run.parts(seed=range(options.seed, options.seed + options.seeds), training=TRAININGS):
    seed, name = part.choice.values()
    chosen = WHOLE | TRAININGS[name]
    keras.utils.set_random_seed(seed)
    model = chosen["build"]()
    print(f"{name}: {model.count_params():,} parameters")
    images = with_drawn if chosen["drawn"] else for_training
    model.compile(
        optimizer=optimizer(chosen["optimizer"], chosen["falling"], training.steps(len(images[0]), BATCH_SIZE)),
        loss=training.smoothed_crossentropy(chosen["smoothing"]),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        run_eagerly=options.quick,  # a few steps are done sooner than a graph is built
    )
    training.train(
        model, images, for_validation, batch_size=BATCH_SIZE, epochs=options.epochs, seed=seed, run=part,
        augment=AUGMENTED[chosen["augmented"]],
    )  # fmt: skip
    views = in_views(model)
    # `fit` has ended with the averaged weights; what its last epoch said of the images held out is of the last ones.
    held_out = {
        "last weights": part.history["val_accuracy"][-1],
        "averaged": training.evaluate(model, *for_validation).accuracy,
        "five views": training.evaluate(views, *for_validation).accuracy,
    }
    results = {"held_out": held_out, "parameters": model.count_params(), "seconds": sum(part.seconds)}
    if options.trainings != "ablation":
        outcome = training.evaluate(model, data.x_test, data.y_test)
        results |= {
            "test_accuracy": outcome.accuracy,
            "test_accuracy_in_five_views": training.evaluate(views, data.x_test, data.y_test).accuracy,
            "drawn_test_accuracy": training.evaluate(model, drawn.x_test, drawn.y_test).accuracy,
        }
        plots.worst_mistakes(outcome, data, part.path("mistakes.png"))
    part.finish(model, **results, history=part.history)

# %% What came out
rows = {name: [row for row in run.rows if row["training"] == name] for name in TRAININGS}


def percent(values):
    """Mean and, of several seeds, their standard deviation: '99.52 (0.03)'."""
    spread = f" ({100 * np.std(values, ddof=1):.2f})" if len(values) > 1 else ""
    return f"{100 * np.mean(values):.2f}{spread}"


columns = ["held out: last weights", "averaged", "five views"]
print(f"\n{'% right, mean (deviation)':>38}" + "".join(f"{column:>24}" for column in columns))
for name, of_name in rows.items():
    values = [[row["held_out"][key] for row in of_name] for key in of_name[0]["held_out"]]
    print(f"{name:>38}" + "".join(f"{percent(column):>24}" for column in values))
if options.trainings != "ablation":
    for name, of_name in rows.items():
        plain, views = ([row[key] for row in of_name] for key in ("test_accuracy", "test_accuracy_in_five_views"))
        print(f"{name}: test images {percent(plain)}, in five views {percent(views)}")
    plots.compare_curves(
        {name: [row["history"] for row in of_name] for name, of_name in rows.items()}, data.title,
        run.path("curves.png"),
    )  # fmt: skip
else:
    plots.dots(
        {name: [100 * row["held_out"]["averaged"] for row in of_name] for name, of_name in rows.items()},
        "held-out images right (%)", f"{data.title}: {options.epochs} epochs, one thing changed",
        run.path("ablation.png"),
    )  # fmt: skip

# %% Questions to think about
# 1. Which changes are larger than the spread of the seeds? What would it take to tell the others from chance?
# 2. The averaged weights were never trained as such. Why are they better than the last ones, and when would they not?
# 3. Five views cost five times the computation. What else could be bought for it, at training and at test time?

# %% The number to check
if options.trainings != "ablation":
    tested = {name: percent([row["test_accuracy"] for row in of_name]) for name, of_name in rows.items()}
    answer = f"test images right: {', '.join(f'{name} {figures}%' for name, figures in tested.items())}"
else:
    of_all = [row["held_out"]["averaged"] for row in rows["all of it"]]
    answer = f"held-out images right with all of it: {percent(of_all)}%, after {options.epochs} epochs"
run.finish(answer=f"{answer} (seeds: {options.seeds}), on {data.title}")
