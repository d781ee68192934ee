"""The student as a test sees it: each name is a function of the submitted module, and runs behind the walls."""

import hashlib
import re
import time

import numpy as np

from vitkeras.grading.connection import Late, Lost
from vitkeras.grading.handed_in.archives import zip_in
from vitkeras.grading.handed_in.naming import Refused
from vitkeras.grading.handed_in.regular_files import open_regular
from vitkeras.grading.handed_in.sources import source_text
from vitkeras.grading.inside import carrier

LATE_CALLS = 3  # after so many no more are tried: a class is waiting
TEXT_LIMIT = 2**18  # bytes of a report


class Fault(AssertionError):
    """Something about the student's code that costs the test its points. `status`: how the result names it."""

    status = "failed"


class Missing(Fault):
    """A file was not handed in, or is not what it should be."""


class Raised(Fault):
    """The student's code raised an exception."""

    def __init__(self, raised):
        kinds = raised.get("kinds")
        self.kinds = [str(kind)[:100] for kind in kinds[:30]] if isinstance(kinds, list) else []
        self.kind = self.kinds[0] if self.kinds else "an error"
        self.text = str(raised.get("message", ""))[:2000]
        place = (
            f" ({raised.get('file')}, line {raised.get('line')}: {raised.get('code')})" if raised.get("file") else ""
        )
        super().__init__(f"{self.kind}: {self.text}{place}" if self.text else f"{self.kind}{place}")


class Ended(Fault):
    """The student's process ended before it answered."""

    status = "ended"


class TooLate(Fault):
    """The student's code did not answer within its time."""

    status = "late"


class NotPlain(Fault):
    """What the student's code returned is nothing that could be looked at."""


class Handle:
    """An object that stays in the student's process: call it, or a method of it."""

    def __init__(self, student, reference):
        self._student, self._reference = student, reference

    def __call__(self, *args, **kwargs):
        return self._student.called(self._reference, args, kwargs)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: self._student.called(self._student.get(self, name), args, kwargs)

    def __repr__(self):
        return f"<a {self._reference.kind.rpartition('.')[2]}>"


class Student:
    """One submission to one exercise. The process starts at the first call, and anew after each that was lost.

    submitted: name -> path of the files that count.
    """

    def __init__(self, walls, exercise, submitted, seed):
        self._walls, self._exercise, self._submitted, self._seed = walls, exercise, submitted, seed
        self._connection, self._printed, self._late = None, "", 0
        self._unloadable = None  # why the module cannot be loaded, so that it is not tried for every test
        self._seconds_left = float(exercise.limits["total_seconds"])
        self.notes = []

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args, **kwargs: self.called(name, args, kwargs)

    def called(self, target, args, kwargs):
        return self.asked("call", target=reference(target), args=sent(args), kwargs=sent(kwargs))

    def get(self, handle, name):
        return self.asked("get", target=reference(handle), name=name)

    def gradients(self, target, *args, upstream, weights=False):
        upstream = np.asarray(upstream)
        return self.asked("gradients", target=reference(target), args=sent(args), upstream=upstream, weights=weights)

    def model(self, name):
        self.file(name)
        return self.asked("model", name=name, seconds=self._exercise.limits["load_seconds"])

    def predict(self, model, images, batch_size=256):
        limits = self._exercise.limits  # many images take longer than most calls
        seconds = max(limits["load_seconds"], limits["call_seconds"])
        return self.asked("predict", target=reference(model), images=images, batch_size=batch_size, seconds=seconds)

    def text(self, name):
        """The text of a submitted file."""
        data = self.file(name)
        if len(data) > TEXT_LIMIT:
            raise Missing(f"{name} has {len(data):,} bytes, and should be a text of at most {TEXT_LIMIT:,}.")
        return source_text(data)[0].decode(errors="replace")

    def layers(self, name):
        """The names of the classes that a .keras file is made of. It is read as text here, and nothing of it is run."""
        path = self.path(name)
        try:
            with zip_in(open_regular(path, self.file_limit)) as archive, archive.open("config.json") as file:
                text = file.read(2**22).decode(errors="replace")
        except Exception:  # whatever a stranger's file brings about
            raise Missing(f"{name} is no file that model.save() of Keras writes.") from None
        return sorted(set(re.findall(r'"class_name": *"(\w+)"', text)))

    def file(self, name):
        """The bytes of a submitted file."""
        path = self.path(name)
        try:
            with open_regular(path, self.file_limit) as file:
                return file.readall()
        except (Refused, OSError):
            raise Missing(f"{name} is larger than {self._exercise.limits['file_mb']} MB, or cannot be read.") from None

    def path(self, name):
        if name not in self._submitted:
            raise Missing(f"{name} was not handed in. The task asks for {', '.join(self._exercise.files)}.")
        return self._submitted[name]

    @property
    def file_limit(self):
        return self._exercise.limits["file_mb"] * 2**20

    def asked(self, do, seconds=None, **arguments):
        if self._late >= LATE_CALLS:
            raise TooLate(f"not tried, for {LATE_CALLS} calls before were late")
        if self._connection is None:
            self.start()
        return self.plain(self.answered(do, seconds or self._exercise.limits["call_seconds"], **arguments))

    def start(self):
        """A fresh process, in which the submitted module has been loaded."""
        if self._unloadable:
            raise self._unloadable
        try:
            if not self.file(self._exercise.files[0]).strip():
                raise Missing(f"{self._exercise.files[0]} is empty.")
            files = {name: self.file(name) for name in self._submitted if name in self.wanted}
            for python in (name for name in files if name.endswith(".py")):
                files[python], notes = source_text(files[python], python)
                self.notes += [note for note in notes if note not in self.notes]
            if (size := sum(map(len, files.values()))) > carrier.BODY_LIMIT:
                raise Missing(
                    f"the files have {size:,} bytes together; at most {carrier.BODY_LIMIT:,} can be looked at"
                )
            self._connection = self._walls.process()
            reason = self.answered(
                "look",
                self._exercise.limits["load_seconds"],
                files={name: np.frombuffer(data, "uint8") for name, data in files.items()},
                module=self._exercise.module,
                forbidden=self._exercise.forbidden,
                closed=self._exercise.closed,
                seed=int.from_bytes(hashlib.sha256(f"student {self._seed}".encode()).digest()[:4]),
            )
            if reason:
                raise Missing(str(reason))
            self.answered("load", self._exercise.limits["load_seconds"], module=self._exercise.module)
        except Fault as fault:
            self.close()
            self._unloadable = fault
            raise

    @property
    def wanted(self):
        return {*self._exercise.files, *self._exercise.optional}

    def answered(self, do, seconds, **arguments):
        seconds = min(seconds, self._seconds_left)
        doing = {"look": "reading", "load": f"loading {self._exercise.files[0]}"}.get(do, "the call")
        try:
            started = time.monotonic()
            try:
                reply = self._connection.ask(do, seconds, **arguments)
            finally:
                self._seconds_left = max(0.0, self._seconds_left - (time.monotonic() - started))
        except Late:
            self._late += 1
            self.lost()
            raise TooLate(f"{doing} took longer than {seconds:.0f} seconds, and was stopped") from None
        except Lost as fault:
            self.lost()
            raise Ended(f"the process ended during {doing}: {fault}") from None
        if isinstance(reply.get("raised"), dict):
            raise Raised(reply["raised"])
        if "not_plain" in reply:
            raise NotPlain(f"what came back cannot be looked at: {str(reply['not_plain'])[:500]}")
        return reply.get("value")

    def plain(self, value):
        """The answer, with our kind of handles; lists all the way down."""
        if isinstance(value, carrier.Handle):
            return Handle(self, value)
        if isinstance(value, list):
            return [self.plain(item) for item in value]
        if isinstance(value, dict):
            return {key: self.plain(item) for key, item in value.items()}
        return value

    def printed(self):
        """What the process has printed so far."""
        return self._connection.output.text() if self._connection else self._printed

    def lost(self):
        self._printed = self.printed()
        self._connection = None

    def close(self):
        """End the process; another may be started."""
        if self._connection:
            self._connection.close()
            self.lost()


def reference(target):
    return target._reference if isinstance(target, Handle) else target


def sent(value):
    """Arguments as they cross: handles by their numbers, tuples as lists."""
    if isinstance(value, Handle):
        return value._reference
    if isinstance(value, list | tuple):
        return [sent(item) for item in value]
    if isinstance(value, dict):
        return {key: sent(item) for key, item in value.items()}
    return value
