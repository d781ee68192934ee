"""A desk on whatever machine of a cluster has room: an actor of Ray's with a `Desk`, asked as if it were here."""

import contextlib
import os
import platform

from vitkeras.datasets import search
from vitkeras.errors import Problem
from vitkeras.files import own_folder
from vitkeras.grading import exercise as exercises
from vitkeras.grading import walls
from vitkeras.grading.desk import OPENING, PATIENCE, Desk, ExaminerGone, NoRoom
from vitkeras.grading.round import fingerprint_of_tests

TRIES = 4  # of one submission on machines that die
ROOM = 60  # seconds to wait for a machine with room


class FarDesk:
    """What `Desk` is, for a class that is graded on the machines of a `Farm`."""

    def __init__(self, farm, exercise, slot):
        self.ray, self.exercise, self.slot = farm.ray, exercise, slot
        self.process, self.tests, self.walls, self.given_up = None, [], "", False

    def open(self):
        """A machine that dies meanwhile costs another try, on another one."""
        try:
            self.tried(self.opened)
        except MachineGone as fault:
            raise Problem(f"no desk could be opened for {self.exercise.name}, {TRIES} times: {fault}") from None

    def tried(self, do):
        """What comes of it; again as long as machines die, but not for ever, nor once this desk is given up."""
        for left in reversed(range(TRIES)):
            try:
                return do()
            except MachineGone:
                if self.given_up or not left:
                    raise

    def opened(self):
        needs = {"num_cpus": 1, "memory": int(self.exercise.limits["memory_mb"] * 2**20), "max_restarts": 0}
        there = self.ray.remote(**needs)(There)
        actor = there.remote(carried(self.exercise), self.exercise.name, self.slot, str(search.own_folder()))
        self.process = Remote(self.ray, actor, self)
        if not self.has_come(actor):
            self.close()
            memory = f"{self.exercise.limits['memory_mb']:g} MB"
            raise NoRoom(f"no machine has had a CPU and {memory} free for {ROOM} s: `ray status` says what they do")
        found = self.asked(actor.open.remote(fingerprint_of_tests(self.exercise)), OPENING + ROOM)
        self.tests, self.walls = found["tests"], found["walls"]

    def has_come(self, actor):
        ready, _ = self.ray.wait([actor.ready.remote()], timeout=ROOM)
        return bool(ready)

    def examine(self, files, seed):
        """The outcome of every test. A machine that dies costs another try, on another one; that is nobody's fault."""
        contents = {name: path.read_bytes() for name, path in files.items()}
        seconds = 2 * self.exercise.limits["total_seconds"] + 2 * PATIENCE

        def examined():
            if self.process is None:
                self.opened()
            return self.asked(self.process.actor.examine.remote(contents, seed), seconds)

        try:
            return self.tried(examined)
        except MachineGone as fault:
            raise ExaminerGone(str(fault)) from None

    def asked(self, reference, seconds):
        try:
            reply = self.ray.get(reference, timeout=seconds)
        except self.ray.exceptions.GetTimeoutError:
            self.close()
            raise MachineGone(f"its machine has not answered for {seconds:.0f} seconds") from None
        except self.ray.exceptions.RayError as fault:
            self.close()
            raise MachineGone(f"its machine has gone ({type(fault).__name__})") from None
        if "gone" in reply:
            self.close()
            raise ExaminerGone(reply["gone"])
        if "problem" in reply:
            self.close()
            raise Problem(reply["problem"])
        return reply

    def close(self):
        if self.process:
            self.process.end(kindly=True)
            self.process = None


class MachineGone(Exception):
    """The actor has died with its machine, or with its process there."""


class Remote:
    """The far examiner, in the place of a process."""

    def __init__(self, ray, actor, desk):
        self.ray, self.actor, self.desk = ray, actor, desk

    def kill(self):
        self.desk.given_up = True
        self.end()

    def end(self, kindly=False):
        with contextlib.suppress(Exception):
            if kindly:
                self.ray.get(self.actor.close.remote(), timeout=10)
        with contextlib.suppress(Exception):
            self.ray.kill(self.actor)


class There:
    """The other end: it lays down the exercise in a folder of its own, and has it examined behind walls."""

    def __init__(self, files, name, slot, data):
        if os.path.isdir(data):
            os.environ["VITKERAS_DATA"] = data  # where the machine that asks has its own
        self.folders = contextlib.ExitStack()
        folder = self.folders.enter_context(own_folder("vitkeras-desk"))
        for path, content in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        self.desk = Desk(exercises.read(folder / name), slot)

    def ready(self):
        return True

    def open(self, fingerprint):
        lacking = walls.bubblewrap_lacks()
        if lacking:
            return {"problem": f"{platform.node()}, of the cluster, is not fit for students' code: {lacking}"}
        if fingerprint_of_tests(self.desk.exercise) != fingerprint:
            data = ", ".join(self.desk.exercise.data) or "none"
            return {
                "problem": f"{platform.node()}, of the cluster, has not the same data sets as this machine (needed: "
                f"{data}). Put them under the same path on all, or name that in VITKERAS_DATA."
            }
        return self.told(self.desk.open) or {"tests": self.desk.tests, "walls": self.desk.walls}

    def examine(self, contents, seed):
        with own_folder("vitkeras-submission") as folder:
            files = {name: folder / name for name in contents}
            for name, path in files.items():
                path.write_bytes(contents[name])
            if self.desk.process is None:
                self.told(self.desk.open)
            return self.told(self.desk.examine, files, seed)

    def told(self, do, *arguments):
        """What comes of it; what is wrong crosses as text, for it is others' code that would be unpacked otherwise."""
        try:
            return do(*arguments)
        except ExaminerGone as fault:
            return {"gone": str(fault)}
        except Problem as fault:
            return {"problem": str(fault)}

    def close(self):
        self.desk.close()
        self.folders.close()


def carried(exercise):
    """{path: content} of all that examining needs: the exercise, and what is for instructors of it."""
    above = exercise.folder.parent
    found = {}
    for folder in (exercise.folder, exercise.for_instructors):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                found[path.relative_to(above).as_posix()] = path.read_bytes()
    return found
