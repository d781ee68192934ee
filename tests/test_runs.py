import dataclasses
import json
import os
import re
import shutil
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from vitkeras import runs
from vitkeras.datasets import Dataset
from vitkeras.errors import Misuse, Problem

HERE = {"device": "a test", "precision": "float32"}


@pytest.fixture
def data():
    images, labels = np.zeros((4, 6, 6, 1), "uint8"), np.array([0, 1, 0, 1], "int32")
    return Dataset("drawn", "drawn digits", images, labels, images, labels, ("0", "1"), "a test", "not MNIST")


@pytest.fixture
def options(tmp_path):
    kept = {"epochs": 2, "seed": 1}
    return SimpleNamespace(
        lesson="tr02c", **kept, kept=kept, resume=False, out=tmp_path / "run",
        command="python lessons/tr02c.py", resume_command="python lessons/tr02c.py --resume",
    )  # fmt: skip


def save_one_epoch(folder, model, loss=1.0):
    run = runs.Run(folder, {})
    run.save_epoch(model, {"loss": loss}, 1.0)
    run.release()


def make_model(units=3):
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(units), keras.layers.Dropout(0.5)])
    model.compile("adamw", "mse")
    return model


def test_a_month_later_the_folder_tells_what_it_was(options, data):
    run = runs.open_run(options, {"patch_size": 7}, data, HERE)
    run.save_epoch(make_model(), {"loss": 0.25}, 1.5)
    run.finish(make_model(), test_accuracy=0.5)
    record = json.loads((options.out / "run.json").read_text())
    assert record["settings"] == {"patch_size": 7, "seed": 1, "precision": "float32", "data": data.fingerprint()}
    assert record["data"] == {"title": "drawn digits", "origin": "a test", "warning": "not MNIST"}
    assert record["results"] == {"test_accuracy": 0.5}
    assert record["versions"]["keras"] == keras.__version__
    assert record["seconds_per_epoch"] == [1.5]
    assert (options.out / "history.csv").read_text().splitlines() == ["epoch,loss", "1,0.25"]
    x = np.ones((1, 6), "float32")
    assert keras.saving.load_model(options.out / "model.keras", safe_mode=True)(x).shape == (1, 3)


def test_a_restored_model_goes_on_with_the_same_weights_and_optimiser(options, data):
    model, other = make_model(), make_model()
    x, y = np.random.default_rng(0).normal(size=(8, 6)), np.zeros((8, 3))
    model.fit(x, y, verbose=0)
    save_one_epoch(options.out, model, loss=1 / 3)
    again = runs.Run(options.out, {})
    again.restore(other)
    assert again.history == {"loss": [1 / 3]}
    assert again.epochs_done == 1
    for mine, its in zip(runs.state_of(other), runs.state_of(model), strict=True):
        np.testing.assert_array_equal(np.asarray(mine), np.asarray(its))


def test_resuming_keeps_what_was_recorded_and_adds_to_it(options, data):
    run = runs.open_run(options, {"patch_size": 7}, data, HERE)
    run.save_epoch(make_model(), {"loss": 0.25}, 1.5)
    run.finish(make_model(), test_accuracy=0.5)
    before = json.loads((options.out / "run.json").read_text())
    run.release()
    options.resume, options.command = True, "python lessons/tr02c.py --resume"
    runs.open_run(options, {"patch_size": 7}, data, HERE)
    after = json.loads((options.out / "run.json").read_text())
    assert [again["command"] for again in after.pop("resumed")] == [options.command]
    assert after == before


@pytest.mark.parametrize("leftover", ["checkpoint.npz", "history.csv", "model.keras"])
def test_a_new_run_never_starts_on_what_another_left(options, data, leftover):
    options.out.mkdir()
    (options.out / leftover).write_text("from another run")
    with pytest.raises(Misuse, match="holds a run already"):
        runs.open_run(options, {}, data, HERE)
    assert (options.out / leftover).read_text() == "from another run"


def test_a_checkpoint_with_an_impossible_history_is_refused(options):
    save_one_epoch(options.out, make_model())
    with np.load(options.out / "checkpoint.npz") as saved:
        arrays = dict(saved)
    for history in ('{"loss": []}', "[1]", '{"loss": 3}', "null"):
        np.savez(options.out / "checkpoint.npz", **arrays | {"history": np.array(history)})
        run = runs.Run(options.out, {})
        with pytest.raises(Problem, match="damaged"):
            run.restore(make_model())
        run.release()


@pytest.mark.skipif(sys.platform == "win32", reason="no such lock on Windows")
def test_two_processes_never_train_in_one_folder(options, data):
    run = runs.open_run(options, {}, data, HERE)
    with pytest.raises(Misuse, match="another process is training"):
        runs.Run(options.out, {})
    run.release()
    runs.Run(options.out, {})


def test_other_settings_or_other_data_are_refused_by_name_and_nothing_is_touched(options, data):
    run = runs.open_run(options, {"attention": "mine"}, data, HERE)
    run.save_epoch(make_model(), {"loss": 1.0}, 1.0)
    run.release()
    before = {p.name: p.read_bytes() for p in options.out.iterdir()}
    options.resume = True
    with pytest.raises(Misuse, match="attention was 'mine' and is 'keras'"):
        runs.open_run(options, {"attention": "keras"}, data, HERE)
    with pytest.raises(Misuse, match="data was"):
        runs.open_run(options, {"attention": "mine"}, dataclasses.replace(data, x_train=data.x_train + 1), HERE)
    assert {p.name: p.read_bytes() for p in options.out.iterdir()} == before


def test_a_checkpoint_of_another_model_is_refused(options, data):
    save_one_epoch(options.out, make_model(3))
    with pytest.raises(Misuse, match="another model"):
        runs.Run(options.out, {}).restore(make_model(4))


@pytest.mark.parametrize("spoil", [lambda b: b[: len(b) // 2], lambda b: b"nothing", lambda b: b""])
def test_a_damaged_checkpoint_is_named(options, data, spoil):
    save_one_epoch(options.out, make_model())
    file = options.out / "checkpoint.npz"
    file.write_bytes(spoil(file.read_bytes()))
    with pytest.raises(Problem, match=re.escape(str(file))):
        runs.Run(options.out, {}).restore(make_model())


def test_a_pickle_in_a_checkpoint_is_not_run(options, tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    options.out.mkdir()
    np.savez(options.out / "checkpoint.npz", history=np.array([Trap()], dtype=object), seconds=[1.0])
    with pytest.raises(Problem, match="damaged"):
        runs.Run(options.out, {}).restore(make_model())
    assert not (tmp_path / "sprung").exists()


def test_a_full_disk_loses_no_epoch_that_was_saved(options, data, monkeypatch):
    run = runs.Run(options.out, {})
    run.save_epoch(make_model(), {"loss": 1.0}, 1.0)
    before = (options.out / "checkpoint.npz").read_bytes()

    def full(path, **arrays):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(Problem, match=r"checkpoint\.npz.*No space left"):
        run.save_epoch(make_model(), {"loss": 0.5}, 1.0)
    assert (options.out / "checkpoint.npz").read_bytes() == before
    assert sorted(os.listdir(options.out)) == ["checkpoint.npz", "history.csv"]


def train_parts(run, stop_before=None):
    """What a lesson does with its parts: train each, and keep a result. Returns what was trained now."""
    trained = []
    for part in run.parts(model=("cnn", "vit"), seed=(1, 2)):
        if (part.choice["model"], part.choice["seed"]) == stop_before:
            raise KeyboardInterrupt
        trained.append((part.choice["model"], part.choice["seed"]))
        part.save_epoch(make_model(), {"loss": 0.5}, 1.0)
        part.finish(test_accuracy=len(trained) / 4)
    return trained


def test_the_parts_of_a_run_are_all_combinations_and_their_results_are_in_its_rows(options, data):
    run = runs.open_run(options, {}, data, HERE)
    assert train_parts(run) == [("cnn", 1), ("cnn", 2), ("vit", 1), ("vit", 2)]
    run.finish(answer="seen all")
    record = json.loads((options.out / "run.json").read_text())
    assert record["results"]["trainings"][2] == {"model": "vit", "seed": 1, "test_accuracy": 0.75}
    assert record["results"]["answer"] == "seen all"
    part = json.loads((options.out / "model-vit_seed-1" / "run.json").read_text())
    assert part["settings"]["data"] == data.fingerprint()
    assert part["seconds"] <= record["seconds"]
    assert part["choice"] == {"model": "vit", "seed": 1}


def test_a_finished_part_keeps_its_history_and_no_checkpoint(options, data):
    train_parts(runs.open_run(options, {}, data, HERE))
    kept = {path.name for path in (options.out / "model-cnn_seed-2").iterdir()}
    assert kept == {"run.json", "history.csv"}


def test_after_an_interruption_the_finished_parts_are_not_trained_again(options, data):
    run = runs.open_run(options, {}, data, HERE)
    with pytest.raises(KeyboardInterrupt):
        train_parts(run, stop_before=("vit", 1))
    run.release()
    options.resume = True
    again = runs.open_run(options, {}, data, HERE)
    assert train_parts(again) == [("vit", 1), ("vit", 2)]
    assert [row["test_accuracy"] for row in again.rows] == [0.25, 0.5, 0.25, 0.5]


def test_the_time_that_a_run_took_counts_the_parts_of_before_an_interruption(options, data):
    run = runs.open_run(options, {}, data, HERE)
    train_parts(run)
    run.release()
    record = json.loads((options.out / "model-cnn_seed-1" / "run.json").read_text())
    (options.out / "model-cnn_seed-1" / "run.json").write_text(json.dumps(record | {"seconds": 5000}))
    options.resume = True
    again = runs.open_run(options, {}, data, HERE)
    assert train_parts(again) == []
    again.finish(answer="done")
    assert 5000 <= json.loads((options.out / "run.json").read_text())["seconds"] < 5100


def test_the_time_that_a_run_took_counts_the_saved_epochs_of_a_part_that_was_half_done(options, data):
    run = runs.open_run(options, {}, data, HERE)
    next(run.parts(seed=(1,))).save_epoch(make_model(), {"loss": 0.5}, 1000.0)
    run.release()
    options.resume = True
    again = runs.open_run(options, {}, data, HERE)
    for part in again.parts(seed=(1,)):
        part.restore(make_model())
        part.finish()
    again.finish(answer="done")
    assert 1000 <= json.loads((options.out / "run.json").read_text())["seconds"] < 1100


def test_an_interrupted_part_tells_how_to_go_on_with_the_whole_run(options, data):
    run = runs.open_run(options, {}, data, HERE)
    part = next(run.parts(seed=(1,)))
    part.save_epoch(make_model(), {"loss": 0.5}, 1.0)
    assert part.how_to_go_on(3).startswith("1 of 3 epochs are saved")
    assert part.how_to_go_on(3).endswith(options.resume_command)


def test_a_part_that_was_begun_with_other_settings_is_refused(options, data):
    run = runs.open_run(options, {"width": 64}, data, HERE)
    train_parts(run)
    run.settings["width"] = 32
    with pytest.raises(Misuse, match="width was 64 and is 32"):
        next(run.parts(model=("cnn",), seed=(1,)))


def test_a_damaged_part_costs_that_part_and_not_the_run(options, data):
    run = runs.open_run(options, {}, data, HERE)
    train_parts(run)
    run.release()
    damaged = options.out / "model-cnn_seed-2"
    (damaged / "run.json").write_text("{")
    options.resume = True
    again = runs.open_run(options, {}, data, HERE)
    with pytest.raises(Problem, match=f"Delete the folder {re.escape(str(damaged))}"):
        train_parts(again)
    again.release()
    shutil.rmtree(damaged)
    assert train_parts(runs.open_run(options, {}, data, HERE)) == [("cnn", 2)]
