"""Your own photos as a data set: a folder for each class, with photos in it.

    data = load("birds", side=64)       # birds/wren/*.jpg, birds/robin/*.jpg, ...: a part is chosen for the test
                                        # or birds/train/wren/*.jpg, ... and birds/test/wren/*.jpg, ...

Which photos test, and in which order the others are learnt, follows from the seed and from what is in the files, not
from their names or from the machine. `warning` tells what was left out, for nobody knows a thousand photos by heart.
"""

import hashlib
import os
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vitkeras import photos
from vitkeras.datasets.dataset import Dataset
from vitkeras.datasets.ranges import require_whole
from vitkeras.errors import Misuse
from vitkeras.machine import cores
from vitkeras.photos import shown

TESTS = ("test", "val", "valid", "validation")  # the first that is there
MOST_BYTES = 4_000_000_000  # of pixels
MANY = 300  # photos, from which on there is waiting that should be announced
STEP = 1000  # photos from one message to the next
NAMED = 10  # files, at most, in one sentence of the warning
FORM = (
    "Expected is a folder for each class with its photos: FOLDER/cat/1.jpg, FOLDER/dog/1.jpg, ...; or the same twice: "
    "FOLDER/train/cat/1.jpg, ... and FOLDER/test/cat/1.jpg, ..."
)


@dataclass(frozen=True, eq=False)
class Photo:
    path: Path
    part: str  # "train" or "test"; "" if that is not decided yet
    label: int
    pixels: np.ndarray | None = None  # uint8, (side, side, channels)
    picture: str = ""  # the same for the same picture, in whatever file
    content: str = ""  # the same for the same file, on whatever machine: decoders may differ by a grey level
    fault: photos.Unreadable | None = None


def load(path, side, channels=3, test_share=0.2, seed=0, progress=print):
    """The photos in the class folders of `path`, as squares of `side` pixels: the middle of each, made smaller.

    channels: 3, or 1 for grey
    test_share: of each class, for the test; not asked where `path` has a folder "test" (or "val", "validation")
    progress: is given one line now and then, if there are more than a few hundred photos
    """
    require_whole("side", side, 1)
    require_whole("seed", seed, 0)
    if channels not in (1, 3):
        raise Misuse(f"channels should be 3, or 1 for grey. Received: {channels!r}.")
    if not isinstance(test_share, int | float) or not 0 < test_share < 1:
        raise Misuse(f"test_share should be a number between 0 and 1. Received: {test_share!r}.")
    root = Path(path).expanduser()
    parts = parts_of(root)
    classes, found, aside = look(root, parts)
    check_memory(len(found), side, channels)

    taken = read_all(found, side, channels, progress)
    broken = [photo for photo in taken if photo.fault]
    taken, repeats = without_repeats([photo for photo in taken if not photo.fault])
    check_counts(root, parts, classes, taken, broken)
    # The order of these hashes is as good as chance, and the same everywhere.
    taken.sort(key=lambda photo: hashlib.sha256(f"{seed} {photo.content}".encode()).digest())
    train, test = split(taken, test_share)

    removed = {"that could not be read, left out": broken, **repeats}
    warning = [sentence(root, what, files) for what, files in removed.items() if files]
    warning += [f"Not looked at: {photos.counted(aside)}."] if aside else []
    how = "as the folders say" if len(parts) == 2 else f"chosen by the files' hashes and seed {seed}"
    return Dataset(
        "folder", f"{shown(root.resolve().name)} (your photos)", *arrays(train), *arrays(test), tuple(classes),
        f"{shown(path)}: {len(train):,} photos to learn from and {len(test):,} to test, {how}, in {len(classes)} "
        f"class folders; the middle square of each, {side} x {side} x {channels}; checked that every one can be read "
        "and that no picture is there twice",
        " ".join(warning),
    )  # fmt: skip


# --------------------------------------------------------------------------------------------------------------------
# Which photos


def parts_of(root):
    """{"train": folder, "test": folder}, or {"": folder} if nobody has decided yet."""
    if not os.path.isdir(root):
        what = "is a file" if os.path.lexists(root) else "is not there"
        raise Misuse(f"{shown(root)} {what}, and a folder of photos was expected. {FORM}")
    folders = {folder.name.lower(): folder for folder in folders_in(root)}
    train, test = folders.get("train"), next((folders[name] for name in TESTS if name in folders), None)
    if train and test:
        return {"train": train, "test": test}
    alone = train or test
    if alone and folders_in(alone):  # else it is a class: of trains, maybe
        other = f"folder {' or '.join(TESTS)}" if train else "folder train"
        raise Misuse(
            f"{shown(root)} has a folder {shown(alone.name)}, but no {other}. Add it; or give {shown(alone)}, and a "
            "part of it is chosen for the test."
        )
    return {"": root}


def folders_in(folder):
    return [path for path in photos.entries(folder) if os.path.isdir(path)]


def look(root, parts):
    """Out: the classes' names, a `Photo` for each file, yet without pixels, and what else is there, counted."""
    found, aside = [], beside(root, parts) if len(parts) == 2 else Counter()
    names = {part: [folder.name for folder in folders_in(folder)] for part, folder in parts.items()}
    for part, folder in parts.items():
        check_classes(folder, names[part])
        aside += beside(folder)
        for label, name in enumerate(names[part]):
            images, others = photos.sort_out(folder / name)
            aside += others
            if not images:
                raise Misuse(
                    f"{shown(folder / name)} has no images ({photos.counted(others) or 'nothing at all'}). Put "
                    "some in, or take the folder away."
                )
            found += [Photo(image, part, label) for image in images]
    for part, other in [("train", "test"), ("test", "train")] if len(parts) == 2 else []:
        if missing := set(names[part]) - set(names[other]):
            raise Misuse(
                f"{shown(parts[other])} has no folder for {', '.join(map(shown, sorted(missing)))}, which "
                f"{shown(parts[part])} has. Both should have the same classes, spelled the same."
            )
    return [shown(name) for name in next(iter(names.values()))], found, aside


def beside(folder, parts=None):
    """What lies beside the class folders, or beside the parts: a Counter."""
    images, others = photos.sort_out(folder)
    others["folder"] = len(folders_in(folder)) - len(parts) if parts else 0
    return +(others + Counter({"images outside of the class folders": len(images)}))


def check_classes(folder, names):
    if not names:
        raise Misuse(f"{shown(folder)} has no folders in it. {FORM}")
    if len(names) == 1:
        inner = folder / names[0]
        hint = f"Was {shown(inner)} meant? " if folders_in(inner) else ""
        raise Misuse(f"{shown(folder)} has one class only, {shown(names[0])}; there should be two. {hint}{FORM}")


def check_memory(count, side, channels):
    size = count * side**2 * channels
    if size > MOST_BYTES:
        raise Misuse(
            f"{count:,} photos of {side} x {side} x {channels} take {size / 1e9:.1f} GB, and {MOST_BYTES / 1e9:g} GB "
            f"are the most. Take a side of {int((MOST_BYTES / count / channels) ** 0.5)} or less, or fewer photos."
        )


# --------------------------------------------------------------------------------------------------------------------
# What is in them


def read_all(found, side, channels, progress):
    """The same photos, with pixels, or with the fault that kept us from them."""
    if len(found) > MANY:
        progress(f"reading {len(found):,} photos ...")
    pool = ThreadPoolExecutor(cores())  # Pillow lets them work side by side
    try:
        jobs = [pool.submit(read_one, photo, side, channels) for photo in found]
        taken = []
        for job in jobs:
            taken.append(job.result())
            if len(taken) % STEP == 0 and len(taken) < len(found):
                progress(f"  {len(taken):,} of {len(found):,}")
        return taken
    finally:
        pool.shutdown(cancel_futures=True)  # a fault, or Ctrl-C, does not wait for those that have not begun


def read_one(photo, side, channels):
    try:
        data = photos.contents(photo.path)
        pixels = photos.decode(data, shown(photo.path))  # (height, width, 3)
    except photos.Unreadable as fault:
        return Photo(photo.path, photo.part, photo.label, fault=fault)
    picture = hashlib.sha256(f"{pixels.shape}".encode())
    picture.update(pixels.data)
    content = hashlib.sha256(data).hexdigest()
    small = photos.square(pixels, side, channels)
    return Photo(photo.path, photo.part, photo.label, small, picture.hexdigest(), content)


def without_repeats(taken):
    """The photos without those that are the same picture as another one; and those, by what happened to them."""
    copies = defaultdict(list)
    for photo in taken:
        copies[photo.picture].append(photo)
    kept, contrary, leaked, double = [], [], [], []
    for same in copies.values():
        if len({photo.label for photo in same}) > 1:
            contrary += same
            continue
        tests = [photo for photo in same if photo.part == "test"]
        leaked += [photo for photo in same if tests and photo.part != "test"]
        first, *others = tests or same
        kept.append(first)
        double += others
    return kept, {
        "of a picture that is in two classes, left out": contrary,
        "taken out of the training part, since the test part has the same picture": leaked,
        "left out, since the class has the same picture already": double,
    }


def check_counts(root, parts, classes, taken, broken):
    """Every class has to be there in both parts."""
    for part, folder in parts.items():
        counts = Counter(photo.label for photo in taken if photo.part == part)
        for label, name in enumerate(classes):
            if counts[label] >= (1 if part else 2):
                continue
            faults = [str(photo.fault) for photo in broken if (photo.part, photo.label) == (part, label)]
            why = f" {len(faults)} cannot be read; the first: {faults[0]}" if faults else ""
            raise Misuse(
                f"{shown(folder)}: class {name} has too few photos to learn from and to test: {counts[label]}, and at "
                f"least {1 if part else 2} needed. A picture counts once, and not if another class or the test part "
                f"has it too.{why} Add photos."
            )


def split(taken, share):
    """Training and test photos; if it is not decided yet, the first `share` of each class test."""
    if taken[0].part:
        return [photo for photo in taken if photo.part == "train"], [photo for photo in taken if photo.part == "test"]
    sizes, seen, parts = Counter(photo.label for photo in taken), Counter(), ([], [])
    for photo in taken:
        size = sizes[photo.label]
        seen[photo.label] += 1
        parts[seen[photo.label] <= min(max(round(size * share), 1), size - 1)].append(photo)
    return parts


def arrays(taken):
    return np.stack([photo.pixels for photo in taken]), np.array([photo.label for photo in taken], "int32")


def sentence(root, what, taken):
    names = ", ".join(shown(photo.path.relative_to(root)) for photo in taken[:NAMED])
    more = f" and {len(taken) - NAMED:,} more" if len(taken) > NAMED else ""
    return f"{len(taken):,} {'photo' if len(taken) == 1 else 'photos'} {what}: {names}{more}."
