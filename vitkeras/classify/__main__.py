"""What is on these photos, by a trained classifier.

python -m vitkeras.classify chimpanzee.jpg                    the five likeliest classes
python -m vitkeras.classify photos 'more/*.png' --csv         folders, patterns; a table for other programs
python -m vitkeras.classify cat.jpg --preset vit_large        another model; --list-presets shows them
python -m vitkeras.classify cat.jpg --attention looks.png     where the model looked
cat cat.jpg | python -m vitkeras.classify -                   from standard input
"""

import argparse
import contextlib
import os
import sys
from pathlib import Path

from vitkeras import photos
from vitkeras.classify import results
from vitkeras.errors import Interrupted, Misuse, Problem, report, speak_plainly
from vitkeras.options import PRECISIONS, at_least
from vitkeras.pretrained import places

COMMAND = "python -m vitkeras.classify"
PICTURES = (".png", ".jpg", ".jpeg", ".pdf", ".svg", ".webp")
PRESET = (
    "a preset's name or its beginning, hf://…, kaggle://…, a folder, a zip, a .keras file, or a model that ships with "
    "vitkeras"
)
BACKENDS = ("tensorflow", "jax", "torch")
MANY = 20  # from so many images on, progress is told


def main(arguments=None):
    """Returns the exit code: 1 if an image could not be read, 2 for a wrong use."""
    speak_plainly()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    options = read_options(arguments)
    try:
        if options.list_presets:
            from vitkeras.pretrained import listing

            return listing.list_presets()
        return classify(options)
    except Problem as problem:
        return report(problem)
    except BrokenPipeError:
        raise  # `| head` has seen enough
    except OSError as fault:
        return report(Problem(f"what was found could not be written: {fault.strerror or fault}."))
    except KeyboardInterrupt:
        return report(Interrupted("what was printed is whole; the rest was not asked."))


def read_options(arguments):
    parser = argparse.ArgumentParser(
        prog=COMMAND, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("images", nargs="*", metavar="IMAGE", help="an image, a folder of images, a pattern, or - for standard input")
    add("--preset", metavar="PRESET", help=f"{PRESET} (default: the lecture's deit_base, then vit_base)")
    add("--list-presets", action="store_true", help="which presets there are, and which are on this machine")
    add("--top", type=at_least(1), default=5, metavar="N", help="how many classes to show (default 5)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON")
    form.add_argument("--csv", action="store_true", help="print CSV")
    add("--labels", metavar="FILE", help="names for the classes, in lines index,name")
    add("--plot", metavar="OUT", help="draw photo and probabilities: a file, or a folder for several images")
    add("--attention", metavar="OUT", help="draw what the model looked at: a file, or a folder for several images")
    add("--heads", action="store_true", help="with --attention: every head of the last layer, too")
    add("--precision", choices=PRECISIONS, default="float32", help="arithmetic (default float32)")
    add("--batch", type=at_least(1), default=16, metavar="N", help="images that are asked about at once (default 16)")
    options = parser.parse_args(arguments)
    if not options.images and not options.list_presets:
        parser.error(f"name an image, as in: {COMMAND} chimpanzee.jpg")
    if options.heads and not options.attention:
        parser.error("--heads draws more into the picture of --attention OUT, which is not asked for")
    return options


def classify(options):
    if (backend := os.environ.get("KERAS_BACKEND", "tensorflow")) not in BACKENDS:
        raise Misuse(f"KERAS_BACKEND is {backend!r}, and should be {', '.join(BACKENDS)}, or unset.")
    if options.preset is not None:
        places.check_spelling(options.preset)
    sources = photos.find(options.images)
    targets = {name: results.targets(getattr(options, name), sources, name, PICTURES) for name in ("plot", "attention")}
    if len(set(files := [*targets["plot"].values(), *targets["attention"].values()])) < len(files):
        raise Misuse("--plot and --attention name the same place, and one would write over the other. Name two.")
    # The names are read before the model, which takes seconds; whether they fit is known afterwards.
    if options.labels and not Path(options.labels).is_file():
        raise Misuse(f"There is no file {options.labels} (--labels). Its lines should be index,name: 367,chimpanzee")

    from vitkeras import machine

    machine.wake_tensorflow()
    from vitkeras.pretrained import labels

    remarks = []
    classifier = chosen(options, remarks)
    if options.labels:
        classifier.labels = labels.from_file(options.labels, classifier)
    if options.attention and not classifier.attends:
        raise Misuse(
            f"{classifier.name} is a {classifier.family}, which has no attention to draw. --attention is for ViT, DeiT "
            "and the models of vitkeras."
        )
    remarks += [f"preset: {classifier.name} ({classifier.family}, {classifier.parameters:,} parameters)"]
    remarks += [f"note: {remark}" for remark in classifier.remarks]

    writer = results.writer(options, classifier, remarks)
    missed = 0
    with results.progress(len(sources), MANY) as step:
        for source, outcome, prepared in classifier.stream(sources, read, options.batch):
            if isinstance(outcome, Problem):
                missed += 1
                writer.fault(name_of(source), outcome)
            else:
                guesses = classifier.top(outcome, options.top)
                writer.guesses(name_of(source), guesses)
                with contextlib.redirect_stdout(writer.aside):
                    draw(options, classifier, source, guesses, prepared, targets)
            step()
    writer.close()
    if missed and len(sources) > 1:
        print(f"{missed} of {len(sources)} images could not be read.", file=sys.stderr)
    return 1 if missed else 0


def chosen(options, remarks):
    """The preset asked for; without --preset the first of the lecture's two that can be had, and it is said which."""
    from vitkeras import pretrained
    from vitkeras.pretrained.catalogue import DEFAULTS
    from vitkeras.pretrained.places import Unavailable

    if options.preset is not None:
        return pretrained.load(options.preset, options.precision)
    first, second = DEFAULTS
    try:
        return pretrained.load(first, options.precision)
    except Unavailable as fault:
        reason = f"{first} cannot be had: {fault.reason}"
    try:
        classifier = pretrained.load(second, options.precision)
    except Unavailable as fault:
        raise Problem(f"{reason}\n{fault}") from None
    remarks.append(f"WARNING: {reason} Another model answers instead.")
    return classifier


def read(source):
    return photos.read(sys.stdin.buffer.read(photos.LARGEST + 1) if source == photos.FROM_STDIN else source)


def name_of(source):
    return "standard input" if source == photos.FROM_STDIN else photos.shown(source)


def draw(options, classifier, source, guesses, prepared, targets):
    if not (options.plot or options.attention):
        return
    from vitkeras import plots

    seen = classifier.shown(prepared)
    name = Path(name_of(source)).name
    if options.plot:
        photo = seen if source == photos.FROM_STDIN else photos.read(source)  # again, for few are drawn
        plots.photo_and_bars(photo, guesses, f"{name}, by {classifier.name}", targets["plot"][source])
    if options.attention:
        weights = classifier.attention_of(prepared[None])
        grid = classifier.grid(weights[0])
        title = f"{name}: {guesses[0].name}, {100 * guesses[0].probability:.1f}%, by {classifier.name}"
        plots.looked_at(seen, weights, grid, title, targets["attention"][source], heads=options.heads)


if __name__ == "__main__":
    sys.exit(main())
