"""The options that every lesson takes, read before anything heavy is loaded."""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from vitkeras.errors import Misuse, Problem, notebook, speak_plainly

CHECK_ONLY = "VITKERAS_CHECK_OPTIONS"  # set: a lesson ends once its options have been found good
PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


@dataclass(frozen=True)
class Count:
    """An option that takes a whole number."""

    default: int
    least: int = 1


def lesson_options(lesson, docstring, *, epochs=None, quick_epochs=1, backend="tensorflow", **own):
    """Read the command line of a lesson: the common options, and its `own`.

    An own option is a tuple of names of which the first is the default, `attention=("mine", "keras")`; a number,
    `seeds=Count(5, least=2)`; or a help text, `model="a trained model"`, for a file or folder that may be left out.
    `epochs=None` is for a lesson that trains nothing. --set changes a constant that stands above the call. With
    --resume, whatever is not said again is as it was when the run began. In a notebook the command line is the
    environment's VITKERAS_OPTIONS. Returned besides the options: the run's folder as `out`, `command` and
    `resume_command` to be told and kept, and `kept`, the options that a resumed run takes over.
    """
    # TensorFlow's start-up messages would bury a lesson's first lines. An own setting of the variable wins.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    speak_plainly()
    if os.environ.setdefault("KERAS_BACKEND", backend) != backend:
        raise Misuse(
            f"this lesson trains through {backend}, but KERAS_BACKEND is {os.environ['KERAS_BACKEND']!r}. "
            "Unset it; the layers alone run on other backends."
        )
    in_notebook = notebook() is not None
    words = shlex.split(os.environ.get("VITKERAS_OPTIONS", "")) if in_notebook else sys.argv[1:]
    if not in_notebook:
        os.environ["MPLBACKEND"] = "agg"  # pictures go to files, whatever has been set for windows

    parser = argparse.ArgumentParser(
        prog=f"python lessons/{lesson}.py", description=docstring, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    often = f"(default {epochs})" if epochs else "(here nothing is trained, and it changes nothing)"
    add("--epochs", type=at_least(1), help=f"how often to go through the training images {often}")
    add("--data", metavar="PATH", help="folder or file of the data set, or 'drawn' for digits drawn from fonts")
    add("--seed", type=at_least(0), default=1, help="where chance starts (default 1)")
    add("--out", metavar="FOLDER", help=f"where the run is kept (default runs/{lesson}, then runs/{lesson}-2, …)")
    add("--resume", action="store_true", help="go on with the run in --out, or with the newest one, where it stopped")
    add("--quick", action="store_true", help="a few images and epochs, to see that it runs, not how good it is")
    add(
        "--precision", choices=["auto", *PRECISIONS], default="float32", help="auto: the fastest here (default float32)"
    )
    add(
        "--device",
        choices=["auto", "cpu", "gpu"],
        default="auto",
        help="auto, the default: a GPU if TensorFlow sees one",
    )
    add("--devices", choices=["one", "all"], default="one", help="all: every GPU takes its share of each batch")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="another value for a constant at its top")
    for name, value in own.items():
        if isinstance(value, tuple):
            add(f"--{name}", choices=value, default=value[0], help=f"(default {value[0]})")
        elif isinstance(value, Count):
            add(f"--{name}", type=at_least(value.least), default=value.default, help=f"(default {value.default})")
        else:
            add(f"--{name}", metavar="PATH", help=value)

    if in_notebook:
        parser.error = refuse  # there, an exit would show as a traceback
    options = parser.parse_args(words)
    default = Path("runs", lesson)
    if options.resume:
        folder = folder_to_resume(options.out, default)
        options = parser.parse_args([*kept_words(folder, lesson), *words])  # what is said now comes last, and wins
    else:
        folder = new_folder(options.out, default)
    options.set = sorted({text.partition("=")[0]: text for text in options.set}.values())  # what is said last counts
    if options.set:
        put_constants(options.set, in_notebook, {"epochs", *own})
    if os.environ.get(CHECK_ONLY):  # a sweep asks, before it has a hundred runs begun
        raise SystemExit(0)
    if options.epochs and not epochs:
        print(f"--epochs {options.epochs}: nothing is trained in this lesson, so there are no epochs")
    options.epochs = epochs and (options.epochs or (quick_epochs if options.quick else epochs))
    options.kept = {name: getattr(options, name) for name in vars(options) if name not in ("out", "resume")}
    options.lesson, options.out = lesson, folder
    script = ["python", script_as_called(lesson)]
    options.command = spoken([*script, *words])
    options.resume_command = spoken([*script, "--resume", "--out", str(folder)])
    return options


def put_constants(said, in_notebook, options):
    from vitkeras import constants

    if in_notebook:
        raise Misuse("--set is for scripts. In a notebook, change the constant in the first cell.")
    for text in said:
        if (name := text.partition("=")[0].strip()) in options:
            raise Misuse(f"{name} is an option of this lesson: --{name} VALUE, instead of --set {text}")
    constants.put(sys.modules["__main__"], said)
    print(f"set: {', '.join(said)}")


def script_as_called(lesson):
    """The path of the running script, from the current folder if it lies below; in a notebook, from the checkout's."""
    called = Path(sys.argv[0])
    if called.stem != lesson or not called.is_file():
        return f"lessons/{lesson}.py"
    here = Path.cwd()
    return str(called.absolute().relative_to(here) if called.absolute().is_relative_to(here) else called)


def refuse(message):
    raise Misuse(f"{message}. The options are set by VITKERAS_OPTIONS, in the first cell.")


def new_folder(asked, default):
    """The folder of a new run. A run is never overwritten: the default name counts on, an own name is refused."""
    folder = Path(asked or default)
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise Misuse(f"{folder} is a file, and a run needs a folder. Choose another --out.")
    if asked:
        refuse_to_overwrite(folder)
    number = 1
    while has_run(folder):
        number += 1
        folder = Path(f"{default}-{number}")
    return folder


def refuse_to_overwrite(folder):
    if any(os.path.exists(folder / name) for name in ("run.json", "checkpoint.npz", "history.csv", "model.keras")):
        raise Misuse(
            f"{folder} holds a run already, and nothing of it shall be lost. "
            "Go on with it: --resume. Start another: choose another --out."
        )


def folder_to_resume(asked, default):
    """The folder that --out names, or the newest unfinished of those that the default name has counted."""
    if asked:
        folders = [Path(asked)]
    else:
        beside = os.listdir(default.parent) if os.path.isdir(default.parent) else []
        folders = [default.parent / name for name in beside if re.fullmatch(rf"{re.escape(default.name)}(-\d+)?", name)]
    folders = [folder for folder in folders if has_run(folder)]
    if not folders:
        raise Misuse(
            f"--resume found no run in {asked or default}: there is no run.json. Leave --resume out to start one."
        )
    unfinished = [folder for folder in folders if "finished" not in read_record(folder)]
    return max(unfinished or folders, key=lambda folder: (folder / "run.json").stat().st_mtime)


def has_run(folder):
    return os.path.exists(folder / "run.json")  # unlike Path.exists, it does not raise where we may not look


def kept_words(folder, lesson):
    """The options that the run in `folder` was started with, as they would be said."""
    record = read_record(folder)
    if record.get("lesson") != lesson:
        raise Misuse(f"{folder} holds a run of {record.get('lesson')!r}, not of {lesson!r}. Choose another --out.")
    words = []
    for name, value in record.get("options", {}).items():
        for one in value if isinstance(value, list) else [value]:
            if one is not None and one is not False:
                words += [f"--{name}"] if one is True else [f"--{name}", str(one)]
    return words


def read_record(folder, remedy="Start a new run in another --out; what else is in the folder is untouched."):
    file = folder / "run.json"
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(record.get("options", {}), dict) or not isinstance(record["settings"], dict):
            raise ValueError("options and settings should be tables")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise Problem(
            f"{file} is damaged, so the run cannot be resumed ({type(fault).__name__}: {fault}). {remedy}"
        ) from fault
    return record


def spoken(words):
    """A command as one may copy it into a terminal."""
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


def at_least(smallest):
    def whole_number(text):
        try:
            number = int(text)
        except ValueError:
            number = smallest - 1
        if not smallest <= number < 2**31:
            raise argparse.ArgumentTypeError(f"a whole number from {smallest} to 2147483647 is needed, not {text!r}")
        return number

    return whole_number
