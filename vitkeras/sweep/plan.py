"""What is to be run: a run for each combination of settings and each seed, checked before any begins."""

import ast
import itertools
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from vitkeras import constants
from vitkeras.errors import Misuse, Problem
from vitkeras.files import written_whole
from vitkeras.options import CHECK_ONLY

PLAN = "sweep.json"
COMMON = ("epochs", "precision", "device", "data")  # options of every lesson that a sweep may vary
PATHS = ("--data", "--model", "--photos")  # options of lessons that name a file or folder
OURS = ("--out", "--resume", "--seed", "--set")  # what the sweep itself says to a lesson


@dataclass(frozen=True, eq=False)
class Planned:
    """One run of the lesson: its settings {name: value} without the seed, and the words that ask for it."""

    settings: dict
    seed: int
    words: tuple[str, ...]

    @property
    def title(self):
        return ", ".join([*settings_in_words(self.settings), f"seed {self.seed}"])

    @property
    def name(self):
        """Of its folder."""
        told = [*(f"{name}-{value}" for name, value in self.settings.items()), f"seed-{self.seed}"]
        return re.sub(r"[^\w.+-]+", "-", "_".join(told))


def settings_in_words(settings):
    return [f"{name} {value}" for name, value in settings.items()]


def planned(lesson, said, first_seed, seeds, words):
    """A `Planned` for each combination of what `said`, ["patch_size=4,7", …], lists, and each seed."""
    for word in words:
        if word.split("=")[0] in OURS:
            raise Misuse(f"{word.split('=')[0]} is said by the sweep, to each run its own. Leave it out after --.")
    options, known = options_of(lesson.path), constants.read(lesson.path)
    axes = {}
    for text in said:
        name, values = listed(text)
        if name in axes:
            raise Misuse(f"--set {name} is said twice. Once, with all values: --set {name}=4,7")
        if name not in options:
            values = [constants.meant(f"{name}={value}", known)[1] for value in values]
        axes[name] = [whole_path(str(value)) for value in values] if f"--{name}" in PATHS else values
    runs = []
    for combination in itertools.product(*axes.values()):
        settings = dict(zip(axes, combination, strict=True))
        asked = [word for name, value in settings.items() for word in in_words(name, value, options)]
        for seed in range(first_seed, first_seed + seeds):
            runs.append(Planned(settings, seed, (*words, *asked, "--seed", str(seed))))
    if len({run.name for run in runs}) < len(runs):
        raise Misuse("two of the runs would have folders of the same name. Say every value once, and in another way.")
    return runs


def with_whole_paths(words):
    """Runs have folders of their own, so what lies beside us is named from the root."""
    whole = []
    for before, word in zip(["", *words], words, strict=False):
        option, sign, value = word.partition("=")
        if before in PATHS:
            whole.append(whole_path(word))
        else:
            whole.append(f"{option}={whole_path(value)}" if sign and option in PATHS else word)
    return whole


def whole_path(value):
    """`drawn`, and a preset's name, are no paths."""
    return str(Path(value).absolute()) if os.path.exists(value) else value


def check(lesson, runs):
    """Have the lesson itself look at what its runs will be told: all of it for one, of others what is different."""
    seen = set()
    for run in runs:
        said = {(name, str(value)) for name, value in run.settings.items()}
        if seen and said <= seen:
            continue
        seen |= said or {None}
        ended = subprocess.run(
            [sys.executable, str(lesson.path), *run.words],
            env=os.environ | {CHECK_ONLY: "1"}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        )  # fmt: skip
        if ended.returncode:
            reason = (ended.stderr.strip().splitlines() or ["it ended before it had read its options"])[-1]
            raise Misuse(f"{lesson.name} does not take what {run.title} would be told: {reason}")


def listed(text):
    """
    >>> listed("patch_size=4,7"), listed("stem=(1, 2),(3,)"), listed("attention=mine,keras")
    (('patch_size', [4, 7]), ('stem', [(1, 2), (3,)]), ('attention', ['mine', 'keras']))
    """
    name, sign, values = text.partition("=")
    if not sign or not values.strip():
        raise Misuse(f"--set wants NAME=VALUES, as in patch_size=4,7,14. Received: {text!r}")
    try:
        several = ast.literal_eval(f"[{values}]")
    except (ValueError, SyntaxError, TypeError):
        several = [constants.literal(value) for value in values.split(",")]
    return name.strip(), several


def in_words(name, value, options):
    return [f"--{name}", str(value)] if name in options else ["--set", f"{name}={value}"]


def options_of(path):
    """The options of a lesson that may be varied: those of all lessons, and its own."""
    for node in ast.walk(ast.parse(Path(path).read_bytes())):
        if constants.calls_options(node):
            return {*COMMON, *(word.arg for word in node.keywords if word.arg not in ("quick_epochs", None))}
    raise Problem(f"{path} does not call lesson_options, so it is no lesson that could be swept over.")


def keep(out, lesson, words):
    """What belongs to all runs in the folder `out` is noted there; a sweep of another kind is refused."""
    path, mine = Path(out, PLAN), {"lesson": lesson.name, "words": list(words)}
    if path.exists():
        try:
            theirs = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as fault:
            raise Problem(f"{path} cannot be read ({fault}). Choose another --out.") from fault
        if theirs != mine:
            before = " ".join([theirs.get("lesson", "?"), "--", *theirs.get("words", ())])
            raise Misuse(f"{out} holds a sweep over {before}. Go on with that, or choose another --out.")
    elif Path(out).is_dir() and any(Path(out).iterdir()):
        raise Misuse(f"{out} holds other things than a sweep. --out wants a new folder, or one that a sweep has left.")
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(mine, indent=1) + "\n", encoding="utf-8")
