"""`vitkeras.classify` against the lecture's loop, which asks `predict` about one image after the other.

The models have KerasHub's sizes and random weights: time does not depend on what the weights are. Of each way it is
counted from the loaded model to the last answer, reading the photos and compiling included. A cold start is counted
from an empty process: to the loaded model for the libraries alone, to the printed answer for the command.
"""

import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from vitkeras import photos
from vitkeras.benchmark.measuring import describe_machine, keep, spread
from vitkeras.benchmark.processes import one_process
from vitkeras.errors import Problem

SIDE = 224
WIDTHS = {"deit_tiny": (192, 3), "deit_small": (384, 6), "deit_base": (768, 12)}  # and heads; all have 12 blocks
WAYS = ("lecture", "float32", "bfloat16")
COLD = ("import and load", "classify")


def run(options):
    chosen = {name: WIDTHS[name] for name in options.models}
    with one_process() as call, tempfile.TemporaryDirectory(prefix="vitkeras-benchmark-") as folder:
        figures = {"command": options.command} | call(describe_machine, "cpu")
        print(f"machine: {figures['machine']}")
        if options.json and not Path(options.json).exists():
            keep(figures, options.json)  # now, so that a wrong path is told before the measuring
        files, figures["data"] = gather(options.photos, options.images, Path(folder))
        print(f"photos: {figures['data']}")
        figures["models"] = {}
        for name, (width, heads) in chosen.items():
            preset = str(Path(folder, name))
            call(make_preset, preset, width, heads)
            seconds = throughput(preset, files, options.rounds)
            cold = cold_starts(preset, files[0], options.rounds)
            figures["models"][name] = {"images": len(files), "seconds": seconds, "cold_seconds": cold}
            print(f"{name}: done", flush=True)
    show(figures)
    if options.json:
        keep(figures, options.json)
        print(f"figures: {options.json}")


def gather(folder, count, place):
    """So many paths of photos, and a line about them. Without a folder of photos, some are drawn."""
    if folder:
        found = photos.find([folder])
        files = list(itertools.islice(itertools.cycle(map(str, found)), count))
        return files, f"{count} times one of {len(found)} photos, as JPEG or the like, read anew each time"
    rng = np.random.default_rng(0)
    for number in range(min(count, 20)):
        waves = rng.uniform(0, 255, (12, 16, 3)).astype("uint8")
        picture = Image.fromarray(waves).resize((500, 375), Image.Resampling.BICUBIC)
        picture.save(place / f"{number:02}.jpg", quality=90)
    files = [str(place / f"{number % 20:02}.jpg") for number in range(count)]
    return files, f"{count} times one of {min(count, 20)} drawn JPEG pictures of 500 x 375, read anew each time"


def make_preset(folder, width, heads):
    """A DeiT of KerasHub's with its usual preprocessing and random weights, kept as a preset."""
    import keras_hub
    from keras_hub import models

    backbone = models.DeiTBackbone(
        image_shape=(SIDE, SIDE, 3), patch_size=16, num_layers=12, num_heads=heads, hidden_dim=width,
        intermediate_dim=4 * width,
    )  # fmt: skip
    converter = keras_hub.layers.DeiTImageConverter(
        image_size=(SIDE, SIDE), scale=1 / 127.5, offset=-1.0, interpolation="bicubic", crop_to_aspect_ratio=False
    )
    preprocessor = models.DeiTImageClassifierPreprocessor(converter)
    models.DeiTImageClassifier(backbone=backbone, num_classes=1000, preprocessor=preprocessor).save_to_preset(folder)


def throughput(preset, files, rounds):
    """{way: seconds of each round}. Each way has a process of its own, and they take turns."""
    seconds = {way: [] for way in WAYS}
    with one_process() as lecture, one_process() as ours:
        for _ in range(rounds):
            seconds["lecture"].append(lecture(the_lectures_way, preset, files))
            for precision in WAYS[1:]:
                seconds[precision].append(ours(our_way, preset, files, precision))
    return seconds


def the_lectures_way(preset, files):
    import keras
    import keras_hub

    classifier = keras_hub.models.ImageClassifier.from_preset(preset)
    began = time.perf_counter()
    for file in files:
        photo = Image.open(file).convert("RGB").resize((SIDE, SIDE))
        logits = classifier.predict(np.array(photo)[None], verbose=0)
        shares = keras.ops.convert_to_numpy(keras.activations.softmax(logits))[0]
        np.argsort(shares)[-5:]
    return time.perf_counter() - began


def our_way(preset, files, precision):
    from vitkeras import pretrained

    classifier = pretrained.load(preset, precision)
    began = time.perf_counter()
    for _, logits, _ in classifier.stream(files, photos.read):
        classifier.top(classifier.raised(logits), 5)
    return time.perf_counter() - began


def cold_starts(preset, file, rounds):
    """{what: seconds of each round}, from an empty process, in turn."""
    loading = f"import keras_hub; keras_hub.models.ImageClassifier.from_preset({preset!r})"
    commands = {
        "import and load": [sys.executable, "-c", loading],
        "classify": [sys.executable, "-m", "vitkeras.classify", file, "--preset", preset],
    }
    seconds = {name: [] for name in COLD}
    for _ in range(rounds):
        for name, command in commands.items():
            began = time.perf_counter()
            done = subprocess.run(command, capture_output=True, text=True, env=os.environ)
            if done.returncode:
                raise Problem(f"{' '.join(command)} failed: {done.stderr[-300:]}")
            seconds[name].append(time.perf_counter() - began)
    return seconds


def show(figures):
    from rich.console import Console
    from rich.table import Table

    console = Console(width=120)
    for title, columns, lines in (
        ("photos, from the loaded model on", ("model", "way", "photos a second", "times as fast"), throughput_rows),
        (
            "one photo, from an empty process on",
            ("model", *(f"{what}, s" for what in COLD), "times as long"),
            cold_rows,
        ),
    ):
        table = Table(title=title)
        for column in columns:
            table.add_column(column, justify="right")
        for row in lines(figures):
            table.add_row(*row)
        console.print(table)


def throughput_rows(figures):
    for name, model in figures["models"].items():
        base = model["seconds"]["lecture"]
        for way, said in zip(WAYS, ("the lecture's loop", "classify", "classify, bfloat16"), strict=True):
            seconds = model["seconds"][way]
            ratios = [one / other for one, other in zip(base, seconds, strict=True)]
            yield [name, said, f"{model['images'] / statistics.median(seconds):.1f}", spread(ratios)]


def cold_rows(figures):
    for name, model in figures["models"].items():
        loading, ours = (model["cold_seconds"][what] for what in COLD)
        ratios = [one / other for one, other in zip(ours, loading, strict=True)]
        yield [name, f"{statistics.median(loading):.2f}", f"{statistics.median(ours):.2f}", spread(ratios)]
