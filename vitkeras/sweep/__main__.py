"""One lesson, many times: every combination of some settings, with several seeds, on one machine or on many.

python -m vitkeras.sweep tr02c --seeds 5 --set patch_size=4,7,14 --out my-sweep -- --epochs 3
python -m vitkeras.sweep 8 --seeds 3 --set precision=float32,bfloat16 --out another --cpus 2 -- --data ../data
python -m vitkeras.sweep tr02c --out my-sweep --cluster 10.0.0.5:6379 …      on a cluster of Ray's

What stands after -- goes to every run. --set takes options of the lesson, and the constants at its top, in small
letters. The same command goes on where it stopped: what was finished is not run again, and what failed is.
"""

import argparse
import os
import sys
from pathlib import Path

from vitkeras.datasets import search
from vitkeras.errors import Interrupted, Misuse, Problem, report, speak_plainly
from vitkeras.files import hold, written_whole
from vitkeras.files import sweep as remove_unfinished
from vitkeras.lessons import catalogue
from vitkeras.options import at_least
from vitkeras.sweep import plan, table, work

COMMAND = "python -m vitkeras.sweep"


def main(arguments=None):
    """Returns the exit code: 1 if a run failed."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    cut = words.index("--") if "--" in words else len(words)
    options = read_options(words[:cut])
    try:
        return swept(options, words[cut + 1 :])
    except Problem as problem:
        return report(problem)
    except KeyboardInterrupt:
        return report(Interrupted(f"what was finished is kept in {options.out}; the same command goes on from there"))


def read_options(words):
    parser = argparse.ArgumentParser(
        prog=COMMAND, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.usage = f"{COMMAND} LESSON --out FOLDER [--seeds N] [--set NAME=VALUES ...] [-- options of the lesson]"
    add = parser.add_argument
    add("lesson", metavar="LESSON", help="number or name of a lesson")
    add("--out", required=True, metavar="FOLDER", help="where runs and tables go, or a sweep to go on with")
    add("--seeds", type=at_least(1), default=3, metavar="N", help="so many runs of each combination (default 3)")
    add("--seed", type=at_least(0), default=1, metavar="N", help="the first of the seeds (default 1)")
    add("--set", action="append", default=[], metavar="NAME=VALUES", help="a setting, and the values to try")
    add("--measure", metavar="NAME", help="the number to be compared (default: the first accuracy)")
    add("--cluster", metavar="ADDRESS", help="a cluster of Ray's (default: Ray on this machine alone)")
    add("--cpus", type=at_least(1), default=1, metavar="N", help="that a run is given (default 1)")
    add("--gpus", type=of_gpus, default=0, metavar="N", help="that a run sees; 0.5 lets two share one (default 0)")
    add("--memory", type=share, default=2, metavar="GB", help="that a run is given (default 2)")
    return parser.parse_args(words)


def share(text):
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not 0 <= number < 1e6:
        raise argparse.ArgumentTypeError(f"a number from 0 on is needed, not {text!r}")
    return number


def of_gpus(text):
    number = share(text)
    if number > 1 and number % 1:
        raise argparse.ArgumentTypeError(f"a part of a GPU, or whole ones, not {text!r}")
    return number


def swept(options, words):
    lesson = one_lesson(options.lesson)
    words = plan.with_whole_paths(words)
    runs = plan.planned(lesson, options.set, options.seed, options.seeds, words)
    plan.check(lesson, runs)
    lock = hold(options.out, "sweeping")
    try:
        remove_unfinished(options.out)
        plan.keep(options.out, lesson, words)
        records = {run.name: record for run in runs if (record := table.record_of(Path(options.out, run.name)))}
        waiting = [run for run in runs if run.name not in records]
        before = f", {len(records)} of them finished before" if records else ""
        print(f"{len(runs)} runs of {lesson.name}{before}", flush=True)
        failed = {}
        try:
            if waiting:
                go(lesson, waiting, options, records, failed)
        finally:
            table.write(options.out, runs, records, failed)
        return told(lesson, runs, records, failed, options)
    finally:
        if lock is not None:
            os.close(lock)


def one_lesson(name):
    found = catalogue.choose(catalogue.find(), [name])
    if len(found) > 1:
        raise Misuse(f"{name} may be {' or '.join(lesson.name for lesson in found)}. A sweep is over one of them.")
    return found[0]


def go(lesson, waiting, options, records, failed):
    """Have the runs done that are `waiting`; what comes of them is added to `records` or `failed`."""
    from vitkeras import farm

    script = lesson.path.read_text(encoding="utf-8")
    common = {"script": script, "name": lesson.name, "threads": options.cpus, "gpus": options.gpus}
    common["data"] = str(search.own_folder())
    tasks = {run: (work.run, common | {"words": run.words}) for run in waiting}
    asked = {"cpus": options.cpus, "gpus": options.gpus, "memory": int(options.memory * 1e9)}
    with farm.Farm(options.cluster) as machines:
        print(f"on {machines.room.get('CPU', 0):g} CPUs and {machines.room.get('GPU', 0):g} GPUs", flush=True)
        for run, outcome in machines.done(tasks, **asked):
            done = len(records) + len(failed) + 1
            if isinstance(outcome, farm.Lost):
                failed[run.name] = str(outcome)
            elif outcome["code"]:
                bring_home(Path(options.out, run.name), outcome["files"])
                failed[run.name] = f"exit code {outcome['code']}: {work.telling(outcome['said'])}"
            else:
                bring_home(Path(options.out, run.name), outcome["files"])
                if record := table.record_of(Path(options.out, run.name)):
                    records[run.name] = record
                else:
                    failed[run.name] = f"it ended without a record: {work.telling(outcome['said'])}"
            how = failed.get(run.name) or f"{outcome['seconds']:.0f} s on {outcome['machine']}"
            print(f"[{done}] {run.title}: {how}", flush=True)


def bring_home(folder, files):
    """run.json comes last: a run whose record is there is whole."""
    (folder / "said.txt").unlink(missing_ok=True)  # what an earlier try, which failed, has said
    for name in sorted(files, key=lambda name: name == "run.json"):
        with written_whole(folder / name) as path:
            path.write_bytes(files[name])


def told(lesson, runs, records, failed, options):
    known = list(dict.fromkeys(name for record in records.values() for name in table.numbers(record)))
    measure = table.chosen_measure(known, options.measure)
    titles = list(dict.fromkeys(record.get("data", {}).get("title", "?") for record in records.values()))
    if len(titles) > 1:
        print(f"WARNING: the runs were on different data, so their means say nothing: {'; '.join(titles)}")
    if records and measure is None and options.measure:
        raise Misuse(
            f"--measure {options.measure}: no run gave such a number. There are: {', '.join(known) or 'none'}."
        )
    found = list(table.rows(runs, records, failed, measure))
    table.show(found, measure or "no number was given")
    if measure:
        table.write_summary(options.out, found, measure)
        table.draw(options.out, found, measure, f"{lesson.name}: {', '.join(titles)}")
        others = [name for name in known if name != measure]
        print(f"other numbers (--measure NAME): {', '.join(others) or 'none'}")
    print(f"all of it: {options.out}/runs.csv, summary.csv, and a folder for each run")
    return 1 if failed else 0


if __name__ == "__main__":
    speak_plainly()
    sys.exit(main())
