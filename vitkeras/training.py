"""From arrays to a trained model: an input pipeline that never stalls, and a fit that can be killed and goes on."""

import itertools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from vitkeras.errors import Interrupted, Problem
from vitkeras.runs import duration


def batches(images, labels, batch_size):
    """The images in their order, as float32 from 0 to 1. For validation and test."""
    return without_autotuning(
        tf.data.Dataset.from_tensor_slices((images, labels)).batch(batch_size).map(as_floats).prefetch(2)
    )  # fmt: skip


def shuffled_batches(images, labels, batch_size, seed, first_epoch=0, augment=None, mix=None):
    """Epoch after epoch without end, each in another order: a single iterator serves the whole training.

    The order of epoch `e` depends on (seed, e) alone, so that training can start at any epoch as if it had run all
    those before. An epoch has `steps(len(images), batch_size)` batches; the last one takes what is left.
    `augment(images, seed)` changes the images of a batch, with a seed of its own for each; `mix(images, labels, seed)`
    then may change the labels as well; see `augmentation`.
    """
    count = len(images)
    images, labels = tf.constant(images), tf.constant(labels)

    def order(epoch):
        seeds = tf.stack([tf.constant(seed, tf.int64), epoch])
        places = tf.random.experimental.stateless_shuffle(tf.range(count), seeds)  # (images,)
        batches = tf.data.Dataset.from_tensor_slices(places).batch(batch_size)
        return batches.enumerate().map(lambda number, places: (places, tf.random.fold_in(seeds, number)))

    def pick(places, chance):
        picked, names = as_floats(tf.gather(images, places), tf.gather(labels, places))
        picked = augment(picked, chance) if augment else picked
        return mix(picked, names, chance) if mix else (picked, names)

    return without_autotuning(tf.data.Dataset.counter(first_epoch).flat_map(order).map(pick).prefetch(2))


@dataclass(frozen=True, eq=False)
class Fresh:
    """Training images without end: `draw(epoch)` gives `count` images and their labels, the same ones at every call."""

    draw: Callable
    count: int  # images in what counts as an epoch


def fresh_batches(fresh, batch_size, first_epoch=0):
    """Epoch after epoch as they are drawn; the next one is drawn while the model learns from this one."""
    first = fresh.draw(first_epoch)
    kinds = tuple(tf.TensorSpec((None, *array.shape[1:]), array.dtype) for array in first)
    epochs = tf.data.Dataset.from_generator(
        lambda: itertools.chain([first], map(fresh.draw, itertools.count(first_epoch + 1))), output_signature=kinds
    )

    def cut(images, labels):
        return tf.data.Dataset.from_tensor_slices((images, labels)).batch(batch_size)

    return without_autotuning(epochs.prefetch(1).flat_map(cut).map(as_floats).prefetch(2))


def as_floats(images, labels):
    return tf.cast(images, tf.float32) / 255.0, labels


def without_autotuning(dataset):
    """The autotuner's thread wakes at 10, 20, 40 … ms, and freeing an iterator waits until it does.

    At the end of an epoch that wait can double the epoch's time. We choose the prefetching ourselves instead.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def steps(count, batch_size):
    return math.ceil(count / batch_size)


def split(images, labels, validation=0.1):
    """Hold out the last tenth, as `fit(validation_split=0.1)` does: (images, labels) to train on, and to watch."""
    at = int(len(images) * (1 - validation))
    return (images[:at], labels[:at]), (images[at:], labels[at:])


def train(model, for_training, for_validation, *, batch_size, epochs, seed, run, augment=None, mix=None):
    """Fit `model` on (images, labels), keeping each epoch in `run`, from the epoch on that the run has reached.

    `for_training` may also be `Fresh`: then what is drawn comes as it is, and is not augmented.
    """
    if isinstance(for_training, Fresh) and (augment or mix):
        raise ValueError("fresh images come as they are drawn: `augment` and `mix` are for images that come again")
    run.restore(model)
    first = run.epochs_done
    if first:
        print(f"resumed after epoch {first} of {epochs}" + (": nothing is left to train" if first >= epochs else ""))
    progress = ProgressLines(epochs)
    if isinstance(for_training, Fresh):
        stream, count = fresh_batches(for_training, batch_size, first), for_training.count
    else:
        stream, count = shuffled_batches(*for_training, batch_size, seed, first, augment, mix), len(for_training[0])
    try:
        model.fit(
            stream,
            steps_per_epoch=steps(count, batch_size),
            validation_data=batches(*for_validation, batch_size),
            initial_epoch=first,
            epochs=max(first, epochs),
            callbacks=[progress, SaveEpochs(run)],
            shuffle=False,  # the stream is shuffled already
            verbose=0,
        )
    except KeyboardInterrupt:
        raise Interrupted(run.how_to_go_on(epochs)) from None
    except Problem as fault:  # a full disk, for one
        raise Problem(f"{fault} {run.how_to_go_on(epochs)}") from fault
    finally:
        progress.close()
    return run.history


def smoothed_crossentropy(smoothing):
    """Cross-entropy of logits and class numbers, with labels that ask for a little less than all of the certainty."""

    def loss(labels, logits):
        targets = keras.ops.one_hot(keras.ops.cast(labels, "int32"), logits.shape[-1])
        return keras.losses.categorical_crossentropy(targets, logits, from_logits=True, label_smoothing=smoothing)

    return loss


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a classifier said of some images, and what they were.

    probabilities: (images, classes);  predictions, labels: (images,)
    """

    probabilities: np.ndarray
    labels: np.ndarray

    @property
    def predictions(self):
        return self.probabilities.argmax(-1)

    @property
    def accuracy(self):
        return float((self.predictions == self.labels).mean())

    @property
    def class_accuracy(self):
        """The share of right answers among the images of each class; not a number where a class has no image."""
        right = np.bincount(self.labels, self.predictions == self.labels, self.probabilities.shape[-1])
        with np.errstate(invalid="ignore"):
            return (right / np.bincount(self.labels, minlength=len(right))).tolist()


def evaluate(model, images, labels, batch_size=256):
    """Ask the model, which ends in logits, about all images."""
    logits = model.predict(batches(images, labels, batch_size), verbose=0)
    return Outcome(keras.ops.convert_to_numpy(keras.ops.softmax(logits)), labels)


class SaveEpochs(keras.callbacks.Callback):
    """Put each epoch into the run folder as soon as it has ended."""

    def __init__(self, run):
        super().__init__()
        self.run = run

    def on_epoch_begin(self, epoch, logs=None):
        self.began = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.run.save_epoch(self.model, logs, round(time.perf_counter() - self.began, 2))


class ProgressLines(keras.callbacks.Callback):
    """A line for each epoch with the time that is left; on a terminal, also a bar that moves."""

    def __init__(self, epochs):
        super().__init__()
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self.epochs = epochs
        self.seconds = []
        self.bar = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), transient=True
        )

    def on_train_begin(self, logs=None):
        if self.bar.console.is_terminal:
            self.bar.start()

    def close(self):
        """Also where training was cut short: the bar hides the cursor, and what is printed next should not meet it."""
        if self.bar.live.is_started:
            self.bar.stop()

    def on_epoch_begin(self, epoch, logs=None):
        self.task = self.bar.add_task(f"epoch {epoch + 1}/{self.epochs}", total=self.params["steps"])
        self.began = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.bar.update(self.task, completed=batch + 1)

    def on_epoch_end(self, epoch, logs=None):
        self.bar.remove_task(self.task)
        self.seconds.append(time.perf_counter() - self.began)
        # The first epoch also traces the model, hence the median.
        left = (self.epochs - epoch - 1) * float(np.median(self.seconds))
        figures = "  ".join(f"{name} {logs[name]:.4f}" for name in ("loss", "accuracy", "val_loss", "val_accuracy"))
        line = f"epoch {epoch + 1:>{len(str(self.epochs))}}/{self.epochs}  {figures}  {self.seconds[-1]:5.1f} s"
        self.bar.console.print(line + (f"  left: {duration(left)}" if left else ""), highlight=False, soft_wrap=True)
