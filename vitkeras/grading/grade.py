"""A class graded: every submission to every exercise, into one folder that can be gone on with.

What is finished lies in GRADES/students/<student>/<exercise>.json, and is not done again as long as submission, tests
and seed are the same.
"""

import datetime
import json
import os
import secrets
import tempfile
from pathlib import Path

from vitkeras import machine
from vitkeras.errors import Misuse
from vitkeras.files import hold, sweep
from vitkeras.grading import walls
from vitkeras.grading.desk import Desk
from vitkeras.grading.handed_in import finding, naming
from vitkeras.grading.progress import Silence
from vitkeras.grading.results import outputs
from vitkeras.grading.round import RUN, Round, write_json


def grade(
    source, out, exercises, jobs, seed=None, single="", again=False, only=None, alone=None, wanted=True, progress=None,
    desks=Desk,
):  # fmt: skip
    """Grade `source` into the folder `out`, and write all that is made of it. Returns what `run.json` says.

    single: the student's name, if `source` is one submission.  again: also what has been graded before.
    only: slugs of those to grade, others are passed over.  alone: exercise -> whether a lone file of any name is taken.
    wanted: grade every one of `exercises`, also one that nobody has handed anything in for.
    desks: what examines, made for (exercise, slot): processes here, or on the machines of a cluster.
    """
    source, out, progress = Path(source), Path(out), progress or Silence()
    require_apart(source, out)
    with tempfile.TemporaryDirectory(prefix="vitkeras-grading-") as scratch:
        if source.suffix == ".py" and not single:
            raise Misuse(f"{source} is one Python file. To grade it as one student's submission: --single NAME.")
        if single:
            if not source.exists():
                raise Misuse(f"{source} is not there. With --single, it should be the submission of one student.")
            found, left_out = [finding.Submission(single, naming.slug(single), (source.resolve(),))], []
        else:
            found, left_out = finding.find(source, exercises=[one.name for one in exercises])
        found = [one for one in found if only is None or one.slug in only]
        require_own(out)
        lock = hold(out, "grading")
        try:
            run = opened_run(out, seed) | {"left_out": left_out, "submissions": len(found), "now": 0, "before": 0}
            for exercise in exercises:
                run["alone"].setdefault(exercise.name, len(exercises) == 1 if alone is None else alone[exercise.name])
            progress.begin(len(exercises) * len(found))
            for exercise in exercises:
                Round(exercise, found, out, run, Path(scratch), again, wanted, progress, desks).go(jobs)
            write_json(out / RUN, run)
            outputs.write_all(out)
        finally:
            if lock is not None:
                os.close(lock)
    return run


def require_apart(source, out):
    """Grades among submissions would be taken for a student, and students' code must see neither."""
    here, there = source.resolve(), out.resolve()
    if here == there or here in there.parents or there in here.parents:
        raise Misuse(f"{source} and {out} lie one in the other. --out wants a folder apart from the submissions.")
    if not walls.bubblewrap_lacks():
        walls.require_unseen(here, there)


def require_own(out):
    """Nothing is graded into a folder that holds other things."""
    if out.exists() and not (out / RUN).exists() and (not out.is_dir() or any(out.iterdir())):
        raise Misuse(
            f"{out} holds other things than a grading. --out wants a new folder, or one that a grading has left."
        )


def opened_run(out, seed=None):
    """What is known of a grading that was begun in `out`, or a fresh one."""
    path = out / RUN
    if path.exists():
        try:
            run = json.loads(path.read_text(encoding="utf-8"))
            run["seed"], run["exercises"], run["alone"]
        except (OSError, ValueError, KeyError, TypeError):
            raise Misuse(f"{path} is not what a grading has left. --out wants a folder of one, or a new one.") from None
        if seed and seed != run["seed"]:
            raise Misuse(
                f"the grading in {out} has another seed than --seed {seed}. Leave --seed out to go on with it, or "
                "choose another --out."
            )
        for folder in (out, *out.glob("students/*")):
            sweep(folder)
        return run
    run = {
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "seed": seed or secrets.token_hex(16),
        "walls": "",
        "exercises": [],
        "alone": {},
        "versions": machine.versions(),
    }
    write_json(path, run)
    return run
