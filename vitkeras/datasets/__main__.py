"""Which data sets are there, where they came from and what they look like; or download one.

python -m vitkeras.datasets                     the list, and a picture of each in runs/datasets
python -m vitkeras.datasets fetch mnist         download
"""

import argparse
import importlib
import sys
from pathlib import Path

from vitkeras import datasets
from vitkeras.datasets import search
from vitkeras.errors import Interrupted, Misuse, Problem, report, speak_plainly

COMMAND = "python -m vitkeras.datasets"
MADE = {"drawn": "60,000 + 10,000", "coloured": "50,000 + 10,000", "shapes": "20,000 + 2,000"}  # when asked for
WHERE = "folder or file to look in first; a folder is also where a download goes"


def main(arguments=None):
    """Returns the exit code."""
    options = read_options(arguments)
    try:
        if options.command == "fetch":
            return fetch_all(dict.fromkeys(options.names), options.data)
        return show(options.data, options.out, sheets=not options.no_sheet)
    except Problem as problem:
        return report(problem)
    except KeyboardInterrupt:
        print("stopped: nothing was left half done.", file=sys.stderr)
        return Interrupted.exit_code


def read_options(arguments):
    parser = argparse.ArgumentParser(
        usage=f"{COMMAND} [--data PATH] [--out FOLDER] [--no-sheet]\n       {COMMAND} fetch NAME ... [--data PATH]",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", metavar="PATH", help=WHERE)
    parser.add_argument("--out", metavar="FOLDER", default="runs/datasets", help="for pictures (default runs/datasets)")
    parser.add_argument("--no-sheet", action="store_true", help="draw no pictures")
    commands = parser.add_subparsers(dest="command", prog=COMMAND, metavar="fetch", title="instead of the list")
    command = commands.add_parser("fetch", help="download data sets, unless they are there")
    command.add_argument("names", nargs="+", choices=datasets.SOURCES, metavar="NAME", help="mnist or cifar10")
    command.add_argument("--data", metavar="PATH", help=WHERE, default=argparse.SUPPRESS)  # else it hides the one above
    return parser.parse_args(arguments)


def fetch_all(names, folder):
    """One that cannot be had is told, and does not keep the others from coming."""
    code = 0
    for name in names:
        try:
            fetch(name, folder)
        except Interrupted:
            raise
        except Problem as problem:
            code = report(problem)
    return code


def fetch(name, folder):
    """Download, unless the published images are there already. A mere likeness of them is no reason not to."""
    found = datasets.find(name, folder)
    if found:
        data = datasets.read(name, found)
        if not data.warning:
            print(f"{name} is there already: {data.origin}")
            return
        print(f"{name}: {data.warning}")
        taken = search.destination(folder) / datasets.SOURCES[name].PUBLISHED.file_name
        if taken.exists():
            raise Problem(f"{taken} is in the way of the download. Move it away, or rename it, and try again.")
    path = datasets.fetch(name, folder)
    print(f"{name} is there now: {datasets.read(name, datasets.SOURCES[name].find(path)).origin}")
    first = datasets.find(name, folder).path
    if first != path:
        print(f"But {first} comes first. Name the new copy with --data {path}, or move the other one away.")


def show(folder, out, sheets):
    """Print a table of all data sets, then what there is to say of each. A broken one makes the exit code 1."""
    from rich.console import Console
    from rich.table import Table

    if folder == "drawn":
        raise Misuse("What is drawn needs no folder: leave --data out, and it is listed with the others.")
    console, table, notes, problems = Console(), Table("data set", "there?", "images", "shape"), [], []
    for name in datasets.NAMES:
        try:
            with console.status(f"reading {name} ..."):
                there, images, data, remark = look_at(name, folder)
                table.add_row(name, there, images, " x ".join(map(str, data.image_shape)) if data else "")
                notes.append(f"{name}: {remark}")
                if data and sheets:
                    notes.append(f"  picture: {draw_sheet(data, Path(out, f'{name}.png'))}")
        except Misuse:  # of an option, so it concerns all of them
            raise
        except Problem as problem:
            table.add_row(name, "broken", "", "")
            problems.append(f"{name}: {problem}")
    console.print(table)
    print("\n".join(notes))  # not in the table, which would break paths that are to be copied
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if problems else 0


def look_at(name, folder):
    """Whether a data set is there, how many images it has, the data (None if not there), where from and what it is."""
    if name in MADE:
        data = importlib.import_module(f"vitkeras.datasets.{name}").load(train=600, test=100)  # enough for a picture
        return "on demand", MADE[name], data, "drawn in seconds, when asked for" + remarks(data)
    found = datasets.find(name, folder)
    if not found:
        return "no", "", None, f"to get it: {COMMAND} fetch {name}"
    data = datasets.read(name, found)
    return "yes", f"{len(data.y_train):,} + {len(data.y_test):,}", data, data.origin + remarks(data)


def remarks(data):
    return f"\n  {data.warning}" if data.warning else ""


def draw_sheet(data, path):
    from vitkeras.datasets import contact_sheet

    contact_sheet.draw(data, path)
    return path


if __name__ == "__main__":
    speak_plainly()
    sys.exit(main())
