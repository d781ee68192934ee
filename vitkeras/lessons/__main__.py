"""The lessons of the course: list them, run them, make notebooks of them.

python -m vitkeras.lessons                        the list, in the course's order
python -m vitkeras.lessons run 3                  one, on a few images; its output is shown as it comes
python -m vitkeras.lessons run all --jobs 2       all, two at a time; their output is kept in runs/lessons-log
python -m vitkeras.lessons run 3 --full -- --epochs 5
python -m vitkeras.lessons notebooks my-notebooks all
python -m vitkeras.lessons records                the tables of records, in Markdown, as the course's page has them

A lesson is named by its number (3), its name (03_attention, attention) or a part of it that no other has.
"""

import argparse
import sys

from vitkeras.errors import Misuse, Problem, report, speak_plainly
from vitkeras.lessons import catalogue
from vitkeras.options import at_least

COMMAND = "python -m vitkeras.lessons"
NAMES = {"metavar": "NAME", "help": "number or name of a lesson, or all"}


def main(arguments=None):
    """Returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    cut = words.index("--") if "--" in words else len(words)
    options, for_lesson = read_options(words[:cut]), words[cut + 1 :]
    try:
        if for_lesson and options.command != "run":
            raise Misuse("Options of a lesson, after --, are only for `run`.")
        lessons = catalogue.find()
        if options.command == "run":
            from vitkeras.lessons import running

            how = ([] if options.full else ["--quick"]) + for_lesson
            return running.run(catalogue.choose(lessons, options.names), how, options.jobs)
        if options.command == "notebooks":
            from vitkeras.lessons import notebooks

            return notebooks.build(catalogue.choose(lessons, options.names or ["all"]), options.out, options.force)
        if options.command == "records":
            from vitkeras.lessons import records

            results = lessons[0].path.parent / "results"
            tables = [records.table(results, options.language), records.scenes(results, options.language)]
            tables += [records.changes(results, name, options.language) for name in records.ABLATIONS]
            for table in filter(None, tables):
                print("\n".join(table), end="\n\n")
            return 0
        return show(lessons)
    except Problem as problem:
        return report(problem)


def read_options(words):
    parser = argparse.ArgumentParser(
        prog=COMMAND, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="instead of the list")
    run = commands.add_parser("run", help="run lessons, each in a process of its own")
    run.usage = f"{COMMAND} run NAME ... [--full] [--jobs N] [-- options of the lesson]"
    run.add_argument("names", nargs="+", **NAMES)
    run.add_argument("--full", action="store_true", help="as the lesson is meant to run; without it, with --quick")
    run.add_argument("--jobs", type=at_least(1), default=1, metavar="N", help="so many at a time (default 1)")
    notebooks = commands.add_parser("notebooks", help="make a Jupyter notebook of each lesson")
    notebooks.add_argument("out", metavar="FOLDER", help="where the notebooks go")
    notebooks.add_argument("names", nargs="*", **(NAMES | {"help": f"{NAMES['help']} (default all)"}))
    notebooks.add_argument("--force", action="store_true", help="replace notebooks that are there already")
    records = commands.add_parser("records", help="the table of what several seeds have reached, in Markdown")
    records.add_argument("--language", choices=("en", "pt"), default="en", help="(default en)")
    return parser.parse_args(words)


def show(lessons):
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("", "idea", "python …")
    for lesson in lessons:
        table.add_row(lesson.number, Text(lesson.idea), Text(lesson.command))
    table.columns[2].overflow = "fold"
    Console().print(table)
    print(f"run:        python {lessons[0].command}   (--quick: on a few images; --help: all options)")
    print(f"or several: {COMMAND} run 1 {lessons[-1].name}   (or all; on a few images, unless --full)")
    print(f"notebooks:  {COMMAND} notebooks FOLDER")
    print(f"records:    {COMMAND} records   (what several seeds have reached)")
    return 0


if __name__ == "__main__":
    speak_plainly()
    sys.exit(main())
