"""A class graded, two ways in turn: by `vitkeras.grading`, and by one fresh process of pytest for each student.

The class is made: the exercise's solution; the same with one function or class after the other left as a stub, or
giving back something wrong; files that are no Python, that end the process, that are missing.
"""

import ast
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from vitkeras.benchmark.measuring import describe_machine, keep, spread
from vitkeras.benchmark.processes import one_process
from vitkeras.errors import Problem
from vitkeras.grading import exercise as exercises
from vitkeras.grading.grade import grade
from vitkeras.grading.results import outputs

EXERCISES = Path(__file__).parents[2] / "exercises"
PATIENCE = 300  # seconds for a student, the usual way


def run(options):
    with one_process() as call:
        figures = {"command": options.command} | call(describe_machine, "cpu")
    print(f"machine: {figures['machine']}")
    if options.json and not Path(options.json).exists():
        keep(figures, options.json)  # now, so that a wrong path is told before the measuring
    exercise = exercises.read(EXERCISES / options.exercise)
    figures["data"] = f"submissions made of the solution of {exercise.name}: half right, half of them partial or broken"
    figures |= {"exercise": exercise.name, "students": options.students, "jobs": options.jobs, "rounds": []}
    with tempfile.TemporaryDirectory(prefix="vitkeras-benchmark-") as folder:
        for number, students in enumerate(parts(options.students, options.rounds)):
            made = Path(folder, f"class{number}")
            for index in students:
                submit(exercise, index, made / f"student{index:04}")
            figures["rounds"].append(
                race(exercise, made, Path(folder, f"grades{number}"), options.jobs, number % 2 == 0)
            )
            print(told(figures["rounds"][-1]))
    figures["walls"] = figures["rounds"][0].pop("walls")
    show(figures)
    if options.json:
        keep(figures, options.json)
        print(f"figures: {options.json}")
    if any(one["different"] for one in figures["rounds"]):
        raise Problem("the two ways do not give the same points, see above")


def parts(students, rounds):
    return [range(start, students, rounds) for start in range(rounds)]


def submit(exercise, index, folder):
    """Student number `index` hands in one of the variants, in a folder named after the exercise."""
    solution = (exercise.for_instructors / exercise.files[0]).read_text(encoding="utf-8")
    variants = [*partial(solution), "import sys\nsys.exit(0)\n", "import os\nos._exit(0)\n", "def no python", "", None]
    # Half of a class has all of it right; the others are spread over the variants.
    source = f"# student {index}\n{solution}" if index % 2 else variants[index // 2 % len(variants)]
    (folder / exercise.name).mkdir(parents=True)
    if source is not None:
        (folder / exercise.name / exercise.files[0]).write_text(source, encoding="utf-8")


def partial(solution):
    """The solution with one function or class after the other missing, or giving back something else."""
    for node in ast.parse(solution).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            for line in (
                f"def {node.name}(*a, **k): raise NotImplementedError",
                f"def {node.name}(*a, **k): return a[0]",
            ):
                yield f"{solution}\n\n{line}\n"


def race(exercise, made, out, jobs, our_turn_last):
    """Seconds and points of both ways over the same submissions."""
    seconds, usual = {}, {}

    def the_usual_way():
        with ThreadPoolExecutor(jobs) as pool:
            usual.update(pool.map(lambda folder: (folder.name, usual_way(exercise, folder)), sorted(made.iterdir())))

    ways = {"usual": the_usual_way, "our": lambda: grade(made, out, [exercise], jobs)}
    for name in ways if our_turn_last else reversed(ways):
        began = time.perf_counter()
        ways[name]()
        seconds[name] = time.perf_counter() - began
    ours = {slug: results[0]["points"] for slug, results in outputs.students(out, outputs.read_run(out))}
    return {
        "students": len(usual),
        "usual_seconds": seconds["usual"],
        "our_seconds": seconds["our"],
        "points": sum(ours.values()),
        "different": sorted(slug for slug in ours if abs(ours[slug] - usual[slug]) > 1e-9),
        "walls": outputs.read_run(out)["walls"],
    }


def usual_way(exercise, folder):
    """The points that one fresh process of pytest gives, the student's code imported into it."""
    with tempfile.TemporaryDirectory() as place:
        points = Path(place, "points.json")
        words = [sys.executable, "-m", "pytest", "-q", *map(str, exercise.tests), "--import-mode=importlib"]
        words += ["-p", "vitkeras.benchmark.in_process", "--submission", str(folder / exercise.name), "--noconftest"]
        words += ["-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(exercise.folder.parent)]
        threads = dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"), "1")
        environment = os.environ | threads | {"VITKERAS_POINTS": str(points), "KERAS_BACKEND": "tensorflow"}
        with contextlib.suppress(subprocess.TimeoutExpired):  # then there are no points
            subprocess.run(words, capture_output=True, timeout=PATIENCE, env=environment)
        return json.loads(points.read_text()) if points.exists() else 0.0


def told(one):
    times = one["usual_seconds"] / one["our_seconds"]
    same = f"different points for {', '.join(one['different'])}" if one["different"] else "the same points for all"
    return (
        f"{one['students']} students: {one['usual_seconds']:.0f} s by a pytest for each, "
        f"{one['our_seconds']:.0f} s by vitkeras.grading, {times:.1f} times as fast; {same}"
    )


def show(figures):
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{figures['students']} students graded in {figures['exercise']}, {figures['jobs']} at a time")
    for column in ("way", "seconds", "seconds a student", "times as fast, round by round"):
        table.add_column(column, justify="right")
    for row in rows(figures):
        table.add_row(*row)
    Console(width=120).print(table)


def rows(figures):
    for way, key in (("a fresh pytest for each", "usual_seconds"), ("vitkeras.grading, walls and all", "our_seconds")):
        seconds = sum(one[key] for one in figures["rounds"])
        ratios = [one["usual_seconds"] / one[key] for one in figures["rounds"]]
        yield [way, f"{seconds:,.0f}", f"{seconds / figures['students']:.2f}", spread(ratios)]
