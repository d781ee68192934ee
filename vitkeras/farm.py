"""Tasks handed to Ray: by default one of its own on this machine, or a cluster by its address.

    with Farm(address) as farm:
        for key, outcome in farm.done({key: (function, arguments), …}, cpus=1):
            …

A task that raised, or whose machine died more often than it is tried again, has a `Lost` for its outcome.
"""

import contextlib
import os
import signal
import threading
from pathlib import Path

import vitkeras
from vitkeras.errors import Problem
from vitkeras.files import own_folder

HERE = "127.0.0.1"
TRIES_AGAIN = 3  # of a task whose machine or process has died
PATIENCE = 0.5  # seconds between two looks at what the user wants


class Lost(Exception):
    """A task has no outcome; the text says why."""


class Farm:
    """`address` is that of a running cluster; None starts Ray on this machine, for as long as the farm is open."""

    def __init__(self, address=None):
        self.ray, self.address, self.open, self.before = loaded(), address, contextlib.ExitStack(), None

    def __enter__(self):
        quiet = {"logging_level": "ERROR", "log_to_driver": False}
        if self.address:
            # All machines run the code of this one, so that it does not matter what is installed there.
            package = {"py_modules": [str(Path(vitkeras.__file__).parent)]}
            self.connect(address=self.address, runtime_env=package, **quiet)
        else:
            # Ray's sockets lie in this folder, and their paths may have 107 letters: no long TMPDIR, then.
            folder = self.open.enter_context(own_folder("vitkeras-ray", "/tmp" if os.name == "posix" else None))
            own = {"include_dashboard": False, "_node_ip_address": HERE, "_temp_dir": str(folder)}
            self.connect(address="local", **own, **quiet)
        if threading.current_thread() is threading.main_thread():  # Ray has put in its own, which says nothing
            self.before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # a scheduler's kill is a Ctrl-C

        return self

    def connect(self, **how):
        try:
            self.ray.init(**how)
        except Exception as fault:  # whatever a wrong address, a full disk or another version brings about
            self.leave()
            reason = (str(fault).strip().splitlines() or [type(fault).__name__])[0][:300]
            if not self.address:
                raise Problem(f"Ray does not start on this machine ({reason}). Is there room in /tmp?") from None
            raise Problem(
                f"the cluster at {self.address} cannot be reached ({reason}). `ray status` on its head says whether it "
                f"runs. This machine must have joined it (`ray start --address {self.address}`), or ask by ray://HOST:"
                "10001; Ray and Python are the same there and here."
            ) from None

    def __exit__(self, *fault):
        self.leave()

    def leave(self):
        with contextlib.suppress(Exception):
            self.ray.shutdown()
        if self.before is not None:
            signal.signal(signal.SIGTERM, self.before)
        self.open.close()

    @property
    def room(self):
        """What the machines have: {"CPU": 8.0, "GPU": 1.0, "memory": …}"""
        return self.ray.cluster_resources()

    def require_room(self, cpus, gpus, memory):
        """`memory` in bytes. A task that fits on no machine would wait for ever."""
        machines = [node["Resources"] for node in self.ray.nodes() if node["Alive"]]
        wanted = {"CPU": cpus, "GPU": gpus, "memory": memory}
        if not any(all(has.get(name, 0) >= amount for name, amount in wanted.items()) for has in machines):
            told = "; ".join(
                f"{has.get('CPU', 0):g} CPUs, {has.get('GPU', 0):g} GPUs, {has.get('memory', 0) / 1e9:.1f} GB"
                for has in machines
            )
            raise Problem(
                f"no machine has {cpus:g} CPUs, {gpus:g} GPUs and {memory / 1e9:.1f} GB of memory for a task. "
                f"There is: {told}. Ask for less: --cpus, --gpus, --memory."
            )

    def done(self, tasks, cpus=1, gpus=0, memory=0):
        """(key, outcome) of each task, as they finish. tasks: {key: (function, arguments)}"""
        self.require_room(cpus, gpus, memory)
        remote = self.ray.remote(num_cpus=cpus, num_gpus=gpus, memory=memory, max_retries=TRIES_AGAIN)(call)
        waiting = {remote.remote(function, arguments): key for key, (function, arguments) in tasks.items()}
        try:
            while waiting:
                ready, _ = self.ray.wait(list(waiting), timeout=PATIENCE)
                for reference in ready:
                    yield waiting.pop(reference), self.outcome(reference)
        finally:
            for reference in waiting:
                with contextlib.suppress(Exception):
                    self.ray.cancel(reference, force=True)

    def outcome(self, reference):
        try:
            return self.ray.get(reference)
        except self.ray.exceptions.RayTaskError as fault:
            return Lost(f"it could not be carried out: {last_line(fault)}")
        except self.ray.exceptions.RayError as fault:
            return Lost(f"its machine or process died, {1 + TRIES_AGAIN} times: {last_line(fault)}")


def last_line(fault):
    lines = [line.strip() for line in str(fault).splitlines() if line.strip()]
    return (lines or [type(fault).__name__])[-1][:300]


def call(function, arguments):
    return function(**arguments)


def loaded():
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as fault:
        raise Problem(
            f"this needs Ray, and it is not here ({fault}). In a checkout: python -m pip install -c constraints.txt "
            '-e ".[cluster]"'
        ) from None
    return ray
