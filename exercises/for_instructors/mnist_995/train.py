"""Train the ViT of mnist_995.py on MNIST and on drawn digits, so that it reads both.

Run:     python train.py --data ../shared/data
         the same command again goes on with a training that was stopped

Every choice is made on the last tenth of the training images; the test images wait for --test.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from mnist_995 import build, vit

from vitkeras import augmentation, datasets, machine, runs, training
from vitkeras.errors import speak_plainly
from vitkeras.files import written_whole

EPOCHS = 40  # through MNIST; the drawn digits are gone through a third as often
BATCH = {"mnist": 96, "drawn": 32}  # images of each in a batch
STRENGTH = {"mnist": 1.0, "drawn": 0.5}  # of the distortion: the drawn digits are distorted already
LEARNING_RATE = 0.002
WEIGHT_DECAY = 0.05
LABEL_SMOOTHING = 0.1
AVERAGED = 0.999  # how much of the weights' running average a step keeps

TILT = 0.18  # turned, slanted and stretched: up to so many pixels for each pixel from the middle
SHIFT = 1.5  # pixels, at most
BEND = 0.7  # pixels, standard deviation at the knots
KNOTS = 5


def distorted(images, seed, strength):
    """Turn, slant, stretch, shift and bend each image.  In and out: (batch, 28, 28, 1)"""
    return augmentation.distorted(
        images, seed, tilt=strength * TILT, shift=strength * SHIFT, bend=strength * BEND, knots=KNOTS
    )


def batches(parts, seed, epoch):
    """Batches without end, some images of each data set in all of them."""
    streams = [
        training.shuffled_batches(
            *parts[name], BATCH[name], seed + number, epoch,
            augment=lambda images, chance, name=name: distorted(images, chance, STRENGTH[name]),
        )
        for number, name in enumerate(parts)
    ]  # fmt: skip

    def together(one, other):
        return tf.concat([one[0], other[0]], 0), tf.one_hot(tf.concat([one[1], other[1]], 0), 10)

    return training.plain(tf.data.Dataset.zip(*streams).map(together).prefetch(2))


def averaged(model, work):
    """What `work()` gives while the model has the average of its weights over the last steps, the calmer ones."""
    weights = [keras.ops.convert_to_numpy(weight).copy() for weight in model.trainable_variables]
    model.optimizer.finalize_variable_values(model.trainable_variables)
    try:
        return work()
    finally:
        for variable, weight in zip(model.trainable_variables, weights, strict=True):
            variable.assign(weight)


class Watch(keras.callbacks.Callback):
    """Tell the percent done; after each epoch ask the images held out, and keep everything in the run's folder."""

    def __init__(self, run, held_out, epochs, steps):
        super().__init__()
        self.run, self.held_out, self.epochs, self.steps = run, held_out, epochs, steps

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch, self.began = epoch, time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        if batch % 100 == 99:
            done = (self.epoch + (batch + 1) / self.steps) / self.epochs
            print(f"{100 * done:5.1f}%  epoch {self.epoch + 1}/{self.epochs}  loss {logs['loss']:.4f}", flush=True)

    def on_epoch_end(self, epoch, logs=None):
        for name, part in self.held_out.items():
            outcome = averaged(self.model, lambda part=part: training.evaluate(self.model, *part))
            logs[f"val_{name}"] = outcome.accuracy
        self.run.save_epoch(self.model, logs, round(time.perf_counter() - self.began, 2))
        said = ", ".join(f"{name} {100 * logs[f'val_{name}']:.2f}%" for name in self.held_out)
        left = (self.epochs - epoch - 1) * float(np.median(self.run.seconds))
        done = 100 * (epoch + 1) / self.epochs
        print(f"{done:5.1f}%  epoch {epoch + 1}/{self.epochs}  held out: {said}  left: {left / 60:.0f} min", flush=True)


def learn(sets, asked, precision):
    """Train on a part of the images of each data set. Returns the run, which keeps the model."""
    epochs = 1 if asked.quick else EPOCHS
    settings = {
        "seed": asked.seed, "epochs": epochs, "quick": asked.quick, "precision": precision, "batch": BATCH,
        "strength": STRENGTH, "learning_rate": LEARNING_RATE, "weight_decay": WEIGHT_DECAY,
        "label_smoothing": LABEL_SMOOTHING, "averaged": AVERAGED, "tilt": TILT, "shift": SHIFT, "bend": BEND,
        "knots": KNOTS, "data": [data.fingerprint() for data in sets.values()],
    }  # fmt: skip
    run = runs.Run(asked.out, settings, "the same command")
    about = {"versions": machine.versions(), "started": runs.now()}
    if run.path("run.json").exists():
        run.take_up_record(about)
    else:
        run.write_record(settings=settings, **about)
    if "finished" in run.record:
        return run

    splits = {name: training.split(data.x_train, data.y_train, validation=0.1) for name, data in sets.items()}
    to_learn = {name: part for name, (part, _) in splits.items()}
    held_out = {name: part for name, (_, part) in splits.items()}
    steps = training.steps(len(to_learn["mnist"][0]), BATCH["mnist"])
    keras.utils.set_random_seed(asked.seed)
    model = vit()
    print(f"{model.count_params():,} parameters, {steps} steps an epoch")
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, epochs - 1) * steps, warmup_target=LEARNING_RATE, warmup_steps=steps
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(
            schedule, weight_decay=WEIGHT_DECAY, global_clipnorm=1.0, use_ema=True, ema_momentum=AVERAGED
        ),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=LABEL_SMOOTHING),
    )
    run.restore(model)
    model.fit(
        batches(to_learn, asked.seed, run.epochs_done),
        steps_per_epoch=steps, initial_epoch=run.epochs_done, epochs=epochs,
        callbacks=[Watch(run, held_out, epochs, steps)], shuffle=False, verbose=0,
    )  # fmt: skip
    model.optimizer.finalize_variable_values(model.trainable_variables)  # the averaged weights are the ones to keep
    run.finish(model, held_out={name: run.history[f"val_{name}"][-1] for name in sets})
    return run


def main():
    speak_plainly()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder or file with MNIST")
    parser.add_argument("--out", default="runs/mnist_995", help="where the run is kept (default runs/mnist_995)")
    parser.add_argument("--seed", type=int, default=1, help="(default 1)")
    parser.add_argument("--precision", choices=("float32", "bfloat16", "auto"), default="auto")
    parser.add_argument("--quick", action="store_true", help="a few images, to see that it runs")
    parser.add_argument("--test", action="store_true", help="ask the test images, too: when all has been chosen")
    asked = parser.parse_args()

    sets = {"mnist": datasets.load("mnist", asked.data, stand_in=True), "drawn": datasets.load("drawn")}
    if asked.quick:
        sets = {name: data.first(2000, 500) for name, data in sets.items()}
    for data in sets.values():
        print(data.describe())
    precision = machine.prepare(asked.seed, "auto", asked.precision)["precision"]
    run = learn(sets, asked, precision)

    # What is handed in asks the trained ViT about five views of an image, and computes in float32.
    keras.config.set_dtype_policy("float32")
    trained = vit()
    trained.load_weights(run.path("model.keras"))
    final = build()
    final.set_weights(trained.get_weights())
    file = Path(asked.out, "handed_in", "model.keras")
    with written_whole(file) as path:
        final.save(path)
    print(f"{file}: {final.count_params():,} parameters, {file.stat().st_size:,} bytes")
    for data in sets.values():
        _, held_out = training.split(data.x_train, data.y_train, validation=0.1)
        said = f"held out {100 * training.evaluate(final, *held_out).accuracy:.2f}%"
        if asked.test:
            said += f", test {100 * training.evaluate(final, data.x_test, data.y_test).accuracy:.2f}%"
        print(f"{data.title}: {said}")


if __name__ == "__main__":
    main()
