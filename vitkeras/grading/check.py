"""Are the tests of an exercise right? Its stub must earn nothing, and its solution everything."""

import shutil
import tempfile
from pathlib import Path

from vitkeras.grading.grade import grade
from vitkeras.grading.results import outputs


def check(exercises, jobs):
    """Print a table; returns the exit code."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table, wrong = Table("exercise", "stub", "solution", "of", ""), 0
    with tempfile.TemporaryDirectory(prefix="vitkeras-check-") as folder:
        for exercise in exercises:
            for name, source in (("stub", exercise.folder), ("solution", exercise.for_instructors)):
                target = Path(folder, "submissions", name, exercise.name)
                target.mkdir(parents=True)
                for file in exercise.files + exercise.optional:
                    if (source / file).is_file():
                        shutil.copyfile(source / file, target / file)
        grade(Path(folder, "submissions"), Path(folder, "grades"), exercises, jobs)
        results = dict(outputs.students(Path(folder, "grades"), outputs.read_run(Path(folder, "grades"))))
    for exercise, stub, solution in zip(exercises, results["stub"], results["solution"], strict=True):
        good = stub["points"] == 0 and solution["points"] == solution["max_points"] > 0
        wrong += not good
        failed = [test for test in solution["tests"] if test["status"] != "passed"]
        kept = [test for test in stub["tests"] if test["status"] == "passed"]
        said = [f"{test['title']}: {test['message']} {test['got']}" for test in failed]
        said += [f"{test['title']}: the stub passes" for test in kept]
        points = f"{stub['points']:g}", f"{solution['points']:g}", f"{solution['max_points']:g}"
        table.add_row(exercise.name, *points, Text("\n".join(said) or "as it should be"))
    Console().print(table)
    return 1 if wrong else 0
