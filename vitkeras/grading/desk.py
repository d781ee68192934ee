"""A desk at which an exercise is examined, seen from outside: the process of `examiner.py`, started and asked."""

import contextlib
import json
import queue
import subprocess
import sys
import tempfile
import threading

from vitkeras.errors import Problem

OPENING = 300  # seconds for pytest, the tests and the libraries to load
LEAVING = 3  # seconds for an examiner to clear up
PATIENCE = 120  # seconds above an exercise's own limits, before a desk is given up


class ExaminerGone(Exception):
    """The examiner ended over a submission, or did not come to an end; the text says what it said last."""


class NoRoom(Problem):
    """There is no room for another desk at present."""


class Desk:
    """An examiner's process for one exercise. `tests`: what it has collected, as results without points."""

    def __init__(self, exercise, slot):
        self.exercise, self.slot = exercise, slot
        self.process, self.tests, self.walls = None, [], ""

    def open(self):
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115, closed by close
        self.process = subprocess.Popen(
            [sys.executable, "-m", "vitkeras.grading.examiner", str(self.exercise.folder), str(self.slot)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            encoding="utf-8",
            start_new_session=True,  # Ctrl-C is ours to deal with
        )
        self.lines = queue.Queue()
        self.listener = threading.Thread(target=listen, args=(self.process, self.lines), daemon=True)
        self.listener.start()
        try:
            reply = self.reply(OPENING)
        except ExaminerGone as fault:
            raise Problem(f"the examiner of {self.exercise.name} does not start: {fault}") from None
        self.tests, self.walls = reply["tests"], reply["walls"]

    def examine(self, files, seed):
        """The outcome of every test for these files."""
        order = {"files": {name: str(path) for name, path in files.items()}, "seed": seed}
        with contextlib.suppress(BrokenPipeError):  # the reply will tell
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()
        return self.reply(2 * self.exercise.limits["total_seconds"] + PATIENCE)

    def reply(self, seconds):
        try:
            line = self.lines.get(timeout=seconds)
        except queue.Empty:
            line = ""
        if not line:
            self.errors.seek(0)
            said = " ".join(self.errors.read().decode(errors="replace").strip().splitlines()[-3:])
            self.close()
            raise ExaminerGone(said or "it said nothing")
        reply = json.loads(line)
        if "problem" in reply:
            self.close()
            raise Problem(reply["problem"])
        return reply

    def close(self):
        """The examiner drops its students' leashes as it ends, however it ends; left to itself it also clears up."""
        if self.process:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(LEAVING)
            self.process.kill()
            self.process.wait()
            self.listener.join()
            self.errors.close()
            self.process = None


def listen(process, lines):
    with process.stdout:
        for line in process.stdout:
            lines.put(line)
    lines.put("")
