"""Measure this project against what it replaces: `python -m vitkeras.benchmark tr02c`; or itself: `shapes`."""

import argparse
import importlib
import os
import sys

from vitkeras.errors import speak_plainly
from vitkeras.options import at_least, spoken

PRECISIONS = ("float32", "bfloat16")
SIZES = ("deit_tiny", "deit_small", "deit_base")


def main():
    speak_plainly()
    parser = argparse.ArgumentParser(prog="python -m vitkeras.benchmark", description=__doc__)
    what = parser.add_subparsers(dest="what", required=True)
    tr02c = what.add_parser(
        "tr02c", help="an epoch of the lecture's program, as published and ours; the attention layers"
    )
    tr02c.add_argument("--rounds", type=at_least(1), default=3, help="epochs of each, in turn (default 3)")
    tr02c.add_argument("--images", type=at_least(512), default=60000, help="images in an epoch (default: all 60000)")
    tr02c.add_argument("--data", metavar="PATH", help="folder or file of MNIST; without it, drawn digits")
    tr02c.add_argument("--json", metavar="FILE", help="keep the figures, with machine and versions, in a file")
    tr02c.add_argument("--device", choices=["cpu", "gpu"], default="cpu", help="where all of them run (default cpu)")
    tr02c.add_argument("--only", choices=["epochs", "layers"], help="one of the two tables")
    tr02c.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=PRECISIONS, help="(default: both)")
    shapes = what.add_parser("shapes", help="how many pictures of two shapes are drawn in a second")
    shapes.add_argument("--rounds", type=at_least(1), default=5, help="drawings of each, in turn (default 5)")
    shapes.add_argument("--images", type=at_least(1), default=10000, help="images in a drawing (default 10000)")
    shapes.add_argument("--json", metavar="FILE", help="keep the figures, with machine and versions, in a file")
    shapes.set_defaults(device="cpu")
    grading = what.add_parser("grading", help="a class of students graded, and by one fresh pytest for each of them")
    grading.add_argument("--students", type=at_least(6), default=300, help="how many (default 300)")
    grading.add_argument("--rounds", type=at_least(1), default=3, help="parts of the class, one way then the other")
    grading.add_argument("--exercise", default="attention", metavar="NAME", help="(default attention)")
    grading.add_argument("--jobs", type=at_least(1), default=2, help="at a time, both ways (default 2)")
    grading.add_argument("--json", metavar="FILE", help="keep the figures, with machine and versions, in a file")
    grading.set_defaults(device="cpu")
    classify = what.add_parser("classify", help="photos a second and cold start, against the lecture's loop")
    classify.add_argument("--rounds", type=at_least(1), default=3, help="of each, in turn (default 3)")
    classify.add_argument("--images", type=at_least(1), default=100, help="photos in a round (default 100)")
    classify.add_argument(
        "--photos", metavar="FOLDER", help="photos to read, over and over; without it, drawn pictures"
    )
    classify.add_argument("--models", nargs="+", choices=SIZES, default=SIZES, help="(default: all three)")
    classify.add_argument("--json", metavar="FILE", help="keep the figures, with machine and versions, in a file")
    classify.set_defaults(device="cpu")
    cost = what.add_parser("cost", help="how time grows with batch, patches, width and depth; what eats it; PyTorch")
    cost.add_argument("--rounds", type=at_least(1), default=5, help="of each, in turn (default 5)")
    cost.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=PRECISIONS, help="(default: both)")
    cost.add_argument("--variants", type=at_least(1), metavar="N", help="the first N only (default: all)")
    cost.add_argument("--json", metavar="FILE", help="keep the figures, with machine and versions, in a file")
    cost.set_defaults(device="cpu")
    cluster = what.add_parser("cluster", help="tasks a minute on one node and on two, and the overhead of a task")
    cluster.add_argument("--rounds", type=at_least(1), default=3, help="of each, in turn (default 3)")
    cluster.add_argument("--tasks", type=at_least(2), default=8, help="in a round (default 8)")
    cluster.add_argument("--json", metavar="FILE", help="keep the figures, with machine and versions, in a file")
    cluster.set_defaults(device="cpu")
    demo = what.add_parser("demo", help="how soon the page answers to a stroke, a photo, a pair of shapes")
    demo.add_argument("--rounds", type=at_least(2), default=100, help="questions of each kind (default 100)")
    demo.add_argument("--json", metavar="FILE", help="keep the figures, with machine and versions, in a file")
    demo.set_defaults(device="cpu")
    options = parser.parse_args()

    if options.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    options.command = spoken(["python", "-m", "vitkeras.benchmark", *sys.argv[1:]])
    importlib.import_module(f"vitkeras.benchmark.{options.what}").run(options)


if __name__ == "__main__":
    main()
