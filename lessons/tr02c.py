"""tr02c: a Vision Transformer that reads handwritten digits (the lecture's program P).

An image is cut into 16 patches. Each patch becomes a token of 64 numbers; four Transformer blocks let every token look
at every other; a dense head names the digit. Hyper-parameters are the lecture's.

Run:     python lessons/tr02c.py                  60 epochs, as in the lecture
         python lessons/tr02c.py --quick          does everything once on a few images, in a minute
         python lessons/tr02c.py --resume         goes on with a run that was stopped

Expect:  about 98.7% of MNIST's test images right (98.72% with seed 1: lessons/results/tr02c-mnist), after 60 epochs of
         about 39 s each on two CPU cores, 32 s with --precision bfloat16 (lessons/results/benchmark-tr02c.json)
"""

# %% Options come first: --help and mistakes are answered before TensorFlow is loaded
from vitkeras.options import lesson_options

EPOCHS = 60
BATCH_SIZE = 256
LEARNING_RATE = 0.001
WEIGHT_DECAY = 0.0001
PATCH_SIZE = 7
PROJECTION_DIM = 64  # D, the width of a token
NUM_HEADS = 4
TRANSFORMER_LAYERS = 4
MLP_UNITS = (2 * PROJECTION_DIM, PROJECTION_DIM)
HEAD_UNITS = (2048, 1024)

options = lesson_options("tr02c", __doc__, epochs=EPOCHS, attention=("mine", "keras"))

# %% The data, and a word on what it is
from vitkeras import datasets

data = datasets.load("mnist", options.data, stand_in=True)
print(data.describe())
if options.quick:
    data = data.first(2000, 1000)
    print("quick: 2,000 images to train on and 1,000 to test on, so the numbers below say nothing about the model")

# %% The machine
from vitkeras import machine

device = machine.prepare(options.seed, options.device, options.precision, options.devices)

# %% The model, from the image to ten logits: scores of the digits, which a softmax would turn into probabilities
import keras
from keras import layers

from vitkeras import MyMultiHeadAttention, PatchEncoder, Patches

image_height, image_width, _ = data.image_shape
num_patches = (image_height // PATCH_SIZE) * (image_width // PATCH_SIZE)
attention_layer = {"mine": MyMultiHeadAttention, "keras": layers.MultiHeadAttention}[options.attention]

inputs = keras.Input(data.image_shape)  # (batch, 28, 28, 1)
patches = Patches(PATCH_SIZE)(inputs)  # (batch, 16, 49)
tokens = PatchEncoder(num_patches, PROJECTION_DIM)(patches)  # (batch, 16, 64)

for _ in range(TRANSFORMER_LAYERS):
    # Every token looks at every other. key_dim is the width of one head: Q, K and V are 4 * 64 wide.
    x = layers.LayerNormalization(epsilon=1e-6)(tokens)
    x = attention_layer(num_heads=NUM_HEADS, key_dim=PROJECTION_DIM, dropout=0.1)(x, x)  # (batch, 16, 64)
    tokens = layers.Add()([x, tokens])  # skip connection 1

    # Then each token thinks for itself.
    x = layers.LayerNormalization(epsilon=1e-6)(tokens)
    for units in MLP_UNITS:
        x = layers.Dense(units, activation="gelu")(x)  # (batch, 16, 128), then (batch, 16, 64)
        x = layers.Dropout(0.1)(x)
    tokens = layers.Add()([x, tokens])  # skip connection 2

x = layers.LayerNormalization(epsilon=1e-6)(tokens)
x = layers.Flatten()(x)  # (batch, 1024): the tokens of all 16 places side by side
x = layers.Dropout(0.5)(x)
for units in HEAD_UNITS:
    x = layers.Dense(units, activation="gelu")(x)  # (batch, 2048), then (batch, 1024)
    x = layers.Dropout(0.5)(x)
logits = layers.Dense(len(data.class_names), dtype="float32")(x)  # (batch, 10)

model = keras.Model(inputs, logits, name="tr02c")
model.summary(line_length=100)
model.compile(
    optimizer=keras.optimizers.AdamW(LEARNING_RATE, weight_decay=WEIGHT_DECAY),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    run_eagerly=options.quick,  # a few steps are done sooner than a graph is built
)

# %% Training. The last tenth of the training images is held out to watch; the test images wait until the end.
from vitkeras import diagram, plots, runs, training

settings = {
    "attention": options.attention, "batch_size": BATCH_SIZE, "learning_rate": LEARNING_RATE,
    "weight_decay": WEIGHT_DECAY, "patch_size": PATCH_SIZE, "projection_dim": PROJECTION_DIM, "num_heads": NUM_HEADS,
    "transformer_layers": TRANSFORMER_LAYERS, "mlp_units": MLP_UNITS, "head_units": HEAD_UNITS,
}  # fmt: skip
run = runs.open_run(options, settings, data, device)
diagram.draw(model, run.path("tr02c.png"))
for_training, for_validation = training.split(data.x_train, data.y_train, validation=0.1)
history = training.train(
    model, for_training, for_validation, batch_size=BATCH_SIZE, epochs=options.epochs, seed=options.seed, run=run
)
plots.curves(history, data, run.path("tr02c_acc.png"), run.path("tr02c_loss.png"))

# %% The test: once, at the end
outcome = training.evaluate(model, data.x_test, data.y_test)
plots.confusion(outcome, data, run.path("tr02c_confusion.png"))
plots.worst_mistakes(outcome, data, run.path("tr02c_mistakes.png"))
run.finish(
    model,
    answer=f"Test accuracy: {100 * outcome.accuracy:.2f}% on {data.title}",
    test_accuracy=outcome.accuracy,
    test_images=len(data.y_test),
)
