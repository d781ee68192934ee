"""An epoch of tr02c as published and as ours, round by round; then the attention layers, one against the other.

Each contender trains in a process of its own, so that its memory can be told apart, and waits while others train.
"""

import contextlib
import itertools
import statistics
import tempfile
import time
from pathlib import Path

from vitkeras import datasets
from vitkeras.benchmark.attention import compare_layers, show_layers
from vitkeras.benchmark.measuring import describe_machine, keep, peak_memory, spread
from vitkeras.benchmark.processes import one_process

WAYS = ("published", "ours")
BATCH = 256


def run(options):
    # Digits as such do not matter to the clock, but the table says which they were.
    data = datasets.load("mnist", options.data) if options.data else datasets.load("drawn")
    print(data.describe())
    with one_process() as call:
        figures = {"command": options.command, "data": data.title} | call(describe_machine, options.device)
    print(f"machine: {figures['machine']}")
    if options.json and not Path(options.json).exists():
        keep(figures, options.json)  # now, so that a wrong path is told before an hour has been spent
    if options.only != "layers":
        figures["epochs"] = race(data, options)
        show_epochs(figures["epochs"])
    if options.only != "epochs":
        with one_process() as call:
            figures["layers"] = call(compare_layers, options.precisions)
        show_layers(figures["layers"])
    if options.json:
        keep(figures, options.json)
        print(f"figures: {options.json}")


def race(data, options):
    """Seconds of each contender's epoch in each round, and its peak memory."""
    images, labels = data.x_train[: options.images], data.y_train[: options.images]
    with contextlib.ExitStack() as stack:
        calls = {}
        for precision, way in itertools.product(options.precisions, WAYS):
            calls[way, precision] = stack.enter_context(one_process())
            print(f"getting ready: {way}, {precision}", flush=True)
            calls[way, precision](get_ready, way, precision, options.device, images, labels)
        seconds = {contender: [] for contender in calls}
        for number in range(1, options.rounds + 1):
            for contender, call in calls.items():
                seconds[contender].append(call(one_epoch))
                print(
                    f"round {number}/{options.rounds}: {', '.join(contender)}: {seconds[contender][-1]:.1f} s",
                    flush=True,
                )
        return [
            {
                "way": c[0],
                "precision": c[1],
                "images": len(images),
                "seconds": seconds[c],
                "peak_mb": round(calls[c](peak_memory) or 0) or None,
            }
            for c in calls
        ]


def get_ready(way, precision, device, images, labels):
    """Build the contender, and let it trace its functions on a few batches, which takes long and only once."""
    global one_epoch_of_this_process
    import keras

    from vitkeras import machine

    if way == "ours":
        machine.prepare(1, device, precision)
        train = ready_ours()
    else:
        keras.utils.set_random_seed(1)
        keras.config.set_dtype_policy(machine.PRECISIONS[precision])
        train = ready_published()
        images = images.astype("float32") / 255  # once, as the lecture does
    one_epoch_of_this_process = traced(train, images, labels)


def one_epoch():
    began = time.perf_counter()
    one_epoch_of_this_process()
    return time.perf_counter() - began


def ready_published():
    import keras

    from vitkeras.benchmark.published import published_tr02c

    model = compiled(published_tr02c(), keras)

    def train(images, labels):
        model.fit(images, labels, batch_size=BATCH, epochs=1, validation_split=0.1, verbose=0)

    return train


def published_epoch(images, labels):
    """An epoch of the published program, ready to run: in float32, whatever the models around it compute in."""
    import keras

    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        train = ready_published()
    finally:
        keras.config.set_dtype_policy(policy)
    return traced(train, images.astype("float32") / 255, labels)


def traced(train, images, labels):
    """An epoch to run. Tracing its functions takes long and only once, so that is done now, on a few batches."""
    few = slice(0, 2 * BATCH)
    train(images[few], labels[few])
    return lambda: train(images, labels)


def ready_ours():
    """What the lesson does, its run folder and checkpoint included."""
    import keras

    from vitkeras import models, training
    from vitkeras.runs import Run

    model = compiled(models.tr02c(), keras)
    folder = tempfile.TemporaryDirectory()  # lives as long as the process, through `train`

    def train(images, labels):
        run = Run(Path(folder.name, str(time.perf_counter_ns())), {})
        training.train(model, *training.split(images, labels), batch_size=BATCH, epochs=1, seed=1, run=run)

    return train


def compiled(model, keras):
    model.compile(
        keras.optimizers.AdamW(0.001, weight_decay=0.0001),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    return model


def show_epochs(epochs):
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title="One epoch of tr02c, validation included (lecture: arrays into fit, Keras's attention, float32)"
    )
    for column in (
        "way",
        "precision",
        "seconds",
        "images a second",
        f"times as fast as published {epochs[0]['precision']}",
        "peak memory",
    ):
        table.add_column(column, justify="left" if column in ("way", "precision") else "right")
    for row in epoch_rows(epochs):
        table.add_row(*row)
    Console(width=120).print(table)


def epoch_rows(epochs):
    """The cells of the table. The first row's times are what the others are compared with, round by round."""
    for row in epochs:
        ratios = [base / own for base, own in zip(epochs[0]["seconds"], row["seconds"], strict=True)]
        middle = statistics.median(row["seconds"])
        yield [
            row["way"],
            row["precision"],
            f"{middle:.1f} ({min(row['seconds']):.1f} to {max(row['seconds']):.1f})",
            f"{row['images'] / middle:,.0f}",
            spread(ratios),
            f"{row['peak_mb']:,} MB" if row["peak_mb"] else "unknown",
        ]
