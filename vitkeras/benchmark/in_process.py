"""How exercises are usually graded: pytest and the student's code in one process, a fresh one each time.

A plugin of pytest for `python -m vitkeras.benchmark grading`, and for nothing else: nothing stands between the code and
its grade here. It writes the points that were earned into the file that VITKERAS_POINTS names.
"""

import json
import os
from pathlib import Path

from vitkeras.grading import plugin
from vitkeras.grading.inside import carrier, pupil
from vitkeras.grading.student import Student


class Here:
    """What has the face of walls, and is none."""

    description = "none: the student's code runs in pytest's process"

    def process(self):
        return Direct(Path(os.environ["VITKERAS_POINTS"]).parent)


class Direct:
    """What has the face of a connection, and calls the student's code right away."""

    def __init__(self, scratch):
        self.scratch, self.pupil = scratch, pupil.Pupil(scratch)

    def ask(self, do, seconds, **arguments):
        arguments = carrier.unpacked(*carrier.packed(arguments))  # so that tests find what they find with the grader
        if do == "look":
            arguments["closed"] = {}  # pytest itself is part of the kit here
        try:
            value = getattr(self.pupil, do)(**arguments)
            return carrier.unpacked(*carrier.packed({"value": value}, self.pupil.keep))
        except carrier.NotPlain as fault:
            return {"not_plain": str(fault)}
        except BaseException as fault:
            return {"raised": pupil.told(fault, self.scratch)}

    def close(self):
        pass


class Sitting(plugin.Sitting):
    seed = "benchmark"

    def __init__(self, folder):
        self.folder, self.only = Path(folder), None

    def student(self, exercise, hidden):
        if self.only is None:
            submitted = {name: self.folder / name for name in exercise.files if (self.folder / name).exists()}
            self.only = Student(Here(), exercise, submitted, self.seed)
        return self.only


def pytest_sessionstart(session):
    session.config.stash[plugin.SITTING] = Sitting(session.config.getoption("submission"))


def pytest_sessionfinish(session):
    results = [item.stash.get(plugin.RESULT, None) for item in session.items]
    Path(os.environ["VITKERAS_POINTS"]).write_text(json.dumps(sum(result["points"] for result in results if result)))
