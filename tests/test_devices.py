"""Several devices in one machine, shown on two halves of a CPU: they learn what one learns."""

import json
import subprocess
import sys

import pytest

SCRIPT = """
import json, sys
from pathlib import Path
import numpy as np, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import keras
from vitkeras import EncoderBlock, PatchEncoder, Patches, machine, training
from vitkeras.runs import Run

chance = np.random.default_rng(1)
images = chance.integers(0, 256, (176, 8, 8, 1), "uint8")  # eleven batches of 16
labels = (images.mean((1, 2, 3)) > 127).astype("int32")

def history(folder, devices, epochs):
    tf.distribute.experimental_set_strategy(None)
    about = machine.prepare(1, "cpu", devices=devices)
    inputs = keras.Input((8, 8, 1))
    tokens = EncoderBlock(2, 16, dropout=0.0)(PatchEncoder(4, 8)(Patches(4)(inputs)))
    model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(tokens)))
    model.compile(
        optimizer=keras.optimizers.AdamW(0.01, weight_decay=0.01),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    run = Run(Path(folder), {})
    data = (images, labels), (images[:32], labels[:32])
    found = training.train(model, *data, batch_size=16, epochs=epochs, seed=1, run=run)
    outcome = training.evaluate(model, images, labels)
    run.finish(model)
    run.release()
    return {"history": found, "accuracy": outcome.accuracy, "device": about["device"]}

first = history("one", "one", 2)
both = history("all", "all", 2)
history("stopped", "all", 1)
resumed = history("stopped", "all", 2)
print(json.dumps([first, both, resumed]))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What a training by one device, by two, and by two with an interruption have come to."""
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=tmp_path_factory.mktemp("devices"), capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


def test_two_devices_share_each_batch_and_learn_what_one_learns(told):
    one, both, _ = told
    assert both["device"].endswith("each batch shared by 2")
    for name, values in one["history"].items():
        assert both["history"][name] == pytest.approx(values, rel=1e-4), name
    assert both["accuracy"] == pytest.approx(one["accuracy"], abs=0.012)  # two images of 176


def test_a_shared_training_goes_on_where_it_stopped(told):
    _, both, resumed = told
    for name, values in both["history"].items():
        assert resumed["history"][name] == pytest.approx(values, rel=1e-4), name
