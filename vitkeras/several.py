"""One training by several processes, on JAX: they are started, meet, and leave what they found."""

import contextlib
import io
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np

from vitkeras import machine
from vitkeras.errors import Misuse, Problem
from vitkeras.files import written_whole
from vitkeras.lessons import catalogue

HERE = "127.0.0.1"
FOUND = "process-{}.npz"
PATIENCE = 1800  # seconds for all of them to come to an end
# What stands for a machine is one core's worth, so that two are twice as much as one.
ONE_CORE = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


def check(options, batch_size):
    """What can be wrong with the options is told before anything is loaded."""
    if options.process > options.processes:
        raise Misuse(
            f"--process {options.process} is none of {options.processes}. --processes says how many there are."
        )
    if options.process and not options.meet:
        raise Misuse("--process wants --meet, the HOST:PORT of the first one, the same for all.")
    if options.processes < 2:
        raise Misuse("--processes should be 2 or more: one alone is run in any case.")
    if batch_size % options.processes:
        raise Misuse(f"{options.processes} processes cannot share a batch of {batch_size} evenly. Try 2, 3 or 4.")
    if options.precision not in ("auto", "float32"):
        raise Misuse(f"--precision {options.precision}: this lesson compares to the last digits, in float32.")


def prepare(options):
    """Keras on JAX, and what it runs on; where options.process says that there are several, together with the others.

    Afterwards every model has the same weights everywhere, and its gradients are averaged over all.
    """
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {ONE_CORE}".strip()
    if options.device == "cpu":
        os.environ["JAX_PLATFORMS"] = "cpu"
    try:
        import jax
    except ImportError as fault:
        raise Problem(
            f"this lesson needs JAX, and it is not here ({fault}). In a checkout: python -m pip install -c "
            'constraints.txt -e ".[jax]"'
        ) from None
    with machine.interruptions_held_back(), machine.chatter_held_back():
        import keras

        if options.process:
            meet(jax, options)
            keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")
        keras.utils.set_random_seed(options.seed)
    kind = jax.devices()[0].device_kind
    name = f"{machine.cpu_name()}, a core each" if jax.default_backend() == "cpu" else kind
    if not options.process:
        print(f"device: {name}, through JAX {jax.__version__}")
    return keras, {"device": f"{name}, through JAX {jax.__version__}", "precision": "float32"}


def meet(jax, options):
    try:
        jax.distributed.initialize(options.meet, options.processes, options.process - 1, initialization_timeout=120)
    except Exception as fault:  # a wrong address, a firewall, one that did not come
        reason = (str(fault).strip().splitlines() or [type(fault).__name__])[0]
        raise Problem(
            f"process {options.process} has not met the others at {options.meet} ({reason[:200]}). All must be started "
            "within two minutes, with the same --processes and --meet, and the first one's port must be open to them."
        ) from None


def leave(options, found):
    """The end of one of several: what it found stays in a file, for whoever compares."""
    folder = Path(options.out)
    with written_whole(folder / FOUND.format(options.process)) as path:
        history = {f"history_{name}": values for name, values in found["history"].items()}
        np.savez(path, weights=found["weights"], seconds=found["seconds"], steps=found["steps"], **history)
    losses = ", ".join(f"{loss:.4f}" for loss in found["history"]["loss"])
    print(f"process {options.process} of {options.processes}: loss {losses}")
    raise SystemExit(0)


def start(options, run):
    """Start all processes on this machine, wait for them, and return what each found, the first one's first."""
    script = catalogue.choose(catalogue.find(), [options.lesson])[0].path
    folder = run.path("processes")
    common = [sys.executable, str(script), "--out", str(folder), "--meet", f"{HERE}:{free_port()}"]
    for name in ("epochs", "seed", "processes", "data"):
        if (value := getattr(options, name)) is not None:
            common += [f"--{name}", str(value)]
    common += ["--quick"] * options.quick + ["--device", options.device]
    numbers = range(1, options.processes + 1)
    with contextlib.ExitStack() as files:
        logs = [files.enter_context(run.path(f"process-{number}.txt").open("w+")) for number in numbers]
        processes = [
            subprocess.Popen([*common, "--process", str(number)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            for number, log in zip(numbers, logs, strict=True)
        ]
        wait_for(processes, logs)
    return [read(folder / FOUND.format(number)) for number in numbers]


def wait_for(processes, logs):
    """One that fails leaves the others waiting for it, so it ends them all."""
    left = PATIENCE
    try:
        while any(process.poll() is None for process in processes) and left > 0:
            if any(process.poll() for process in processes):
                break
            with contextlib.suppress(subprocess.TimeoutExpired):
                next(process for process in processes if process.poll() is None).wait(0.2)
            left -= 0.2
    finally:
        codes = [process.poll() for process in processes]
        for process in processes:
            process.kill()
            process.wait()
    for number, (code, log) in enumerate(zip(codes, logs, strict=True), 1):
        if code:
            log.seek(0, io.SEEK_SET)
            said = [line for line in log.read().splitlines() if line.strip()][-4:]
            raise Problem(f"process {number} failed with exit code {code}: " + "\n".join(said))
    if None in codes:
        raise Problem(f"the processes have not come to an end within {PATIENCE} seconds. See process-1.txt in the run.")


def read(path):
    with np.load(path, allow_pickle=False) as saved:
        history = {name.removeprefix("history_"): saved[name].tolist() for name in saved.files if "history" in name}
        return {"history": history, "weights": saved["weights"], "seconds": saved["seconds"].tolist()}


def free_port():
    with socket.socket() as place:
        place.bind((HERE, 0))
        return place.getsockname()[1]
