"""The options that every lesson takes, read before anything heavy is loaded."""

import argparse
import os
import sys
from pathlib import Path

from vitkeras.errors import speak_plainly

PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


def lesson_options(lesson, docstring, *, epochs, quick_epochs=1, **choices):
    """Read the command line of a lesson: the common options, and one for each of `choices`.

    A choice is a tuple of names of which the first is the default: `attention=("mine", "keras")`.
    In a notebook there is no command line, and every option has its default.
    """
    # TensorFlow's start-up messages would bury a lesson's first lines. An own setting of the variable wins.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    speak_plainly()

    parser = argparse.ArgumentParser(
        prog=f"python lessons/{lesson}.py", description=docstring, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--epochs", type=at_least(1), help=f"how often to go through the training images (default {epochs})")
    add("--data", metavar="PATH", help="folder or file of the data set, or 'drawn' for digits drawn from fonts")
    add("--seed", type=at_least(0), default=1, help="where chance starts (default 1)")
    add("--out", metavar="FOLDER", help=f"where the run is kept (default runs/{lesson}, then runs/{lesson}-2, …)")
    add("--resume", action="store_true", help="go on with the run in --out, or with the newest one, where it stopped")
    add("--quick", action="store_true", help=f"a few images and {quick_epochs} epoch(s): does it run? Not: is it good?")
    add(
        "--precision", choices=["auto", *PRECISIONS], default="float32", help="auto: the fastest here (default float32)"
    )
    add("--device", choices=["auto", "cpu", "gpu"], default="auto", help="auto: a GPU if TensorFlow sees one")
    for name, values in choices.items():
        add(f"--{name}", choices=values, default=values[0], help=f"(default {values[0]})")

    options = parser.parse_args([] if "ipykernel" in sys.modules else None)
    options.lesson = lesson
    options.epochs = options.epochs or (quick_epochs if options.quick else epochs)
    options.own_folder = options.out is not None
    options.out = Path(options.out or f"runs/{lesson}")
    return options


def at_least(smallest):
    def whole_number(text):
        try:
            number = int(text)
        except ValueError:
            number = smallest - 1
        if not smallest <= number < 2**31:
            raise argparse.ArgumentTypeError(f"a whole number from {smallest} on is needed, not {text!r}")
        return number

    return whole_number
