"""Faults that we foresee, told in one message instead of a traceback."""

import os
import sys
import traceback


class Problem(Exception):
    """A foreseen fault. Its text says what was found, what was expected, and what to do next."""

    exit_code = 1


class Misuse(Problem, ValueError):
    """The program was asked for something that it does not do: a wrong option, a wrong folder."""

    exit_code = 2


class Interrupted(Problem):
    """The user pressed Ctrl-C. The text says what has been saved and how to go on."""

    exit_code = 130


STOPPED = "if a run folder had been opened, it keeps what was finished, and the same command with --resume goes on"


def speak_plainly():
    """From here on, a `Problem` that nobody catches ends the program with its text and its exit code.

    Anything unforeseen still shows its traceback: that is a bug, and the traceback is what a report needs.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # not in a notebook
            stream.reconfigure(errors="replace")  # a terminal that lacks a letter shows another in its place
    sys.excepthook = tell
    if shell := notebook():  # which asks no excepthook
        shell.set_custom_exc((Problem, KeyboardInterrupt), tell_in_notebook)


def notebook():
    """The shell of the notebook that we run in; None elsewhere."""
    return sys.modules["IPython"].get_ipython() if {"ipykernel", "IPython"} <= sys.modules.keys() else None


def tell(kind, fault, trace):
    if issubclass(kind, KeyboardInterrupt):
        kind, fault = Interrupted, Interrupted(STOPPED)
    if issubclass(kind, BrokenPipeError):  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1)
    if not issubclass(kind, Problem):
        traceback.print_exception(kind, fault, trace)
        return
    print(file=sys.stderr)
    raise SystemExit(report(fault))  # from an excepthook, this sets the exit code


def tell_in_notebook(shell, kind, fault, trace, tb_offset=None):
    """The cell counts as failed all the same, and those below it are not run."""
    report(Interrupted(STOPPED) if issubclass(kind, KeyboardInterrupt) else fault)


def report(problem):
    """Print what the problem is, and return the exit code that goes with it."""
    said = "".join(c if c.isprintable() or c in "\n\t" else "?" for c in str(problem))  # names may hold anything
    print(f"{'stopped' if isinstance(problem, Interrupted) else 'error'}: {said}", file=sys.stderr)
    return problem.exit_code
