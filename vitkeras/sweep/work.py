"""One run of a lesson, on whatever machine: in a folder of its own, and brought home as the bytes of its files."""

import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

from vitkeras import machine
from vitkeras.files import own_folder

LAST_LINES = 40  # of what a run has said
MOST_SAID = 100_000  # bytes of what a run that failed has said
LARGEST = 200_000_000  # bytes of a run's files: what is beyond stays behind
LEFT_BEHIND = ("checkpoint.npz",)  # what only a resumed run would need


def run(script, name, words, threads, gpus, data):
    """Run the lesson `name`, whose text is `script`, and tell how it ended. Its output folder comes back as bytes."""
    began = time.perf_counter()
    with own_folder("vitkeras-sweep") as place:
        lesson, out = place / "lessons" / f"{name}.py", place / "run"
        lesson.parent.mkdir()
        lesson.write_text(script, encoding="utf-8")
        said = place / "said.txt"
        with said.open("wb") as stream:
            code = finished(
                [sys.executable, str(lesson), *words, "--out", str(out)],
                {"cwd": place, "stdout": stream, "stderr": stream, "env": environment(threads, gpus, data)},
            )
        lines = [line for line in said.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
        return {
            "code": code,
            "seconds": time.perf_counter() - began,
            "machine": platform.node(),
            "said": lines[-LAST_LINES:],
            "files": files_of(out) if code == 0 else {"said.txt": said.read_bytes()[-MOST_SAID:]},
        }


def telling(lines):
    """Of what a failed run said last, what tells why: its error and the line after it, or else the end.

    >>> telling(["picture: a.png", "ValueError: in Patches.call().", "An image of 28 x 28 …", "Arguments received: …"])
    'ValueError: in Patches.call(). An image of 28 x 28 …'
    """
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in lines]
    errors = [place for place, line in enumerate(plain) if re.match(r"(error|stopped|[\w.]*Error)\b", line)]
    return " ".join(plain[errors[-1] : errors[-1] + 2] if errors else plain[-2:])[:300] or "it said nothing"


def finished(words, how):
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, preexec_fn=machine.END_WITH_PARENT, **how)
    try:
        return process.wait()
    finally:
        process.kill()
        process.wait()


def environment(threads, gpus, data):
    """Each run has its share of the processor and the GPUs, this very package, wherever it was put, and our data."""
    here = str(Path(__file__).parents[2])
    path = os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
    own = dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"), str(threads))
    own |= {"PYTHONPATH": path, "PYTHONIOENCODING": "utf-8:replace"}
    if not gpus:
        own["CUDA_VISIBLE_DEVICES"] = "-1"  # Ray leaves them in view, and the first run would take all of the memory
    elif gpus < 1:
        own["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
    if data and os.path.isdir(data):
        own["VITKERAS_DATA"] = data
    return os.environ | own


def files_of(folder):
    """{path below the folder: its bytes}, the smallest files first."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name not in LEFT_BEHIND]
    found, room = {}, LARGEST
    for path in sorted(paths, key=lambda path: path.stat().st_size):
        room -= path.stat().st_size
        if room >= 0:
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found
