import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from vitkeras import training


def images_and_labels(count):
    """Image i has the number i in its pixels, in two digits of base 256."""
    numbers = np.arange(count)
    images = np.zeros((count, 2, 1, 1), "uint8")
    images[:, 0, 0, 0], images[:, 1, 0, 0] = numbers % 256, numbers // 256
    return images, numbers.astype("int32")


def epoch_of(stream, per_epoch):
    return [labels.numpy() for _, labels in stream.take(per_epoch)]


def test_an_epoch_has_every_image_once_in_full_batches_and_a_rest():
    images, labels = images_and_labels(1000)
    epoch = epoch_of(training.shuffled_batches(images, labels, 64, seed=1), training.steps(1000, 64))
    assert [len(batch) for batch in epoch] == [64] * 15 + [40]
    np.testing.assert_array_equal(np.sort(np.concatenate(epoch)), labels)


def test_images_keep_their_labels_and_become_numbers_from_0_to_1():
    images, labels = images_and_labels(1000)
    for pixels, numbers in training.shuffled_batches(images, labels, 64, seed=1).take(16):
        bytes_ = np.rint(255 * pixels.numpy()).astype(int)
        np.testing.assert_array_equal(bytes_[:, 0, 0, 0] + 256 * bytes_[:, 1, 0, 0], numbers)
        assert pixels.numpy().max() <= 1


def test_epochs_differ_and_seeds_differ_and_the_same_seed_repeats():
    images, labels = images_and_labels(500)
    first, second = (np.concatenate(epoch_of(training.shuffled_batches(images, labels, 50, 1, e), 10)) for e in (0, 1))
    other = np.concatenate(epoch_of(training.shuffled_batches(images, labels, 50, 2), 10))
    again = np.concatenate(epoch_of(training.shuffled_batches(images, labels, 50, 1), 10))
    assert (first != second).mean() > 0.9
    assert (first != other).mean() > 0.9
    np.testing.assert_array_equal(first, again)


def test_starting_at_an_epoch_equals_having_run_those_before():
    images, labels = images_and_labels(130)
    whole = [batch.numpy() for _, batch in training.shuffled_batches(images, labels, 50, seed=7).take(9)]
    late = [batch.numpy() for _, batch in training.shuffled_batches(images, labels, 50, seed=7, first_epoch=2).take(3)]
    for expected, batch in zip(whole[6:], late, strict=True):
        np.testing.assert_array_equal(batch, expected)


def test_mixing_may_change_the_labels_of_a_batch_by_its_own_chance():
    images, labels = images_and_labels(100)

    def mix(images, labels, seed):
        return images * 0, labels + tf.random.stateless_uniform((), seed, 0, 1000, tf.int32)

    stream = training.shuffled_batches(images, labels, 50, seed=1, mix=mix)
    plain = training.shuffled_batches(images, labels, 50, seed=1)
    moved = []
    for (pixels, mixed), (_, before) in zip(stream.take(4), plain.take(4), strict=True):
        assert not pixels.numpy().any()
        (difference,) = set((mixed - before).numpy())
        moved.append(difference)
    assert len(set(moved)) > 1


def drawn(epoch):
    images, labels = images_and_labels(70)
    return images + np.uint8(epoch), labels + np.int32(1000 * epoch)


def test_fresh_images_come_epoch_after_epoch_in_full_batches_and_a_rest():
    stream = training.fresh_batches(training.Fresh(drawn, 70), 32)
    batches = [labels.numpy() for _, labels in stream.take(6)]
    assert [len(batch) for batch in batches] == [32, 32, 6] * 2
    np.testing.assert_array_equal(np.concatenate(batches), np.concatenate([drawn(0)[1], drawn(1)[1]]))
    pixels, labels = next(iter(stream))
    np.testing.assert_allclose(255 * pixels.numpy()[:, 0, 0, 0], labels.numpy() % 256, atol=1e-3)


def test_fresh_images_may_begin_at_any_epoch():
    late = training.fresh_batches(training.Fresh(drawn, 70), 32, first_epoch=3)
    np.testing.assert_array_equal(next(iter(late))[1].numpy(), drawn(3)[1][:32])


@pytest.mark.parametrize("way", ["augment", "mix"])
def test_fresh_images_are_not_augmented(way):
    with pytest.raises(ValueError, match="come as they are drawn"):
        training.train(
            None, training.Fresh(drawn, 70), None, batch_size=32, epochs=1, seed=1, run=None, **{way: lambda *_: _}
        )  # fmt: skip


def test_a_smoothed_label_asks_for_a_little_less_than_all():
    logits = np.log(np.array([[0.91, *9 * [0.01]]], "float32"))
    loss = training.smoothed_crossentropy(0.1)
    at_the_target = float(loss(np.array([0]), logits)[0])
    assert at_the_target == pytest.approx(-(0.91 * np.log(0.91) + 0.09 * np.log(0.01)), abs=1e-5)
    assert float(loss(np.array([0]), 2 * logits)[0]) > at_the_target
    plain = keras.losses.sparse_categorical_crossentropy(np.array([3]), logits, from_logits=True)
    np.testing.assert_allclose(training.smoothed_crossentropy(0.0)(np.array([3]), logits), plain, rtol=1e-5)


def test_order_has_no_memory_of_the_place():
    """Over many epochs, each image comes at each place about equally often."""
    images, labels = images_and_labels(8)
    stream = training.shuffled_batches(images, labels, 8, seed=3)
    counts = np.zeros((8, 8), int)
    for _, order in stream.take(800):
        counts[np.arange(8), order.numpy()] += 1
    chi_square = ((counts - 100) ** 2 / 100).sum()
    assert chi_square < 93.2  # 49 degrees of freedom: exceeded once in ten thousand by chance


@pytest.mark.parametrize(
    "make", [lambda x, y: training.batches(x, y, 8), lambda x, y: training.shuffled_batches(x, y, 8, 1)]
)
def test_no_pipeline_leaves_the_stalling_autotuner_on(make):
    assert make(*images_and_labels(16)).options().autotune.enabled is False


def test_the_last_tenth_is_held_out_as_fit_does():
    images, labels = images_and_labels(100)
    (_, inside), (_, outside) = training.split(images, labels, 0.1)
    np.testing.assert_array_equal(np.concatenate([inside, outside]), labels)
    assert len(outside) == 10


def test_evaluate_gives_probabilities_and_accuracy():
    images, labels = images_and_labels(20)
    model = keras.Sequential(
        [keras.Input((2, 1, 1)), keras.layers.Flatten(), keras.layers.Dense(3, kernel_initializer="zeros")]
    )
    model.layers[-1].set_weights([np.zeros((2, 3)), np.array([0.0, 2.0, 1.0])])
    outcome = training.evaluate(model, images, labels % 2, batch_size=8)
    np.testing.assert_allclose(outcome.probabilities.sum(-1), 1, atol=1e-6)
    assert set(outcome.predictions) == {1}
    assert outcome.accuracy == 0.5


# A small model with all that must survive a kill: dropout's generators, Adam's averages, the order of the images; in
# bfloat16 those that the records were trained with: Muon, the average of the weights, batch normalisation's statistics.
PROGRAM = """
import os, signal, sys
import keras, numpy as np, tensorflow as tf
from vitkeras import training
from vitkeras.errors import speak_plainly
from vitkeras.runs import Run

speak_plainly()
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background is born deaf to it
folder, epochs, die_in_epoch, precision = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
keras.utils.set_random_seed(5)
tf.config.experimental.enable_op_determinism()
keras.config.set_dtype_policy(precision)
rng = np.random.default_rng(0)
images = rng.integers(0, 256, (300, 6, 6, 1), dtype="uint8")
labels = (images.mean((1, 2, 3)) > 127.5).astype("int32")
model = keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Flatten(), keras.layers.Dense(16, "gelu"),
                          keras.layers.BatchNormalization(), keras.layers.Dropout(0.5),
                          keras.layers.Dense(2, dtype="float32")])
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
muon = keras.optimizers.Muon(0.01, use_ema=True, ema_momentum=0.9)
optimizer = muon if precision == "mixed_bfloat16" else keras.optimizers.AdamW(0.01)
model.compile(optimizer, loss, metrics=["accuracy"])

class Die(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if die_in_epoch and len(run.seconds) == die_in_epoch - 1 and batch == 3:
            os.kill(os.getpid(), getattr(signal, sys.argv[5]))

run = Run(folder, {}, "python lesson.py --resume")
real_fit = model.fit
model.fit = lambda *a, callbacks, **k: real_fit(*a, callbacks=[*callbacks, Die()], **k)
training.train(model, (images, labels), (images[:50], labels[:50]), batch_size=32, epochs=epochs, seed=5, run=run)
"""


def train(folder, *arguments):
    return subprocess.run([sys.executable, "-c", PROGRAM, folder, *map(str, arguments)], capture_output=True, text=True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_killed_and_resumed_the_history_is_that_of_an_unbroken_run_to_the_last_bit(tmp_path, precision):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert train(whole, 4, 0, precision).returncode == 0
    assert train(broken, 4, 3, precision, "SIGKILL").returncode == -9
    assert len((broken / "history.csv").read_text().splitlines()) == 1 + 2
    resumed = train(broken, 4, 0, precision)
    assert resumed.returncode == 0, resumed.stderr
    assert "resumed after epoch 2 of 4" in resumed.stdout
    assert (broken / "history.csv").read_bytes() == (whole / "history.csv").read_bytes()
    assert sorted(os.listdir(broken)) == ["checkpoint.npz", "history.csv"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to itself")
def test_ctrl_c_says_what_is_saved_and_how_to_go_on(tmp_path):
    done = train(tmp_path / "run", 4, 2, "float32", "SIGINT")
    assert done.returncode == 130
    assert "1 of 4 epochs are saved" in done.stderr
    assert "python lesson.py --resume" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_full_disk_ends_the_training_and_keeps_the_epochs_before(tmp_path):
    """A limit on the size of files stands in for the disk: it lets no checkpoint be written."""
    limit = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))\n"
    words = [sys.executable, "-c", limit + PROGRAM, tmp_path / "run", "2", "0", "float32"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 1
    assert "checkpoint.npz could not be written" in done.stderr
    assert "0 of 2 epochs are saved" in done.stderr
    assert "Traceback" not in done.stderr
    assert os.listdir(tmp_path / "run") == []
