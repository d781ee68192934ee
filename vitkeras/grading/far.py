"""A desk on whatever machine of a cluster has room: an actor of Ray's with a `Desk`, asked as if it were here."""

import contextlib

from vitkeras.errors import Problem
from vitkeras.files import own_folder
from vitkeras.grading import exercise as exercises
from vitkeras.grading import walls
from vitkeras.grading.desk import OPENING, PATIENCE, Desk, ExaminerGone

TRIES = 4  # of one submission on machines that die
ROOM = 600  # seconds to wait for a machine with room


class FarDesk:
    """What `Desk` is, for a class that is graded on the machines of a `Farm`."""

    def __init__(self, farm, exercise, slot):
        self.ray, self.exercise, self.slot = farm.ray, exercise, slot
        self.process, self.tests, self.walls, self.given_up = None, [], "", False

    def open(self):
        there = self.ray.remote(num_cpus=1, max_restarts=0)(There)
        actor = there.remote(carried(self.exercise), self.exercise.name, self.slot)
        self.process = Remote(self.ray, actor, self)
        opened = self.asked(actor.open.remote(), OPENING + ROOM)
        self.tests, self.walls = opened["tests"], opened["walls"]

    def examine(self, files, seed):
        """The outcome of every test. A machine that dies costs another try, on another one; that is nobody's fault."""
        contents = {name: path.read_bytes() for name, path in files.items()}
        seconds = 2 * self.exercise.limits["total_seconds"] + 2 * PATIENCE
        for _ in range(TRIES):
            try:
                if self.process is None:
                    self.open()
                return self.asked(self.process.actor.examine.remote(contents, seed), seconds)
            except MachineGone as fault:
                why = str(fault)
                if self.given_up:
                    break
        raise ExaminerGone(why)

    def asked(self, reference, seconds):
        try:
            reply = self.ray.get(reference, timeout=seconds)
        except self.ray.exceptions.GetTimeoutError:
            self.close()
            raise Problem(
                f"no machine of the cluster has had room for a desk for {seconds:.0f} seconds, or none has answered. "
                "`ray status` on its head says what it is busy with."
            ) from None
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

    def __init__(self, files, name, slot):
        self.folders = contextlib.ExitStack()
        folder = self.folders.enter_context(own_folder("vitkeras-desk"))
        for path, content in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        self.desk = Desk(exercises.read(folder / name), slot)

    def open(self):
        lacking = walls.bubblewrap_lacks()
        if lacking:
            return {"problem": f"a machine of the cluster is not fit for students' code: {lacking}"}
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
