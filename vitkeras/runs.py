"""A run folder: whoever opens it a month later can tell what it was, and a killed run goes on from it.

run.json        the command, settings, data, machine and versions; at the end, the results
history.csv     one line an epoch
checkpoint.npz  all that the next epoch depends on, written anew after each one
model.keras     the trained model; and the lesson's pictures
"""

import csv
import datetime
import json
import shlex
import sys
import zipfile
from pathlib import Path

import numpy as np

from vitkeras.errors import Misuse, Problem
from vitkeras.files import sweep, written_whole
from vitkeras.machine import versions


def open_run(options, settings, dataset, machine):
    """The run folder that the options of a lesson ask for: a new one, or the one to go on with.

    `settings` is whatever the history depends on: a run is resumed with the same ones or not at all.
    """
    settings = {**settings, "seed": options.seed, "precision": machine["precision"], "data": dataset.fingerprint()}
    run = Run(choose_folder(options), settings)
    if options.resume:
        run.check_same_settings()
    run.write_record(
        lesson=options.lesson,
        command=shlex.join(["python", f"lessons/{options.lesson}.py", *sys.argv[1:]]),
        settings=settings,
        epochs=options.epochs,
        data={"title": dataset.title, "origin": dataset.origin, "warning": dataset.warning},
        machine=machine,
        versions=versions(),
        started=now(),
    )
    print(f"run folder: {run.folder}")
    return run


class Run:
    """What is kept of one training, in `folder`."""

    def __init__(self, folder, settings):
        self.folder, self.settings = Path(folder), settings
        self.record = {}
        self.history = {}
        self.seconds = []
        sweep(self.folder)

    @property
    def epochs_done(self):
        return len(self.seconds)

    def path(self, name):
        return self.folder / name

    def write_record(self, **more):
        self.record |= more
        with written_whole(self.path("run.json")) as path:
            path.write_text(json.dumps(self.record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def check_same_settings(self):
        before = json.loads(self.path("run.json").read_text(encoding="utf-8"))["settings"]
        now_ = json.loads(json.dumps(self.settings))
        differences = [
            f"{name} was {before.get(name)!r} and is {now_.get(name)!r}"
            for name in sorted(before.keys() | now_.keys())
            if before.get(name) != now_.get(name)
        ]
        if differences:
            raise Misuse(
                f"the run in {self.folder} cannot be resumed with other settings: {'; '.join(differences)}. "
                "Give the options that it was started with, or start a new run in another --out."
            )

    def save_epoch(self, model, logs, seconds):
        """Everything that the next epoch depends on, in one file: it is all there or not at all."""
        for name, value in logs.items():
            self.history.setdefault(name, []).append(float(value))
        self.seconds.append(seconds)
        arrays = {f"variable_{i:04}": np.asarray(v) for i, v in enumerate(state_of(model))}
        with written_whole(self.path("checkpoint.npz")) as path:
            np.savez(path, history=np.array(json.dumps(self.history)), seconds=self.seconds, **arrays)
        self.write_history()

    def restore(self, model):
        """Set the model to where the run stopped; leave it alone if no epoch had been finished."""
        file = self.path("checkpoint.npz")
        if not file.exists():
            return
        variables = state_of(model)
        try:
            # Opened here, for np.load leaves a file open that it cannot read.
            with file.open("rb") as opened, np.load(opened, allow_pickle=False) as saved:
                arrays = [saved[f"variable_{i:04}"] for i in range(len(saved.files) - 2)]
                history, seconds = json.loads(str(saved["history"])), saved["seconds"].tolist()
        except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile) as fault:
            raise Problem(
                f"{file} is damaged and cannot be resumed from ({fault}). Start a new run in another --out; "
                "what else is in the folder is untouched."
            ) from fault
        if [a.shape for a in arrays] != [tuple(v.shape) for v in variables]:
            raise Misuse(
                f"{file} holds another model: its weights have other shapes. Start a new run in another --out."
            )
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)
        self.history, self.seconds = history, seconds
        self.write_history()

    def write_history(self):
        with written_whole(self.path("history.csv")) as path, path.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["epoch", *self.history])
            rows.writerows([i, *values] for i, values in enumerate(zip(*self.history.values(), strict=True), 1))

    def finish(self, model, **results):
        """Keep the trained model (without the optimiser's state, which the checkpoint has) and the results."""
        import keras

        ends = [tensors[0] if len(tensors) == 1 else tensors for tensors in (model.inputs, model.outputs)]
        with written_whole(self.path("model.keras")) as path:
            keras.Model(*ends, name=model.name).save(path)
        self.write_record(finished=now(), seconds_per_epoch=self.seconds, results=results)


def choose_folder(options):
    """The folder of a new run, which must be empty of runs, or of the run to go on with."""
    asked = options.out
    if options.resume:
        found = [asked] if options.own_folder else [asked, *asked.parent.glob(f"{asked.name}-*")]
        found = [folder for folder in found if (folder / "run.json").exists()]
        if not found:
            raise Misuse(f"--resume found no run in {asked}: there is no run.json. Leave --resume out to start one.")
        return max(found, key=lambda folder: (folder / "run.json").stat().st_mtime)
    if not (asked / "run.json").exists():
        return asked
    if options.own_folder:
        raise Misuse(
            f"{asked} holds a run already, and nothing of it shall be lost. "
            "Go on with it: --resume. Start another: choose another --out."
        )
    return next(
        folder for number in range(2, sys.maxsize) if not ((folder := Path(f"{asked}-{number}")) / "run.json").exists()
    )


def state_of(model):
    """The weights, the states of the random generators, and the optimiser's averages and step."""
    if not model.optimizer.built:  # a loss-scaling optimiser would be built twice
        model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]


def now():
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
