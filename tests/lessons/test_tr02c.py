"""tr02c, run as a student runs it, on a small budget: stopped, resumed, given bad input."""

import functools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from vitkeras import models

REAL_DATA = Path(os.environ.get("VITKERAS_DATA", Path(__file__).parents[3] / "shared" / "data"))


@pytest.fixture(scope="module")
def run(run_lesson):
    return functools.partial(run_lesson, "tr02c")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("student")


@pytest.fixture(scope="module")
def finished(run, folder):
    """A run of two epochs that nobody disturbed, without Graphviz."""
    done = run(folder, "--quick", "--epochs", 2, "--data", "drawn", PATH=str(folder))
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    return done.stdout, folder / "runs" / "tr02c"


def test_digits_that_are_not_mnist_say_so_in_the_first_line_and_in_the_last(finished):
    lines = finished[0].splitlines()
    assert "NOT MNIST" in lines[0]
    assert "not MNIST" in lines[-1]
    assert "Test accuracy" in lines[-1]


def test_a_run_says_what_it_runs_on_and_with_what(finished):
    for word in ("device: ", "precision: float32", "from: ", "Total params: 4,544,778", "epoch 2/2", "left: "):
        assert word in finished[0]


def test_a_run_leaves_its_record_its_model_and_its_pictures(finished, record_of):
    out, folder = finished
    pictures = {"tr02c.png", "tr02c_acc.png", "tr02c_loss.png", "tr02c_confusion.png", "tr02c_mistakes.png"}
    assert {p.name for p in folder.iterdir()} == pictures | {"run.json", "history.csv", "checkpoint.npz", "model.keras"}
    for name in pictures:
        with Image.open(folder / name) as image:
            image.verify()
    record = record_of(folder)
    assert "NOT MNIST" in record["data"]["warning"]
    assert f"{100 * record['results']['test_accuracy']:.2f}%" in out.splitlines()[-1]
    assert len((folder / "history.csv").read_text().splitlines()) == 3


def test_the_model_assembled_in_the_lesson_is_that_of_vitkeras_models(finished):
    def anatomy(model):
        return [(type(layer), {**layer.get_config(), "name": None}) for layer in model.layers]

    lesson = keras.saving.load_model(finished[1] / "model.keras", safe_mode=True)
    assert anatomy(lesson) == anatomy(models.tr02c())


def test_two_epochs_on_a_few_images_learn_something(finished):
    history = np.genfromtxt(finished[1] / "history.csv", delimiter=",", names=True)
    assert history["loss"][1] < history["loss"][0]
    assert history["val_loss"][1] < history["val_loss"][0]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_killed_in_the_middle_of_an_epoch_and_resumed_it_ends_as_if_nothing_had_happened(
    finished, folder, run, lesson_command
):
    out = folder / "broken"
    words = ("--quick", "--epochs", 2, "--data", "drawn", "--out", out)
    process = subprocess.Popen(
        lesson_command("tr02c", *words), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while not (out / "history.csv").exists():
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert len((out / "history.csv").read_text().splitlines()) == 1 + 1

    done = run(folder, *words, "--resume")
    assert done.returncode == 0, done.stderr
    assert "resumed after epoch 1 of 2" in done.stdout
    assert (out / "history.csv").read_bytes() == (finished[1] / "history.csv").read_bytes()
    assert done.stdout.splitlines()[-1] == finished[0].splitlines()[-1]


def test_keras_attention_in_half_precision_runs_as_well(run, folder, record_of):
    done = run(
        folder, "--quick", "--data", "drawn", "--attention", "keras", "--precision", "bfloat16", "--out", "other"
    )
    assert done.returncode == 0, done.stderr
    assert "precision: bfloat16" in done.stdout
    record = record_of(folder / "other")
    assert (record["settings"]["attention"], record["settings"]["precision"]) == ("keras", "bfloat16")


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (["--attention", "hers"], 2, "mine"),
        (["--epochs", "-3"], 2, "-3"),
        (["--data", "no-such-folder"], 2, "no-such-folder"),
        (["--data", "broken.npz"], 1, "broken.npz"),
        (["--data", "drawn", "--quick", "--resume", "--out", "nothing-here"], 2, "nothing-here"),
        (["--data", "drawn", "--quick", "--out", "a-file/run"], 1, "a-file"),
        (["--data", "drawn", "--quick", "--device", "gpu"], 1, "no GPU"),
    ],
)
def test_bad_input_gets_one_message_and_the_right_code(run, folder, words, code, hint):
    (folder / "broken.npz").write_bytes(b"PK\x03\x04 and then nothing")
    (folder / "a-file").write_text("not a folder")
    done = run(folder, *words, CUDA_VISIBLE_DEVICES="")
    assert done.returncode == code
    assert hint in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "runs" / "tr02c-2").exists()


@pytest.mark.skipif(not (REAL_DATA / "mnist.npz").exists(), reason="the real MNIST is not here")
def test_real_mnist_is_called_mnist(run, folder, record_of):
    done = run(folder, "--quick", "--data", REAL_DATA, "--out", "real")
    assert done.returncode == 0, done.stderr
    assert "MNIST" in done.stdout.splitlines()[0]
    assert "not mnist" not in done.stdout.lower()
    assert "Test accuracy" in done.stdout.splitlines()[-1]
    record = record_of(folder / "real")
    assert record["data"]["warning"] == ""
