"""A grading repeated for an appeal: the same submission, tests and random inputs must give the same points."""

import json
import tempfile
from pathlib import Path

from vitkeras.errors import Misuse
from vitkeras.grading.grade import grade
from vitkeras.grading.results import outputs
from vitkeras.grading.round import RUN


def replay(source, grades, exercises, jobs, students, single=""):
    """Grade `students` (none: all) again by the seed that `grades` recorded, and print what is different."""
    if not Path(grades, RUN).is_file():
        raise Misuse(f"{grades} holds no grading. --replay wants the folder that `grade --out` has filled.")
    run = outputs.read_run(grades)
    before = dict(outputs.students(grades, run))
    wanted = {
        slug
        for slug, results in before.items()
        if not students or results[0]["student"] in students or slug in students
    }
    unknown = [name for name in students if not any(name in (slug, before[slug][0]["student"]) for slug in wanted)]
    if unknown:
        raise Misuse(f"there is no {unknown[0]!r} among the students of {grades}.")
    names = {result["exercise"] for slug in wanted for result in before[slug] if result.get("seed")}
    different = compared = 0
    with tempfile.TemporaryDirectory(prefix="vitkeras-replay-") as folder:
        chosen = [exercise for exercise in exercises if exercise.name in names]
        grade(source, Path(folder, "grades"), chosen, jobs, run["seed"], single, only=wanted, alone=run["alone"])
        for slug in sorted(wanted):
            for result in before[slug]:
                path = Path(folder, "grades", "students", slug, f"{result['exercise']}.json")
                if not path.is_file():
                    continue
                now = json.loads(path.read_text(encoding="utf-8"))
                compared += 1
                changed = now["points"] != result["points"]
                different += changed
                print(
                    f"{result['student']}, {result['title']}: recorded {result['points']:g}, now {now['points']:g}"
                    f"{why(result, now) if changed else ''}"
                )
    print(f"seed {run['seed']}: {compared} result{'s' * (compared != 1)} compared, {different} different")
    return 1 if different or not compared else 0


def why(before, now):
    reasons = [
        text
        for key, text in (("submission", "another submission"), ("tests_fingerprint", "other tests"))
        if before.get(key) != now.get(key)
    ]
    return f" ({' and '.join(reasons) or 'same submission, same tests: see the outcome of each test'})"
