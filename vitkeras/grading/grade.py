"""A class graded: every submission to every exercise, at several desks at a time, so that an interruption costs little.

What is finished lies in GRADES/students/<student>/<exercise>.json, and is not done again as long as submission, tests
and seed are the same.
"""

import contextlib
import datetime
import hashlib
import json
import os
import queue
import secrets
import shutil
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from vitkeras import machine
from vitkeras.errors import Interrupted, Misuse
from vitkeras.files import hold, sweep, written_whole
from vitkeras.grading.desk import Desk, Ended
from vitkeras.grading.handed_in import choosing, finding, naming, unpacking

RUN = "run.json"


@dataclass(frozen=True)
class Task:
    """One submission to one exercise, files chosen."""

    submission: finding.Submission
    files: dict
    notes: list
    missing: list
    fingerprint: str


def grade(source, out, exercises, jobs, seed=None, single="", on_progress=None, only=None):
    """Grade `source` into the folder `out`. Returns what `run.json` says.

    single: the student's name, if `source` is one submission.  only: slugs of those to grade, others are passed over.
    """
    out = Path(out)
    with tempfile.TemporaryDirectory(prefix="vitkeras-grading-") as scratch:
        if single:
            found, left_out = [finding.Submission(single, naming.slug(single), (Path(source).resolve(),))], []
        else:
            found, left_out = finding.find(Path(source), exercises=[one.name for one in exercises])
        found = [one for one in found if only is None or one.slug in only]
        require_own(out)
        lock = hold(out, "grading")
        try:
            run = opened_run(out, seed)
            run |= {"left_out": left_out, "students": [{"student": one.student, "slug": one.slug} for one in found]}
            progress = on_progress or (lambda **what: None)
            for exercise in exercises:
                progress(exercise=exercise, total=len(found))
                Round(exercise, found, out, run, Path(scratch), len(exercises) == 1, progress).go(jobs)
            write_json(out / RUN, run)
        finally:
            if lock is not None:
                os.close(lock)
    return run


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
            run["seed"], run["exercises"]
        except (OSError, ValueError, KeyError, TypeError):
            raise Misuse(f"{path} is not what a grading has left. --out wants a folder of one, or a new one.") from None
        if seed and seed != run["seed"]:
            raise Misuse(
                f"the grading in {out} has another seed than --seed {seed}. Leave --seed out to go on with it, or "
                "choose another --out."
            )
        sweep(out)
        return run
    run = {
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "seed": seed or secrets.token_hex(16),
        "walls": "",
        "exercises": [],
        "versions": machine.versions(),
    }
    write_json(path, run)
    return run


class Round:
    """One exercise, for the whole class."""

    def __init__(self, exercise, found, out, run, scratch, alone, progress):
        self.exercise, self.found, self.out, self.run = exercise, found, out, run
        self.scratch, self.alone, self.progress = scratch, alone, progress
        self.tests_fingerprint = fingerprint_of_tests(exercise)
        self.waiting, self.faults, self.lock = queue.Queue(), [], threading.Lock()
        self.stopped = threading.Event()

    def go(self, jobs):
        for submission in self.found:
            self.waiting.put(submission)
        threads = [threading.Thread(target=self.at_a_desk, args=(slot,)) for slot in range(min(jobs, len(self.found)))]
        for thread in threads:
            thread.start()
        try:
            while any(thread.is_alive() for thread in threads):
                for thread in threads:
                    thread.join(timeout=0.2)
        except KeyboardInterrupt:
            raise Interrupted(
                f"what has been graded is kept in {self.out}; the same command goes on from there"
            ) from None
        finally:
            self.stopped.set()
            for thread in threads:
                thread.join()
        if self.faults:
            raise self.faults[0]

    def at_a_desk(self, slot):
        desk = Desk(self.exercise, slot)
        threading.Thread(target=self.end_with, args=(desk,), daemon=True).start()
        try:
            while not self.stopped.is_set() and not self.faults:
                try:
                    submission = self.waiting.get_nowait()
                except queue.Empty:
                    break
                self.one(desk, submission)
                self.progress(done=submission)
        except Exception as fault:  # told by `go`
            if not self.stopped.is_set():
                self.faults.append(fault)
        finally:
            desk.close()

    def end_with(self, desk):
        """An interruption does not wait for a student's endless loop."""
        self.stopped.wait()
        with contextlib.suppress(OSError, AttributeError):
            desk.process.kill()

    def one(self, desk, submission):
        path = self.out / "students" / submission.slug / f"{self.exercise.name}.json"
        folder = Path(tempfile.mkdtemp(dir=self.scratch))
        try:
            task = self.task(submission, folder)
            if self.is_done(path, task):
                return
            graded = self.examined(desk, task)
            if not self.stopped.is_set():
                write_json(path, self.result(task, graded))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def examined(self, desk, task):
        """What comes of the tests. An examiner that ends is replaced once: something else may have ended it."""
        said = ""
        for _ in range(2):
            if desk.process is None:
                desk.open()
                self.describe(desk)
            try:
                return desk.examine(task.files, self.run["seed"])
            except Ended as fault:
                if self.stopped.is_set():
                    raise
                said = str(fault)
        trouble = "the examiner ended over this submission, twice; look at it by hand"
        tests = [test | {"message": f"{trouble} ({said[:300]})"} for test in desk.tests]
        return {"tests": tests, "output": "", "notes": [trouble], "seconds": 0.0}

    def task(self, submission, folder):
        opened = unpacking.opened(submission, folder)
        chosen = choosing.chosen(
            opened, self.exercise.name, list(self.exercise.files), list(self.exercise.optional), self.alone
        )
        notes = [*opened.notes, *chosen.notes]
        return Task(submission, chosen.files, notes, chosen.missing, choosing.fingerprint(chosen.files))

    def is_done(self, path, task):
        try:
            before = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        kept = (before.get("submission"), before.get("tests_fingerprint"), before.get("seed"), before.get("student"))
        return kept == (task.fingerprint, self.tests_fingerprint, self.run["seed"], task.submission.student)

    def describe(self, desk):
        """What the examiner collected is what there is to earn, whatever happens later."""
        with self.lock:
            self.run["walls"] = desk.walls
            tests = [{key: test[key] for key in ("name", "title", "max_points", "hidden")} for test in desk.tests]
            told = {
                "name": self.exercise.name,
                "title": self.exercise.title,
                "order": self.exercise.order,
                "max_points": sum(test["max_points"] for test in tests),
                "tests": tests,
            }
            others = [one for one in self.run["exercises"] if one["name"] != self.exercise.name]
            self.run["exercises"] = sorted([*others, told], key=lambda one: (one["order"], one["name"]))
            write_json(self.out / RUN, self.run)

    def result(self, task, graded):
        tests = graded["tests"]
        problem = f"not handed in: {', '.join(task.missing)}" if task.missing else ""
        return {
            "student": task.submission.student,
            "slug": task.submission.slug,
            "exercise": self.exercise.name,
            "title": self.exercise.title,
            "order": self.exercise.order,
            "points": sum(test["points"] for test in tests),
            "max_points": sum(test["max_points"] for test in tests),
            "notes": [*task.notes, *graded["notes"]],
            "problem": problem,
            "seconds": graded["seconds"],
            "seed": self.run["seed"],
            "submission": task.fingerprint,
            "tests_fingerprint": self.tests_fingerprint,
            "walls": self.run["walls"],
            "output": graded["output"],
            "tests": tests,
        }


def fingerprint_of_tests(exercise):
    """Changes with whatever decides about points."""
    seen = hashlib.sha256()
    for path in [exercise.folder / "exercise.toml", *exercise.tests]:
        seen.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return seen.hexdigest()


def write_json(path, what):
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(what, ensure_ascii=False, indent=1), encoding="utf-8")
