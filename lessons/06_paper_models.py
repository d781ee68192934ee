"""06_paper_models: the paper's ViTs counted to the last parameter, and its training recipe taken apart.

Table 1 of the paper lists three sizes, Base, Large and Huge; Tiny and Small came later. A letter is a size, the number
behind the slash the side of a patch: B/16 and B/32 differ in nothing but their patches. (Text 002 takes B and L for
training stages; they are sizes.) We assemble a ViT from a row of the table, count it, and compare with the paper and
with KerasHub. Then a small ViT is trained by the paper's recipe, and by the recipe less one ingredient at a time.

Source:  paper, table 1, sections 3.1 and 4.1, appendix B.1; text 001, "otimizador"; text 002
Run:     python lessons/06_paper_models.py

Expect:  630,764,800 parameters in H/14, in ours, in KerasHub's, and counted by hand. Recorded on 10,000 images of MNIST
         with 3 seeds: the whole recipe 94.11%; warm-up, clipping and Adam have an effect, weight decay none that shows
         (lessons/results/06_paper_models)
"""

# %% Options come first: --help and mistakes are answered before TensorFlow is loaded
from vitkeras.options import Count, lesson_options

EPOCHS = 5
SEEDS = 3
TRAINING_IMAGES = 10000
BATCH_SIZE = 128
LEARNING_RATE = 0.003
WEIGHT_DECAY = 0.1  # the paper's, "high"
CLIP_NORM = 1.0
WARMUP_STEPS = 100
PATCH_SIZE = 7

options = lesson_options("06_paper_models", __doc__, epochs=EPOCHS, seeds=Count(SEEDS, least=2))

# %% The data, for the second half
from vitkeras import datasets

data = datasets.load("mnist", options.data, stand_in=True)
print(data.describe())
data = data.first(400, 200) if options.quick else data.first(TRAINING_IMAGES, len(data.y_test))
if options.quick:
    options.seeds = 2
    print("quick: 400 images to train on, 200 to test on, two seeds, one ingredient, and two of the paper's models")

# %% The machine
from vitkeras import machine

device = machine.prepare(options.seed, options.device, options.precision, options.devices)

# %% A ViT from a row of the table: equations 1 to 4
import dataclasses

import keras
from keras import layers

from vitkeras import ClassToken, EncoderBlock, Patches, PositionEmbedding, plots, runs, training
from vitkeras.models import PAPER_SIZES, Size

SMALL = Size(blocks=1 if options.quick else 4, width=64, mlp_dim=256, heads=4)
settings = {
    "epochs": options.epochs, "batch_size": BATCH_SIZE, "learning_rate": LEARNING_RATE, "weight_decay": WEIGHT_DECAY,
    "clip_norm": CLIP_NORM, "warmup_steps": WARMUP_STEPS, "patch_size": PATCH_SIZE, "size": dataclasses.asdict(SMALL),
}  # fmt: skip
run = runs.open_run(options, settings, data, device)


def vit(size, patch_size, image_shape=(224, 224, 3), num_classes=None):
    """Without `num_classes` there is no head: the model gives what the class token has gathered."""
    inputs = keras.Input(image_shape)
    patches = Patches(patch_size)(inputs)  # (batch, N, P * P * C)
    tokens = layers.Dense(size.width, name="projection")(patches)  # (batch, N, D)
    tokens = ClassToken(name="class_token")(tokens)  # (batch, N + 1, D)
    tokens = PositionEmbedding(patches.shape[1] + 1, name="positions")(tokens)  # (1)
    for number in range(size.blocks):
        tokens = EncoderBlock(size.heads, size.mlp_dim, dropout=0.0, name=f"block_{number + 1}")(tokens)  # (2) and (3)
    image = layers.LayerNormalization(epsilon=1e-6, name="norm")(tokens)[:, 0]  # (4): (batch, D)
    if num_classes:
        image = layers.Dense(num_classes, dtype="float32", name="head")(image)
    return keras.Model(inputs, image)


# %% Table 1, counted. Inside a stateless scope, Keras makes no weights, only their shapes: a Huge one needs no memory
import keras_hub


def count(size, patch_size, num_classes=None):
    with keras.StatelessScope(initialize_variables=False):
        return vit(size, patch_size, num_classes=num_classes).count_params()


def count_in_keras_hub(size, patch_size):
    with keras.StatelessScope(initialize_variables=False):
        return keras_hub.models.ViTBackbone(
            (224, 224, 3), patch_size, num_layers=size.blocks, num_heads=size.heads, hidden_dim=size.width,
            mlp_dim=size.mlp_dim,
        ).count_params()  # fmt: skip


def by_hand(size, patch_size):
    """Weights and biases, one part after the other."""
    d, m, tokens = size.width, size.mlp_dim, (224 // patch_size) ** 2 + 1
    embedding = (3 * patch_size**2 * d + d) + d + tokens * d  # projection, class token, positions
    block = 4 * (d * d + d) + (d * m + m + m * d + d) + 2 * 2 * d  # Q, K, V and output; MLP; two LayerNorms
    return embedding + size.blocks * block + 2 * d  # ... and the last LayerNorm


variants = [(name, patch) for name in PAPER_SIZES for patch in ((14,) if name == "H" else (16, 32))]
if options.quick:
    variants = [("Ti", 16), ("S", 32)]
print(f"\n{'':6}{'blocks':>7}{'width':>7}{'MLP':>6}{'heads':>7}{'tokens':>8}{'parameters':>14}{'KerasHub':>14}")
parameters = {}
for name, patch in variants:
    size = PAPER_SIZES[name]
    ours, theirs = count(size, patch), count_in_keras_hub(size, patch)
    parameters[f"{name}/{patch}"] = {"ours": ours, "keras_hub": theirs, "by_hand": by_hand(size, patch)}
    tokens = (224 // patch) ** 2 + 1
    shape = f"{size.blocks:>7}{size.width:>7}{size.mlp_dim:>6}{size.heads:>7}{tokens:>8}"
    print(f"{name + '/' + str(patch):6}{shape}{ours:>14,}{theirs:>14,}{'' if ours == theirs else '  (they differ)'}")
equal = all(len(set(counts.values())) == 1 for counts in parameters.values())
print(f"ours, KerasHub's and those counted by hand are {'all equal' if equal else 'NOT all equal'}")

# %% The paper gives 86M, 307M and 632M. Which of its models are these? A head for 1,000 classes adds 1,000 (D + 1)
if not options.quick:
    for name, patch, said in (("B", 16, 86), ("L", 16, 307), ("L", 32, 307), ("H", 14, 632)):
        bare, headed = count(PAPER_SIZES[name], patch) / 1e6, count(PAPER_SIZES[name], patch, 1000) / 1e6
        print(f"{name}/{patch}: the paper says {said}M; {bare:.1f}M without a head, {headed:.1f}M with 1,000 classes")
    print("so 86M is B/16 without a head, 632M H/14 with one, and 307M L/32 with one; L/16 has 304M")

# %% The recipe: Adam, strong weight decay, a warm-up, then a decay, and gradients clipped to length 1
# The decay of weights is that of the paper's largest data set, JFT; rate, cosine and clipping are those for ImageNet.
RECIPES = ("whole", "no warm-up", "no weight decay", "no decay", "no clipping", "SGD for Adam")
if options.quick:
    RECIPES = RECIPES[:2]
for_training, for_validation = training.split(data.x_train, data.y_train, validation=0.1)
steps = options.epochs * training.steps(len(for_training[0]), BATCH_SIZE)


def optimizer(recipe):
    peak = 0.1 if recipe == "SGD for Adam" else LEARNING_RATE
    warmup_steps = 0 if recipe == "no warm-up" else min(WARMUP_STEPS, steps // 2)
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup_steps else peak,
        decay_steps=steps - warmup_steps,
        alpha=1.0 if recipe == "no decay" else 0.0,  # the share of the rate that is left at the end
        warmup_target=peak if warmup_steps else None,
        warmup_steps=warmup_steps,
    )
    clip = None if recipe == "no clipping" else CLIP_NORM
    if recipe == "SGD for Adam":
        # Its rate is another, and the weights shall shrink by as much a step as with Adam.
        decay = WEIGHT_DECAY * LEARNING_RATE / peak
        return keras.optimizers.SGD(rate, momentum=0.9, weight_decay=decay, global_clipnorm=clip)
    decay = 0.0 if recipe == "no weight decay" else WEIGHT_DECAY
    return keras.optimizers.AdamW(rate, weight_decay=decay, global_clipnorm=clip)


for part in run.parts(seed=range(options.seed, options.seed + options.seeds), recipe=RECIPES):
    keras.utils.set_random_seed(part.choice["seed"])
    model = vit(SMALL, PATCH_SIZE, data.image_shape, len(data.class_names))  # 17 tokens
    model.compile(
        optimizer=optimizer(part.choice["recipe"]),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        run_eagerly=options.quick,  # a few steps are done sooner than a graph is built
    )
    training.train(
        model, for_training, for_validation,
        batch_size=BATCH_SIZE, epochs=options.epochs, seed=part.choice["seed"], run=part,
    )  # fmt: skip
    part.finish(test_accuracy=training.evaluate(model, data.x_test, data.y_test).accuracy)

# %% What each ingredient brings: the same seed with it and without it, and an interval for the mean of the differences
# Of five such intervals, each right 95 times in 100, one or more is wrong about once in five times.
import numpy as np
from scipy import stats

accuracies = {
    recipe: np.array([100 * row["test_accuracy"] for row in run.rows if row["recipe"] == recipe]) for recipe in RECIPES
}
effects = {}
print("\ntest accuracy: mean ± deviation of the seeds; then the change by what is left out, and its 95% interval")
for recipe, values in accuracies.items():
    line = f"{recipe:>16}: {values.mean():.2f}% ± {values.std(ddof=1):.2f}"
    if recipe != "whole":
        interval = stats.ttest_rel(values, accuracies["whole"]).confidence_interval(0.95)
        effects[recipe] = (values - accuracies["whole"]).mean(), float(interval.low), float(interval.high)
        verdict = "no effect shown" if interval.low <= 0 <= interval.high else "an effect"
        line += f"   {effects[recipe][0]:+.2f} points, between {interval.low:+.2f} and {interval.high:+.2f}: {verdict}"
    print(line)
plots.dots(accuracies, "test accuracy (%)", f"{data.title}: the recipe less one ingredient", run.path("recipe.png"))

# %% Questions to think about
# 1. B/32 has more parameters than B/16, and yet it is about four times as quick. Where do both come from?
# 2. Which ingredients matter for a small model on small pictures, and which may wait for a bigger one? Try 12 blocks.
# 3. Without decay the last steps are as long as the first. What does the loss do then? (history.csv in the folders)

# %% The number to check
largest = max(parameters, key=lambda name: parameters[name]["ours"])
run.finish(
    answer=f"{largest} has {parameters[largest]['ours']:,} parameters; the whole recipe reaches "
    f"{accuracies['whole'].mean():.2f}% on {data.title}",
    parameters=parameters,
    accuracies={recipe: values.tolist() for recipe, values in accuracies.items()},
    effects=effects,
)
