"""19_several_machines: one training on several machines, which learns what one machine alone would have learned.

Each machine has all of the weights and its share of every batch. It works out the gradient of its share; the shares
are averaged over the network, and all take the same step. So nothing changes but the time: the loss of every epoch is
that of one machine, up to rounding, for a sum in another order rounds differently.

Is it worth it? At each step as many numbers as there are weights go over the network, out and back. If that takes
longer than the computation that it saves, several machines are slower than one. A small ViT has too little to compute;
the paper's have enough. And when several trainings are to be compared, there is a simpler way: each to a machine of
its own, with nothing to exchange (`python -m vitkeras.sweep`).

Keras does this on JAX, not on TensorFlow, where it says that it cannot (keras#20585). Our layers run on both. What
stands for several machines here are processes of this one, which meet on its loopback; on real ones start the
script on each, with its number:

    python lessons/19_several_machines.py --process 1 --meet HOST-OF-THE-FIRST:9111
    python lessons/19_several_machines.py --process 2 --meet HOST-OF-THE-FIRST:9111

Source:  Goyal et al., "Accurate, Large Minibatch SGD", 2017; keras.io, "Distributed training with Keras 3"; facts on
         keras#20585
Run:     python lessons/19_several_machines.py                      two processes of this machine, then one
         python lessons/19_several_machines.py --processes 4        four of them

Expect:  the losses of two processes are within 4e-07 of those of one; 54 s on two cores. A step by two took 168 ms,
         alone 121 ms: sharing a machine, they had little to gain
"""

# %% Options come first: --help and mistakes are answered before anything heavy is loaded
from vitkeras.options import Count, lesson_options

EPOCHS = 3
IMAGES = 6000
BATCH_SIZE = 240  # of all machines together: 1, 2, 3, 4, 5, 6, 8 and more can share it
LEARNING_RATE = 0.002
WEIGHT_DECAY = 0.05
PATCH_SIZE = 7
WIDTH = 64
BLOCKS = 2
HEADS = 4
NETWORKS = {"100 Mbit/s": 12.5e6, "1 Gbit/s": 125e6, "100 Gbit/s": 12.5e9}  # bytes a second

options = lesson_options(
    "19_several_machines", __doc__, backend="jax", epochs=EPOCHS, quick_epochs=2, processes=Count(2),
    process=Count(0, least=0), meet="HOST:PORT where the processes meet, that of the first one",
)  # fmt: skip

from vitkeras import several

several.check(options, BATCH_SIZE)

# %% The data: on every machine the same
from vitkeras import datasets

data = datasets.load("mnist", options.data, stand_in=True)
data = data.first(480 if options.quick else IMAGES, 240)
if not options.process:
    print(data.describe())

# %% The machines. Where there are several, they wait here until all have come
keras, device = several.prepare(options)
if options.process:
    several.require_same(options, data)

# %% The model: the same on every machine, for the seed is the same
from keras import layers

from vitkeras import EncoderBlock, PatchEncoder, Patches


def vit():
    inputs = keras.Input(data.image_shape)  # (batch, 28, 28, 1)
    patches = Patches(PATCH_SIZE)(inputs)  # (batch, 16, 49)
    tokens = PatchEncoder(patches.shape[1], WIDTH)(patches)  # (batch, 16, 64)
    for _ in range(BLOCKS):
        tokens = EncoderBlock(HEADS, 2 * WIDTH, dropout=0.0)(tokens)  # dropout would differ from machine to machine
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization(epsilon=1e-6)(tokens))  # (batch, 64)
    return keras.Model(inputs, layers.Dense(10)(x), name="vit")


# %% The batches. All draw the same order, and each takes its own part of every batch
import numpy as np


def batches(number, count):
    """For machine `number` of `count`, epoch after epoch."""
    share = BATCH_SIZE // count
    epoch = 0
    while True:
        order = np.random.default_rng((options.seed, epoch)).permutation(len(data.x_train))
        for start in range(0, len(order) - BATCH_SIZE + 1, BATCH_SIZE):
            mine = order[start + number * share : start + (number + 1) * share]
            yield data.x_train[mine] / np.float32(255), data.y_train[mine]
        epoch += 1


# %% The training. Of the many machines nothing is to be seen here: Keras averages the gradients
import time


def learn(number=0, count=1):
    model = vit()
    model.compile(
        optimizer=keras.optimizers.AdamW(LEARNING_RATE, weight_decay=WEIGHT_DECAY),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    steps, seconds = len(data.x_train) // BATCH_SIZE, []
    clock = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seconds.append(-time.perf_counter()),
        on_epoch_end=lambda epoch, logs: seconds.append(seconds.pop() + time.perf_counter()),
    )
    stream = batches(number, count)
    history = model.fit(
        stream, steps_per_epoch=steps, epochs=options.epochs, verbose=0, shuffle=False, callbacks=[clock]
    )
    weights = np.concatenate([array.ravel() for array in model.get_weights()])
    return {"history": history.history, "seconds": seconds, "steps": steps, "weights": weights}


# %% One of several: it learns, leaves what it found, and ends. The first one of all starts them, and then learns alone
if options.process:
    several.leave(options, learn(options.process - 1, options.processes))

from vitkeras import plots, runs

settings = {
    "epochs": options.epochs, "images": len(data.x_train), "batch_size": BATCH_SIZE, "learning_rate": LEARNING_RATE,
    "weight_decay": WEIGHT_DECAY, "patch_size": PATCH_SIZE, "width": WIDTH, "blocks": BLOCKS, "heads": HEADS,
    "processes": options.processes,
}  # fmt: skip
run = runs.open_run(options, settings, data, device)
print(f"\n{options.processes} processes, each with {BATCH_SIZE // options.processes} images of every batch ...")
together = several.start(options, run)
print("one process alone, on as much of the processor as each of them had ...")
alone = learn()

# %% What came out
print(f"\n{'epoch':>5}  {'loss, alone':>13}  {'process 1 of ' + str(options.processes):>15}  {'difference':>10}")
for epoch, (one, many) in enumerate(zip(alone["history"]["loss"], together[0]["history"]["loss"], strict=True), 1):
    print(f"{epoch:>5}  {one:13.7f}  {many:15.7f}  {many - one:+10.1e}")
losses = np.array([found["history"]["loss"] for found in [alone, *together]])  # (1 + processes, epochs)
apart = np.abs(losses - losses[0]).max() / losses[0].min()
weights_apart = max(np.abs(found["weights"] - together[0]["weights"]).max() for found in together)
print(f"losses differ by {apart:.1e} of their value at most; the processes' weights from each other by {weights_apart}")

parameters, steps = len(alone["weights"]), alone["steps"]
step = {"alone": min(alone["seconds"]) / steps, "together": min(together[0]["seconds"]) / steps}  # the quickest epoch
print(f"\na step alone {1000 * step['alone']:.1f} ms, by {options.processes} {1000 * step['together']:.1f} ms")

# %% Is it worth it? All that a step computes is shared, and then the gradients go round: out of and into each machine
MACHINES = np.array([1, 2, 4, 8, 16])
exchanged = 2 * 4 * parameters * (MACHINES - 1) / MACHINES  # bytes, four for each weight
times = {network: step["alone"] / (step["alone"] / MACHINES + exchanged / speed) for network, speed in NETWORKS.items()}
print(f"{parameters:,} weights: two machines exchange {exchanged[1] / 1e6:.2f} MB at every step")
for network, speed in NETWORKS.items():
    wait = 1000 * exchanged[1] / speed
    print(f"{network:>12}: {wait:7.3f} ms for that, so two are {times[network][1]:.2f} times as fast at best")
plots.speed_up(
    MACHINES, times, f"{parameters:,} weights, {1000 * step['alone']:.0f} ms a step alone", run.path("speed_up.png")
)

# %% Questions to think about
# 1. Dropout is switched off here. What would have to be the same on all machines for it to change nothing?
# 2. A batch of 240 is 120 for each of two machines. If each had 240, the step would cost what it costs alone. What
#    would have to change with the learning rate (Goyal et al., section 2.1)?
# 3. A ViT-B/16 has 86 million weights, and a step of 32 images takes a GPU about a tenth of a second. Over which of
#    the networks above is it worth having two?

# %% The number to check
run.finish(
    answer=f"by {options.processes} processes, losses within {apart:.0e} of those of one, on {data.title}",
    largest_difference=float(apart),
    weights_apart=float(weights_apart),
    parameters=parameters,
    step_seconds=step,
    history={"alone": alone["history"], "together": together[0]["history"]},
)
