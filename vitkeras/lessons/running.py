"""Lessons run as processes of their own: one in view, or several with their output kept in files."""

import contextlib
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from vitkeras.errors import Interrupted, Problem, report
from vitkeras.machine import cores

LOGS = Path("runs", "lessons-log")
WHERE = f"All that they said is in {LOGS}."
PATIENCE = 10  # seconds that a lesson has after Ctrl-C to end by itself
TERMINATION = 3  # seconds that it has when it is told to
LAST_LINES = 6  # of what a failed lesson said


def run(lessons, words, jobs=1):
    """Returns the exit code."""
    if len(lessons) == 1:
        return run_in_view(lessons[0], words)
    return run_all(lessons, words, jobs)


def run_in_view(lesson, words):
    """Its output is ours, and so is its exit code."""
    process = subprocess.Popen(command(lesson, words))
    try:
        code = process.wait()
    except KeyboardInterrupt:
        stop([process], PATIENCE)
        return Interrupted.exit_code  # the lesson has said what there is to say
    if code < 0:
        raise Problem(f"{lesson.name} was ended from outside (signal {-code}). Is there enough memory?")
    return code


def command(lesson, words):
    return [sys.executable, str(lesson.path), *words]


def stop(processes, patience):
    """Wait for their last words: Ctrl-C in a terminal reaches the lessons too. Who is still there then is ended."""
    for end in (lambda process: None, subprocess.Popen.terminate, subprocess.Popen.kill):
        for process in processes:
            end(process)
        until = time.monotonic() + patience
        patience = TERMINATION
        with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):  # pressed again: no more patience
            for process in processes:
                process.wait(max(0, until - time.monotonic()))


@dataclass
class Started:
    lesson: object
    process: subprocess.Popen
    began: float
    seconds: float = 0.0

    @property
    def said(self):
        return lines_of(output(self.lesson))

    @property
    def last_words(self):
        """What a lesson that failed said last: to stderr if it can."""
        return (lines_of(errors(self.lesson)) or self.said)[-LAST_LINES:]


def output(lesson):
    return LOGS / f"{lesson.name}.txt"


def errors(lesson):
    return LOGS / f"{lesson.name}-errors.txt"


def lines_of(file):
    text = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
    return [line for line in text.splitlines() if line.strip()]


def run_all(lessons, words, jobs):
    """`jobs` at a time. One that fails is told of at the end, and does not keep the others from running."""
    from rich.console import Console
    from rich.text import Text

    console = Console()
    began, waiting, under_way, ended = time.perf_counter(), list(lessons), [], []
    width = max(len(lesson.name) for lesson in lessons)
    try:
        with console.status("") as status:
            while waiting or under_way:
                while waiting and len(under_way) < jobs:
                    under_way.append(start(waiting.pop(0), words, max(1, cores() // jobs)))
                    status.update(f"running {', '.join(one.lesson.name for one in under_way)} ...")
                time.sleep(0.05)
                for one in [one for one in under_way if one.process.poll() is not None]:
                    under_way.remove(one)
                    ended.append(one)
                    one.seconds = time.perf_counter() - one.began
                    answer = "FAILED" if one.process.returncode else (one.said or ["(it said nothing)"])[-1]
                    line = f"{one.lesson.name:{width}}  {one.seconds:6.1f} s  {answer}"
                    console.print(Text(line), soft_wrap=True)
    except KeyboardInterrupt:
        stop([one.process for one in under_way], PATIENCE)
        return report(Interrupted(what_finished(lessons, ended)))
    finally:
        stop([one.process for one in under_way], 0)
        sweep(lessons)
    failed = [one for one in ended if one.process.returncode]
    if failed:
        console.print(table_of(failed))
    seconds = time.perf_counter() - began
    print(f"{len(ended) - len(failed)} of {len(lessons)} lessons ran to their end, in {seconds:.0f} s. {WHERE}")
    return 1 if failed else 0


def start(lesson, words, threads):
    """`threads` is its share of the processor: TensorFlows that all take all of it are in each other's way."""
    shares = dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"), str(threads))
    env = shares | os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8:replace"}
    try:
        LOGS.mkdir(parents=True, exist_ok=True)
        with output(lesson).open("wb") as out, errors(lesson).open("wb") as err:
            process = subprocess.Popen(
                command(lesson, words), stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env
            )
    except OSError as fault:
        raise Problem(f"{LOGS} cannot take what {lesson.name} says: {fault.strerror or fault}.") from fault
    return Started(lesson, process, time.perf_counter())


def sweep(lessons):
    for lesson in lessons:
        with contextlib.suppress(OSError):
            if not errors(lesson).stat().st_size:
                errors(lesson).unlink()


def what_finished(lessons, ended):
    finished = [one.lesson.name for one in ended if not one.process.returncode]
    failed = [one.lesson.name for one in ended if one.process.returncode]
    others = [lesson.name for lesson in lessons if lesson.name not in finished + failed]
    groups = {"finished": finished, "failed": failed, "not finished": others}
    told = "; ".join(f"{group}: {', '.join(names)}" for group, names in groups.items() if names)
    return f"{told}. {WHERE}"


def table_of(failed):
    from rich.table import Table
    from rich.text import Text

    table = Table("failed", "exit code", "its last words")
    for one in failed:
        table.add_row(one.lesson.name, str(one.process.returncode), Text("\n".join(one.last_words)))
    return table
