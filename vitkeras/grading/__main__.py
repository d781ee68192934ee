"""Exercises, handed out and graded.

python -m vitkeras.grading                                   the exercises, and what they are worth
python -m vitkeras.grading release OUT                       the hand-out for students: a folder, or OUT.zip
python -m vitkeras.grading grade SUBMISSIONS --out GRADES    grade a class; the same command goes on where it stopped
python -m vitkeras.grading grade SUBMISSIONS --out GRADES --replay "Ana Souza"    the same again, for an appeal
python -m vitkeras.grading check                             stubs get nothing, solutions get everything?
python -m vitkeras.grading gradescope OUT.zip                the bundle that Gradescope's autograder wants

SUBMISSIONS is a folder with a folder, a zip or a file for each student, or the zip that Moodle, Canvas or Gradescope
gives. Students' code runs behind walls (see exercises/README.md), never in the process that gives points.
"""

import argparse
import contextlib
import functools
import sys
from pathlib import Path

from vitkeras import machine
from vitkeras.errors import Interrupted, Misuse, Problem, report, speak_plainly
from vitkeras.options import at_least

COMMAND = "python -m vitkeras.grading"
WHERE = Path("exercises")


def main(arguments=None):
    """Returns the exit code."""
    options = read_options(arguments)
    try:
        return COMMANDS[options.command](options)
    except Problem as problem:
        return report(problem)
    except KeyboardInterrupt:
        return report(Interrupted("what had been finished is kept; the same command goes on from there"))


def read_options(arguments):
    parser = argparse.ArgumentParser(
        prog=COMMAND, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.set_defaults(command="list", exercises=None, exercise=None)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--exercise", action="append", metavar="NAME", help="only this one; may be said several times")
    common.add_argument("--exercises", metavar="FOLDER", help=f"where they are (default: {WHERE} of the checkout)")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="instead of the list")
    release = commands.add_parser("release", parents=[common], help="write the hand-out for students")
    release.add_argument("out", metavar="OUT", help="a new folder, or the name of a zip")
    release.add_argument("--kit", action="store_true", help="with the kit, so that nobody needs this checkout")
    release.add_argument("--classroom", action="store_true", help="with the kit and a workflow for GitHub Classroom")
    grade = commands.add_parser("grade", parents=[common], help="grade submissions")
    grade.add_argument("submissions", metavar="SUBMISSIONS", help="a folder or a zip with what the class handed in")
    grade.add_argument("--out", required=True, metavar="GRADES", help="where grades go, or a grading to go on with")
    grade.add_argument("--jobs", type=at_least(1), metavar="N", help="so many at a time (default: one for each core)")
    grade.add_argument(
        "--cluster",
        nargs="?",
        const="",
        metavar="ADDRESS",
        help="a cluster of Ray's; no address: a Ray here",
    )
    grade.add_argument("--seed", metavar="TEXT", help="what random inputs start from (default: drawn, and recorded)")
    grade.add_argument("--single", metavar="NAME", help="SUBMISSIONS is the submission of one student, of this name")
    grade.add_argument("--again", action="store_true", help="grade also what has been graded before")
    grade.add_argument("--replay", nargs="*", metavar="STUDENT", help="grade again by the recorded seed, and compare")
    check = commands.add_parser("check", parents=[common], help="try the tests on stubs and solutions")
    check.add_argument("--jobs", type=at_least(1), metavar="N")
    bundle = commands.add_parser("gradescope", parents=[common], help="write an autograder's bundle for Gradescope")
    bundle.add_argument("out", metavar="OUT.zip")
    options = parser.parse_args(arguments)
    options.command = options.command or "list"
    return options


def found(options):
    """(folder, exercises) that the options mean."""
    from vitkeras.grading import exercise

    folder = Path(options.exercises or WHERE)
    if not options.exercises and not folder.is_dir():
        folder = Path(__file__).parents[2] / WHERE
    exercises = exercise.read_all(folder)
    if not options.exercise:
        return folder, exercises
    by_name = {one.name: one for one in exercises}
    for name in options.exercise:
        if name not in by_name:
            raise Misuse(f"there is no exercise {name!r} in {folder}. There are {', '.join(by_name)}.")
    return folder, [one for one in exercises if one.name in options.exercise]


def show(options):
    from rich.console import Console
    from rich.table import Table

    _, exercises = found(options)
    table = Table("", "name", "title", "hand in")
    for one in exercises:
        table.add_row(str(one.order), one.name, one.title, ", ".join(one.files))
    Console().print(table)
    print(f"try one:  pytest {WHERE}/NAME (what students see)\nmore:     {COMMAND} --help")
    return 0


def hand_out(options):
    from vitkeras.grading.release import release

    folder, exercises = found(options)
    names = release(folder, exercises, options.out, options.kit, options.classroom)
    print(f"{options.out}: {len(names)} files of {len(exercises)} exercises, without solutions and hidden tests")
    return 0


def grade(options):
    from vitkeras.grading.desk import Desk
    from vitkeras.grading.grade import grade
    from vitkeras.grading.progress import Progress

    _, exercises = found(options)
    tell_of_missing_tests(exercises)
    jobs = options.jobs or machine.cores()
    if options.replay is not None:
        if options.cluster is not None:
            raise Misuse("--replay grades on this machine. Leave --cluster out.")
        if options.seed:
            raise Misuse("--replay takes the seed that was recorded. Leave --seed out.")
        from vitkeras.grading.replay import replay

        return replay(options.submissions, options.out, exercises, jobs, options.replay, options.single)
    if options.cluster is None:
        print(f"walls: {walls_of(exercises)}")
    with contextlib.ExitStack() as open_:
        desks, jobs = (Desk, jobs) if options.cluster is None else open_.enter_context(far_desks(options))
        progress = open_.enter_context(Progress())
        run = grade(
            options.submissions, options.out, exercises, jobs, options.seed, options.single, options.again,
            wanted=bool(options.exercise), progress=progress, desks=desks,
        )  # fmt: skip
    for note in run["left_out"]:
        print(f"left out: {note}")
    count = run["submissions"]
    print(f"{count} submission{'s' * (count != 1)}: {run['now']} results are new, {run['before']} are as before")
    print(f"begin with {Path(options.out, 'summary.html')}")
    print(f"also there: gradebook.csv, feedback/, review/, gradescope/, classroom/, junit.xml (seed {run['seed']})")
    return 0


@contextlib.contextmanager
def far_desks(options):
    """(what makes a desk on the cluster, how many there may be)"""
    from vitkeras.farm import Farm
    from vitkeras.grading.far import FarDesk

    with Farm(options.cluster or None) as farm:
        cpus = int(farm.room.get("CPU", 0))
        print(f"desks: on a cluster with {cpus} CPUs, as many as there is room for; each behind bubblewrap")
        yield functools.partial(FarDesk, farm), options.jobs or max(1, cpus)


def walls_of(exercises):
    from vitkeras.grading import walls

    return walls.best(exercises[0]).description


def tell_of_missing_tests(exercises):
    for one in exercises:
        if not any(one.for_instructors.glob("test_*.py")):
            print(f"note: {one.name} has no hidden tests here; only what students see is graded")


def check(options):
    from vitkeras.grading.check import check

    _, exercises = found(options)
    return check(exercises, options.jobs or machine.cores())


def bundle(options):
    from vitkeras.grading.bundle import write

    folder, exercises = found(options)
    names = write(folder, exercises, options.out)
    print(f"{options.out}: {len(names)} files; upload it as the autograder of an assignment")
    return 0


COMMANDS = {"list": show, "release": hand_out, "grade": grade, "check": check, "gradescope": bundle}

if __name__ == "__main__":
    speak_plainly()
    sys.exit(main())
