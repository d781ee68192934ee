"""Times in turn, peak memory, and what a figure says of its machine."""

import datetime
import json
import statistics
import sys
import time
from pathlib import Path

from vitkeras.files import written_whole


def in_turn(steps, rounds, seconds=0.02):
    """Milliseconds of each step in each round. The rounds interleave the steps, so that a slow moment meets them all.

    `steps`: {name: a function that returns a tensor, or a list of them}. In a round a step is called as often as fills
    about `seconds`.
    """
    calls = {}
    for name, step in steps.items():
        step()  # traces, where that has not been done
        calls[name] = max(1, round(seconds / seconds_of(step, 1)))
    milliseconds = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            milliseconds[name].append(1000 * seconds_of(step, calls[name]) / calls[name])
    return milliseconds


def seconds_of(step, calls):
    began = time.perf_counter()
    for _ in range(calls):
        result = step()
    for tensor in result if isinstance(result, list) else [result]:
        tensor.numpy()  # a GPU answers before it has computed
    return time.perf_counter() - began


def milliseconds_of(step, seconds=0.1):
    """Milliseconds of a step that returns when all is computed, over as many as fill `seconds`."""
    began, calls = time.perf_counter(), 0
    while calls == 0 or time.perf_counter() - began < seconds:
        step()
        calls += 1
    return 1000 * (time.perf_counter() - began) / calls


def peak_memory():
    """The most megabytes that this process has had; None where the system does not tell (Windows)."""
    try:  # Linux. getrusage would not do there: a child starts with its parent's peak.
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) / 2**10 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        pass
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def describe_machine(device):
    from vitkeras import machine

    name = machine.prepare(1, device)["device"]
    return {"machine": name, "versions": machine.versions(), "date": datetime.date.today().isoformat()}


def spread(ratios):
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def keep(figures, path):
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
