"""One training by several processes, on JAX: they are started, meet, and leave what they found."""

import contextlib
import hashlib
import io
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from vitkeras import machine
from vitkeras.errors import Misuse, Problem
from vitkeras.files import written_whole
from vitkeras.lessons import catalogue

HERE = "127.0.0.1"
FOUND = "process-{}.npz"
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
    if not options.process:  # who starts all of them on this machine; they take it over
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
    if options.device == "gpu" and jax.default_backend() != "gpu":
        raise Problem("--device gpu was asked for, but JAX sees no GPU: pip install 'jax[cuda12]'. Or --device auto.")
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


def require_same(options, data):
    """All machines should learn from the same images, with the same settings; whoever differs is told of."""
    from jax.experimental import multihost_utils

    mine = f"{data.fingerprint()} {options.epochs} {options.seed} {options.quick} {options.set}"
    number = int.from_bytes(hashlib.sha256(mine.encode()).digest()[:4])
    if len(set(np.asarray(multihost_utils.process_allgather(np.uint32(number))).tolist())) > 1:
        raise Problem(
            f"process {options.process} has: {data.title}, {options.epochs} epochs, seed {options.seed}, "
            f"{', '.join(options.set) or 'no constant set'}; and another has something else. All should be started "
            "with the same options, and have the same data."
        )


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
    common += [word for text in options.set for word in ("--set", text)]
    common += ["--quick"] * options.quick + ["--device", options.device]
    numbers = range(1, options.processes + 1)
    with contextlib.ExitStack() as files:
        logs = [files.enter_context(run.path(f"process-{number}.txt").open("w+")) for number in numbers]
        processes = [
            subprocess.Popen(
                [*common, "--process", str(number)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=machine.END_WITH_PARENT,
            )
            for number, log in zip(numbers, logs, strict=True)
        ]
        wait_for(processes, logs)
    return [read(folder / FOUND.format(number)) for number in numbers]


def wait_for(processes, logs):
    """One that fails leaves the others waiting for it, so it ends them all."""
    try:
        while None in [process.poll() for process in processes]:
            if any(process.poll() for process in processes):
                break
            time.sleep(0.1)
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


def read(path):
    with np.load(path, allow_pickle=False) as saved:
        history = {name.removeprefix("history_"): saved[name].tolist() for name in saved.files if "history" in name}
        return {"history": history, "weights": saved["weights"], "seconds": saved["seconds"].tolist()}


def free_port():
    with socket.socket() as place:
        place.bind((HERE, 0))
        return place.getsockname()[1]
