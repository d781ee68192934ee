"""A run folder: whoever opens it a month later can tell what it was, and a killed run goes on from it.

run.json        the command, settings, data, machine and versions; at the end, the results
history.csv     one line an epoch
checkpoint.npz  all that the next epoch depends on, written anew after each one
model.keras     the trained model; and the lesson's pictures

A lesson that trains several models has a folder of this kind for each, below its own.
"""

import csv
import datetime
import itertools
import json
import os
import time
from pathlib import Path

import numpy as np

from vitkeras.errors import Misuse, Problem
from vitkeras.files import hold, sweep, written_whole
from vitkeras.machine import versions
from vitkeras.options import read_record, refuse_to_overwrite


def open_run(options, settings, dataset, machine):
    """The run folder that the options of a lesson ask for: a new one, or the one to go on with.

    `settings` is whatever the history depends on: a run is resumed with the same ones or not at all.
    """
    if options.kept.get("set"):
        settings = {**settings, "set": options.kept["set"]}  # not every constant is among a lesson's own settings
    if options.kept.get("devices") == "all":
        settings = {**settings, "devices": "all"}
    settings = {**settings, "seed": options.seed, "precision": machine["precision"], "data": dataset.fingerprint()}
    run = Run(options.out, settings, options.resume_command)
    about = {"command": options.command, "machine": machine, "versions": versions(), "started": now()}
    try:
        if options.resume:
            run.take_up_record(about)
            run.write_record(epochs=options.epochs, options=options.kept)
        else:
            refuse_to_overwrite(run.folder)
            data = {"title": dataset.title, "origin": dataset.origin, "warning": dataset.warning}
            run.write_record(
                lesson=options.lesson,
                **about,
                options=options.kept,
                settings=settings,
                epochs=options.epochs,
                data=data,
            )
    except Problem:
        run.release()
        raise
    print(f"run folder: {run.folder}")
    return run


class Run:
    """What is kept of one training, in `folder`. `resume_command` is told whenever the training stops early."""

    remedy = "Start a new run in another --out; what else is in the folder is untouched."  # for a damaged file

    def __init__(self, folder, settings, resume_command=""):
        self.folder, self.settings, self.resume_command = Path(folder), settings, resume_command
        self.record = {}
        self.axes, self.rows = [], []  # of the `parts`: what they differ in; what each was, and its results
        self.opened, self.seconds_before = time.perf_counter(), 0
        self.history = {}
        self.seconds = []
        self.lock = hold(self.folder, "training")
        sweep(self.folder)

    def release(self):
        if self.lock is not None:
            os.close(self.lock)
            self.lock = None

    @property
    def epochs_done(self):
        return len(self.seconds)

    def path(self, name):
        return self.folder / name

    def write_record(self, **more):
        self.record |= more
        with written_whole(self.path("run.json")) as path:
            path.write_text(json.dumps(self.record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def take_up_record(self, about):
        """What the record says stays; that the run was taken up again is added. Other settings are refused."""
        self.record = read_record(self.folder, self.remedy)
        then, now_ = self.record["settings"], json.loads(json.dumps(self.settings))
        differences = [
            f"{name} was {then.get(name)!r} and is {now_.get(name)!r}"
            for name in sorted(then.keys() | now_.keys())
            if then.get(name) != now_.get(name)
        ]
        if differences:
            raise Misuse(
                f"the run in {self.folder} cannot be resumed with other settings: {'; '.join(differences)}. "
                f"It began with: {self.record.get('command')}. Leave out what differs, or choose another --out."
            )

        began_with = self.record.get("versions")
        if began_with != about["versions"]:
            print(f"versions: {about['versions']}, but the run began with {began_with}: the last bits may differ")
        self.record.setdefault("resumed", []).append(about)

    def how_to_go_on(self, epochs):
        command = f" Go on with: {self.resume_command}" if self.resume_command else ""
        return f"{self.epochs_done} of {epochs} epochs are saved in {self.folder}.{command}"

    def save_epoch(self, model, logs, seconds):
        """Everything that the next epoch depends on, in one file: it is all there or not at all."""
        history = {name: [*self.history.get(name, []), float(value)] for name, value in logs.items()}
        arrays = {f"variable_{i:04}": np.asarray(v) for i, v in enumerate(state_of(model))}
        with written_whole(self.path("checkpoint.npz")) as path:
            np.savez(path, history=np.array(json.dumps(history)), seconds=[*self.seconds, seconds], **arrays)
        self.history, self.seconds = history, [*self.seconds, seconds]
        self.write_history()

    def restore(self, model):
        """Set the model to where the run stopped; leave it alone if no epoch had been finished."""
        file = self.path("checkpoint.npz")
        if not file.exists():
            return
        try:
            # Opened here, for np.load leaves a file open that it cannot read.
            with file.open("rb") as opened, np.load(opened, allow_pickle=False) as saved:
                arrays = [saved[f"variable_{i:04}"] for i in range(len(saved.files) - 2)]
                history, seconds = json.loads(str(saved["history"])), saved["seconds"].tolist()
            if not all(len(values) == len(seconds) for values in history.values()):
                raise ValueError("its history has columns of unequal length")
        except Exception as fault:  # whatever a damaged file brings about: the remedy is the same
            raise Problem(
                f"{file} is damaged and cannot be resumed from ({type(fault).__name__}: {fault}). {self.remedy}"
            ) from fault
        variables = state_of(model)
        if [(a.shape, a.dtype.name) for a in arrays] != [(tuple(v.shape), v.dtype) for v in variables]:
            raise Misuse(
                f"{file} holds another model: its weights have other shapes. Start a new run in another --out."
            )
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)
        self.history, self.seconds = history, seconds
        self.seconds_before = sum(seconds)
        self.write_history()

    def write_history(self):
        with written_whole(self.path("history.csv")) as path, path.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["epoch", *self.history])
            rows.writerows([i, *values] for i, values in enumerate(zip(*self.history.values(), strict=True), 1))

    def finish(self, model=None, answer="", **results):
        """Keep the results, and the trained model (without the optimiser's state, which the checkpoint has).

        `answer` is the sentence that the lesson ends with: it is kept, and printed.
        """
        if model is not None:
            import keras

            ends = [tensors[0] if len(tensors) == 1 else tensors for tensors in (model.inputs, model.outputs)]
            with written_whole(self.path("model.keras")) as path:
                keras.Model(*ends, name=model.name).save(path)
        if answer:
            results["answer"] = answer
        if self.rows:
            results |= {"axes": self.axes, "trainings": self.rows}
        if self.seconds:
            self.record["seconds_per_epoch"] = self.seconds
        seconds = self.seconds_before + time.perf_counter() - self.opened
        self.write_record(finished=now(), seconds=round(seconds), results=results)
        if answer:
            print(answer)

    def parts(self, **axes):
        """A training (or a measurement) for each combination of the axes, each a run in a folder of its own below.

        What a part is stands in its `choice`. After an interruption, those that were finished are not given again.
        The `rows` of all are there at the end: each what was chosen, and what the part was finished with.

            for part in run.parts(model=("cnn", "vit"), seed=(1, 2, 3)):
                …
                part.finish(test_accuracy=outcome.accuracy)
        """
        choices = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
        self.axes = list(axes)
        began, done = time.perf_counter(), 0
        for number, choice in enumerate(choices, 1):
            part = Part(self, choice)
            try:
                if not part.finished:
                    spent = time.perf_counter() - began
                    left = f"  (left: {duration(spent / done * (len(choices) - number + 1))})" if done else ""
                    print(f"\n[{number}/{len(choices)}] {part.title}{left}")
                    yield part
                    self.seconds_before += part.seconds_before
                    done += 1
                else:
                    self.seconds_before += part.record.get("seconds", 0)
                self.rows.append({**choice, **part.record["results"]})
            finally:
                part.release()

    def part_path(self, **choice):
        """The folder of a part, say to go on from the model that it has kept."""
        return self.folder / "_".join(f"{axis}-{value}" for axis, value in choice.items()).replace(" ", "-")


class Part(Run):
    """One of several trainings of a run. Once finished it needs no checkpoint, and keeps none."""

    def __init__(self, run, choice):
        settings, folder = {**run.settings, **choice}, run.part_path(**choice)
        self.remedy = f"Delete the folder {folder}; then --resume does this part again, and no other."
        super().__init__(folder, settings, run.resume_command)
        self.choice, self.title = choice, ", ".join(f"{axis} {value}" for axis, value in choice.items())
        if self.path("run.json").exists():
            self.take_up_record({"versions": versions()})
        else:
            self.write_record(part_of=run.record.get("lesson"), choice=choice, settings=settings, versions=versions())

    @property
    def finished(self):
        return "finished" in self.record

    def finish(self, model=None, **results):
        super().finish(model, **results)
        self.path("checkpoint.npz").unlink(missing_ok=True)


def state_of(model):
    """The weights, the states of the random generators, and the optimiser's averages and step."""
    if not model.optimizer.built:  # a loss-scaling optimiser would be built twice
        model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]


def now():
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def duration(seconds):
    """A duration as people say it.

    >>> duration(42), duration(754), duration(7500)
    ('42 s', '13 min', '2 h 05 min')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"
