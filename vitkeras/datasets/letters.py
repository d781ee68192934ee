"""Letters drawn from fonts, A to J: a small data set that is surely there, in MNIST's form.

    data = load()                                      # 200 + 1,000 letters
    write("letters", data)                             # letters/train/A/0001.png, ..., letters/test/A/0001.png, ...
    folder.load("letters", side=28, channels=1)        # the same pictures, read back

They are drawn as the digits are (drawn.py), and are none of them: something to try on what has learnt from digits.
"""

import os
import shutil
from collections import Counter
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image

from vitkeras.datasets import drawn
from vitkeras.datasets.dataset import Dataset
from vitkeras.datasets.glyphs import FONTS
from vitkeras.datasets.ranges import require_whole
from vitkeras.errors import Misuse
from vitkeras.files import written_whole

LETTERS = "ABCDEFGHIJ"
TITLE = "drawn letters (A to J)"


def load(train=200, test=1000, seed=0, progress=print):
    """`train` and `test` letters. All are equally frequent; the two parts share no random numbers, but the fonts.

    progress: is given one line before a drawing that takes seconds
    """
    for name, number, least in ("train", train, 1), ("test", test, 1), ("seed", seed, 0):
        require_whole(name, number, least)
    if train + test > 5000:
        progress(f"drawing {train + test:,} letters from fonts, which takes a few seconds ...")
    parts = [
        drawn.draw_balanced(count, rng, LETTERS)
        for count, rng in zip((train, test), np.random.default_rng(seed).spawn(2), strict=True)
    ]
    return Dataset(
        "letters", TITLE, *parts[0], *parts[1], tuple(LETTERS),
        f"drawn now from {len(FONTS)} of matplotlib {matplotlib.__version__}'s fonts, recipe {drawn.RECIPE} of the "
        f"drawn digits, seed {seed}",
    )  # fmt: skip


def write(folder, dataset):
    """Write the images of a data set as PNG files in class folders: all of them, or none."""
    folder = Path(folder)
    if os.path.lexists(folder):
        raise Misuse(f"{folder} is there already. Name a folder that is not, or move this one away.")
    with written_whole(folder) as unfinished:
        try:
            for part in "train", "test":
                write_part(unfinished / part, getattr(dataset, f"x_{part}"), getattr(dataset, f"y_{part}"), dataset)
        except BaseException:  # Ctrl-C, too
            shutil.rmtree(unfinished, ignore_errors=True)
            raise


def write_part(folder, images, labels, dataset):
    """folder/A/0001.png, ...: the images of each class, numbered as they come."""
    for name in dataset.class_names:
        (folder / name).mkdir(parents=True)
    seen = Counter()
    for image, label in zip(images, labels, strict=True):
        name = dataset.class_names[label]
        seen[name] += 1
        picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
        picture.save(folder / name / f"{seen[name]:04}.png")
