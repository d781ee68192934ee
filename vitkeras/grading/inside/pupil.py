"""Serves an examiner: loads a student's module, calls what is asked for, and answers with plain data.

Everything here shares its process with the student's code, which may change it at will. So nothing that it says is
believed but as an answer to a question: whoever answers rightly for inputs never seen before has solved the task.
"""

import importlib
import importlib.abc
import os
import random
import sys
import traceback
from pathlib import Path

import numpy as np

from . import carrier, source


def serve(requests, answers, scratch):
    """Answer until the examiner hangs up.  requests, answers: binary streams; scratch: the student's folder."""
    pupil = Pupil(scratch)
    while (request := carrier.receive(requests)) is not None:
        token = request["token"]
        try:
            answer = {"value": getattr(pupil, request["do"])(**request["with"])}
            carrier.send(answers, {"token": token} | answer, pupil.keep)
        except carrier.NotPlain as fault:
            carrier.send(answers, {"token": token, "not_plain": str(fault)})
        except BaseException as fault:  # SystemExit and KeyboardInterrupt among them
            carrier.send(answers, {"token": token, "raised": told(fault, scratch)})


class Pupil:
    def __init__(self, scratch):
        self.scratch = Path(scratch)
        self.module = None
        self.kept = []

    def look(self, files, module, forbidden, closed, seed):
        """Write the files (name -> their bytes in an array), and say what keeps them from being run.

        Comes before any of the student's code.
        """
        files = {name: data.tobytes() for name, data in files.items()}
        for name, data in files.items():
            path = self.scratch / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        random.seed(seed)
        np.random.seed(seed % 2**32)
        if keras := sys.modules.get("keras"):
            keras.utils.set_random_seed(seed % 2**32)
        sys.path.insert(0, str(self.scratch))
        importlib.invalidate_caches()
        sys.meta_path.insert(0, Closed(closed))
        for name, why in forbidden.items():
            take_away(source.full(name), why)
        for name, data in files.items():
            if name.endswith(".py") and (reason := source.looked_at(data, name, forbidden, closed)):
                return reason
        return "" if module + ".py" in files else f"{module}.py is not there"

    def load(self, module):
        sys.modules.pop(module, None)  # whatever else has that name
        self.module = importlib.import_module(module)

    def call(self, target, args, kwargs):
        return self.object(target)(*self.own(args), **self.own(kwargs))

    def get(self, target, name):
        return getattr(self.object(target), name)

    def model(self, name):
        import keras

        return keras.saving.load_model(self.scratch / name, compile=False, safe_mode=True)

    def predict(self, target, images, batch_size):
        model = self.object(target)
        if hasattr(model, "predict"):
            return np.asarray(model.predict(images, batch_size=batch_size, verbose=0))
        parts = [np.asarray(model(images[at : at + batch_size])) for at in range(0, len(images), batch_size)]
        return np.concatenate(parts)

    def gradients(self, target, args, upstream, weights):
        """The output, and the gradient of sum(output * upstream) for each float array among `args`."""
        import tensorflow as tf

        function, args = self.object(target), self.own(args)
        sources = [
            tf.convert_to_tensor(arg)
            for arg in args
            if isinstance(arg, np.ndarray) and np.issubdtype(arg.dtype, np.floating)
        ]
        tensors = iter(sources)
        args = [
            next(tensors) if isinstance(arg, np.ndarray) and np.issubdtype(arg.dtype, np.floating) else arg
            for arg in args
        ]
        with tf.GradientTape() as tape:
            tape.watch(sources)
            output = function(*args)
            first = output[0] if isinstance(output, tuple | list) else output
            total = tf.reduce_sum(tf.convert_to_tensor(first) * tf.cast(upstream, first.dtype))
        trained = [weight.value for weight in function.trainable_weights] if weights else []
        found = [
            None if g is None else np.asarray(tf.convert_to_tensor(g)) for g in tape.gradient(total, sources + trained)
        ]
        split = len(sources)
        return [np.asarray(first), found[:split]] + ([found[split:]] if weights else [])

    def object(self, target):
        if isinstance(target, carrier.Handle):
            return self.kept[target.number]
        try:
            return getattr(self.module, target)
        except AttributeError:
            raise AttributeError(f"{self.module.__name__}.py has no {target}") from None

    def own(self, value):
        """What the examiner sent, with our objects where it sent their handles."""
        if isinstance(value, carrier.Handle):
            return self.kept[value.number]
        if isinstance(value, list):
            return [self.own(item) for item in value]
        if isinstance(value, dict):
            return {key: self.own(item) for key, item in value.items()}
        return value

    def keep(self, value):
        """For what is no plain data: an array if it is one in other clothes, else a handle."""
        name = f"{type(value).__module__}.{type(value).__name__}"
        if hasattr(value, "__array__") and not name.endswith("KerasTensor"):
            array = np.asarray(value)
            return array.astype("float32") if array.dtype.name == "bfloat16" else array
        self.kept.append(value)
        return carrier.Handle(len(self.kept) - 1, name)


def told(fault, scratch):
    """An error as plain data, with the last line of the student's own file that it passed through."""
    frames = [f for f in traceback.extract_tb(fault.__traceback__) if f.filename.startswith(str(scratch))]
    return {
        "kinds": [kind.__name__ for kind in type(fault).__mro__][:20],
        "message": str(fault)[:4000],
        "file": os.path.basename(frames[-1].filename) if frames else "",
        "line": frames[-1].lineno if frames else 0,
        "code": (frames[-1].line or "")[:200] if frames else "",
    }


def take_away(name, why):
    """Put something that refuses to be called in the place of a forbidden function or class, wherever it stands."""
    parent, _, last = name.rpartition(".")
    try:
        thing = getattr(importlib.import_module(parent), last)
    except (ImportError, AttributeError):
        return

    def refused(*args, **kwargs):
        raise RuntimeError(f"{name} is not to be used here: {why}")

    for module in list(sys.modules.values()):
        if getattr(module, "__dict__", {}).get(last) is thing:
            setattr(module, last, refused)


class Closed(importlib.abc.MetaPathFinder):
    """Packages that this exercise does without."""

    def __init__(self, closed):
        self.closed = closed

    def find_spec(self, name, path=None, target=None):
        if why := self.closed.get(name.partition(".")[0]):
            raise ImportError(f"{name} is not open to this exercise: {why}")
        return None
