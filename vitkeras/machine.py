"""The machine that a lesson runs on: its device, the precision that suits it, and what must be fixed for a repeat."""

import contextlib
import ctypes
import importlib.metadata
import os
import platform
import signal
import sys
import tempfile
import threading
from pathlib import Path

from vitkeras.errors import Problem
from vitkeras.options import PRECISIONS

PR_SET_PDEATHSIG = 1


def prepare(seed, device="auto", precision="float32", devices="one"):
    """Fix the seed, choose device and precision as the options say, and print them. Returns them as a dict."""
    gpus, chatter = wake_tensorflow()
    import keras
    import tensorflow as tf

    if device == "gpu" and not gpus:
        raise Problem(
            "--device gpu was asked for, but TensorFlow sees no GPU. On Linux and WSL2: pip install "
            "'tensorflow[and-cuda]', and see whether nvidia-smi lists the card. On macOS and native Windows TensorFlow "
            f"has no GPU support. To go on without one: --device auto, or cpu.{chatter()}"
        )
    if device == "cpu" and gpus:
        tf.config.set_visible_devices([], "GPU")
        gpus = []
    # What a keras.json in the home folder says must not change a run.
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
    keras.utils.set_random_seed(seed)
    if not gpus:
        # Makes a repeated or resumed run equal to the last bit.
        tf.config.experimental.enable_op_determinism()

    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    name = gpu_name(details) if gpus else cpu_name()
    reason = ""
    if precision == "auto":
        precision, reason = fastest_precision([d.get("compute_capability", (0, 0)) for d in details], cpu_flags())
    keras.config.set_dtype_policy(PRECISIONS[precision])
    print(f"device: {name}")
    print(f"precision: {precision}{reason}")
    if devices == "all" and (sharing := share_batches("GPU" if gpus else "CPU")) > 1:
        name += f", each batch shared by {sharing}"
    return {"device": name, "precision": precision}


def share_batches(kind):
    """From here on, `fit` gives every device of this kind its share of each batch. Returns how many there are.

    Each has a copy of the weights; gradients are summed before they are applied, so the batch is as large as before.
    What comes out is what one device gives, up to rounding, where shares are equal: the images of a last, smaller batch
    that cannot be shared evenly count a little differently; and dropout and batch normalisation go by the share alone.
    """
    import tensorflow as tf

    places = [device.name for device in tf.config.list_logical_devices(kind)]
    if len(places) < 2:
        print(f"--devices all: there is one {kind} here, so there is nobody to share with")
        return len(places)
    one_by_one = {"cross_device_ops": tf.distribute.ReductionToOneDevice()} if kind == "CPU" else {}
    tf.distribute.experimental_set_strategy(tf.distribute.MirroredStrategy(places, **one_by_one))
    print(f"devices: {len(places)} share each batch; dropout and batch normalisation go by a device's share")
    return len(places)


def wake_tensorflow():
    """Load TensorFlow, and hold back what it says. Returns the GPUs that it sees, and a function that tells it."""
    with interruptions_held_back(), chatter_held_back() as chatter:
        import keras  # noqa: F401
        import tensorflow as tf

        # A lesson that trains several models traces a function for each, and would be warned of it at each.
        tf.get_logger().setLevel("ERROR")
        return tf.config.list_physical_devices("GPU"), chatter


@contextlib.contextmanager
def interruptions_held_back():
    """Let Ctrl-C count only afterwards: some library may swallow it while it is imported."""
    if threading.current_thread() is not threading.main_thread():  # nobody else is interrupted
        yield
        return
    pressed = []
    before = signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed and before is not signal.SIG_IGN:
        raise KeyboardInterrupt


@contextlib.contextmanager
def chatter_held_back():
    """Hold back what TensorFlow's C++ part says while it loads, which no setting silences; a failure shows it.

    Gives a function that returns what was said: it may tell why no GPU was found.
    """
    with tempfile.TemporaryFile() as held:
        stderr = os.dup(2)
        os.dup2(held.fileno(), 2)
        said = ""
        try:
            yield lambda: f"\nTensorFlow said:\n{said}" if said else ""
        except Exception:
            os.dup2(stderr, 2)
            held.seek(0)
            os.write(2, held.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            held.seek(0)
            said = held.read().decode(errors="replace").strip()


def fastest_precision(gpu_capabilities, flags):
    """What `--precision auto` picks, and why: 16 bits only where the hardware multiplies them faster than 32.

    >>> fastest_precision([(8, 0)], set())
    ('bfloat16', ' (auto: a GPU of compute capability 8.0)')
    >>> fastest_precision([], {"avx2"})
    ('float32', ' (auto: no faster 16-bit arithmetic found)')
    """
    if gpu_capabilities:
        major, minor = min(gpu_capabilities)
        precision = "bfloat16" if major >= 8 else "float16" if major >= 7 else "float32"
        return precision, f" (auto: a GPU of compute capability {major}.{minor})"
    for flag in ("amx_bf16", "avx512_bf16"):
        if flag in flags:
            return "bfloat16", f" (auto: this CPU has {flag})"
    return "float32", " (auto: no faster 16-bit arithmetic found)"


def cpu_info(field):
    """A line of Linux's description of the processor; empty where there is none."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith(field)), "")


def cpu_flags():
    return set(cpu_info("flags").split())


def cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def cpu_name():
    return f"CPU, {cores()} cores ({cpu_info('model name') or platform.processor() or platform.machine()})"


def gpu_name(details):
    return f"{len(details)} x " * (len(details) > 1) + f"GPU ({details[0].get('device_name', 'unnamed')})"


def end_with_parent():
    """To be called in a process just started: whatever ends its parent, even SIGKILL, ends it too (on Linux)."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


END_WITH_PARENT = end_with_parent if os.name == "posix" else None  # a `preexec_fn`; Windows takes none


def versions():
    packages = ("vitkeras", "tensorflow", "keras", "numpy")
    return {"python": platform.python_version()} | {p: importlib.metadata.version(p) for p in packages}
