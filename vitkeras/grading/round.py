"""One exercise graded for a whole class, at several desks at a time."""

import contextlib
import hashlib
import json
import queue
import shutil
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from vitkeras import datasets
from vitkeras.errors import Interrupted, Problem
from vitkeras.files import written_whole
from vitkeras.grading.desk import Desk, ExaminerGone, NoRoom
from vitkeras.grading.exercise import DESCRIPTION
from vitkeras.grading.handed_in import choosing, finding, unpacking

RUN = "run.json"
PATIENCE = 30  # seconds for desks to be left after an interruption
NOTHING = choosing.fingerprint({})
UNEXAMINED = "the examiner ended over this submission, twice; it will be looked at by hand"


@dataclass(frozen=True)
class Task:
    """One submission to one exercise, files chosen."""

    submission: finding.Submission
    files: dict
    notes: list
    missing: list
    fingerprint: str


class Round:
    """One exercise, for the whole class."""

    def __init__(self, exercise, found, out, run, scratch, again, wanted, progress, desks=Desk):
        self.exercise, self.found, self.out, self.run, self.desks = exercise, found, out, run, desks
        self.scratch, self.again, self.wanted, self.progress = scratch, again, wanted, progress
        self.tests, self.absent = [], []
        self.tests_fingerprint = fingerprint_of_tests(exercise)
        self.waiting, self.faults, self.lock = queue.Queue(), [], threading.Lock()
        self.stopped = threading.Event()
        self.working = set()  # slots of the desks that have opened

    def go(self, jobs):
        for submission in self.found:
            self.waiting.put(submission)
        left = [threading.Event() for _ in range(min(jobs, len(self.found)))]
        try:
            for slot, event in enumerate(left):
                threading.Thread(target=self.at_a_desk, args=(slot, event), daemon=True).start()
            while not all(event.wait(0.2) for event in left):
                continue
        except KeyboardInterrupt:
            raise Interrupted(
                f"what has been graded is kept in {self.out}; the same command goes on from there"
            ) from None
        finally:
            self.stopped.set()
            for event in left:
                event.wait(PATIENCE)
        if self.faults:
            raise self.faults[0]
        if not self.waiting.empty():  # the last two desks found no room, each while it counted on the other
            raise NoRoom(f"there is no room for a desk any more. What has been graded is kept in {self.out}.")
        if self.absent:
            self.write_absent()

    def at_a_desk(self, slot, left):
        desk = self.desks(self.exercise, slot)
        threading.Thread(target=self.end_with, args=(desk, left), daemon=True).start()
        try:
            while not self.stopped.is_set() and not self.faults:
                try:
                    submission = self.waiting.get_nowait()
                except queue.Empty:
                    break
                try:
                    self.one(desk, submission)
                except NoRoom:
                    if not self.working - {slot}:
                        raise
                    self.waiting.put(submission)
                    break  # the others go on
        except Exception as fault:  # told by `go`
            if not self.stopped.is_set():
                self.faults.append(fault)
        finally:
            self.working.discard(slot)
            desk.close()
            left.set()

    def end_with(self, desk, left):
        """An interruption does not wait for a student's endless loop."""
        self.stopped.wait()
        while not left.wait(0.1):
            with contextlib.suppress(OSError, AttributeError):
                desk.process.kill()

    def one(self, desk, submission):
        path = self.out / "students" / submission.slug / f"{self.exercise.name}.json"
        folder = Path(tempfile.mkdtemp(dir=self.scratch))
        try:
            task = self.task(submission, folder)
            earlier = self.earlier(path)
            if self.stands(earlier, task):
                with self.lock:
                    self.run["before"] += 1
                self.progress.done(self.exercise, submission, before=True)
            elif not task.files:
                self.absent.append((path, task))
            else:
                graded = self.examined(desk, task)
                if self.stopped.is_set():
                    return
                if earlier and earlier["submission"] not in (task.fingerprint, NOTHING):
                    task.notes.append(f"an earlier submission had {earlier['points']:g} points; this one counts")
                self.write(path, task, graded)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def examined(self, desk, task):
        """What comes of the tests. An examiner that ends is replaced once: something else may have ended it."""
        for _ in range(2):
            if desk.process is None:
                desk.open()
                self.describe(desk)
                self.working.add(desk.slot)
            if self.stopped.is_set():
                break
            try:
                return desk.examine(task.files, self.run["seed"])
            except ExaminerGone as fault:
                said = str(fault)
                if not self.stopped.is_set():
                    print(f"the examiner ended over {task.submission.student}, {self.exercise.title}: {said}")
        tests = [test | {"message": UNEXAMINED} for test in desk.tests]
        return {"tests": tests, "output": "", "notes": [], "seconds": 0.0, "problem": UNEXAMINED}

    def task(self, submission, folder):
        try:
            opened = unpacking.opened(submission, folder)
            wanted, optional = list(self.exercise.files), list(self.exercise.optional)
            chosen = choosing.chosen(
                opened, self.exercise.name, wanted, optional, self.run["alone"][self.exercise.name]
            )
        except Problem:
            raise  # a full disk is no fault of the student's
        except Exception as fault:
            note = f"the submission could not be laid open ({type(fault).__name__}: {fault}); look at it by hand"
            return Task(submission, {}, [note], list(self.exercise.files), "")
        notes = [*opened.notes, *chosen.notes]
        return Task(submission, chosen.files, notes, chosen.missing, choosing.fingerprint(chosen.files))

    def write(self, path, task, graded):
        write_json(path, self.result(task, graded))
        with self.lock:
            self.run["now"] += 1
        self.progress.done(self.exercise, task.submission)

    def write_absent(self):
        """Those who handed in nothing for this exercise get 0, unless nobody did and nobody asked for the exercise."""
        if not self.tests:
            known = any(one["name"] == self.exercise.name for one in self.run["exercises"])
            if not (self.wanted or known):
                self.run["left_out"].append(
                    f"{self.exercise.name}: nobody handed in a file of it (--exercise grades it)"
                )
                return
            desk = self.desks(self.exercise, 0)
            try:
                desk.open()
                self.describe(desk)
            finally:
                desk.close()
        message = f"{self.exercise.files[0]} was not handed in."
        tests = [test | {"status": "failed", "message": message, "hint": ""} for test in self.tests]
        for path, task in self.absent:
            self.write(path, task, {"tests": tests, "output": "", "notes": [], "seconds": 0.0})

    @staticmethod
    def earlier(path):
        """The result of an earlier run, if there is one."""
        try:
            result = json.loads(path.read_text(encoding="utf-8"))
            result["tests"], result["points"], result["submission"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return result

    def stands(self, before, task):
        """Whether an earlier result needs no repeating: nothing has changed, or nothing new has come."""
        if not before or self.again or before.get("problem") == UNEXAMINED:
            return False
        if not task.files and before["submission"] != NOTHING:
            return True
        kept = (before.get("submission"), before.get("tests_fingerprint"), before.get("seed"), before.get("student"))
        return kept == (task.fingerprint, self.tests_fingerprint, self.run["seed"], task.submission.student)

    def describe(self, desk):
        """What the examiner collected is what there is to earn, whatever happens later."""
        with self.lock:
            self.tests, self.run["walls"] = desk.tests, desk.walls
            tests = [{key: test[key] for key in ("name", "title", "max_points", "hidden")} for test in desk.tests]
            told = {
                "name": self.exercise.name,
                "title": self.exercise.title,
                "order": self.exercise.order,
                "max_points": sum(test["max_points"] for test in tests),
                "tests": tests,
            }
            there = self.exercise.folder.parent  # an exercise that has been renamed or removed is not counted further
            others = [one for one in self.run["exercises"] if (there / one["name"] / DESCRIPTION).is_file()]
            others = [one for one in others if one["name"] != self.exercise.name]
            self.run["exercises"] = sorted([*others, told], key=lambda one: (one["order"], one["name"]))
            write_json(self.out / RUN, self.run)

    def result(self, task, graded):
        tests = graded["tests"]
        problem, missing = graded.get("problem", ""), [f"not handed in: {name}" for name in task.missing]
        if self.exercise.files[0] in task.missing:  # then nothing could be looked at; else it costs its own points
            problem, missing = f"not handed in: {', '.join(task.missing)}", []
        return {
            "student": task.submission.student,
            "slug": task.submission.slug,
            "exercise": self.exercise.name,
            "title": self.exercise.title,
            "order": self.exercise.order,
            "points": sum(test["points"] for test in tests),
            "max_points": sum(test["max_points"] for test in tests),
            "notes": [*missing, *task.notes, *graded["notes"]],
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
    """Changes with whatever decides about points, among it whether the data sets that tests look for are there."""
    seen = hashlib.sha256()
    for path in [exercise.folder / DESCRIPTION, *exercise.tests]:
        seen.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    for name in exercise.data:
        seen.update(f"{name} {bool(datasets.find(name))}".encode())
    return seen.hexdigest()


def write_json(path, what):
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(what, ensure_ascii=False, indent=1), encoding="utf-8")
