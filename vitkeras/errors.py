"""Faults that we foresee, told in one message instead of a traceback."""

import sys
import traceback


class Problem(Exception):
    """A foreseen fault. Its text says what was found, what was expected, and what to do next."""

    exit_code = 1


class Misuse(Problem, ValueError):
    """The program was asked for something that it does not do: a wrong option, a wrong folder."""

    exit_code = 2


def speak_plainly(on_interrupt=None):
    """From here on, a `Problem` that nobody catches ends the program with its text and its exit code.

    `on_interrupt` is called at Ctrl-C and returns the sentence that says what has been saved and how to go on.
    Anything unforeseen still shows its traceback: that is a bug, and the traceback is what a report needs.
    """

    def hook(kind, fault, trace):
        if issubclass(kind, KeyboardInterrupt):
            print(
                f"\nStopped. {on_interrupt() if on_interrupt else 'Nothing was lost that had been saved.'}",
                file=sys.stderr,
            )
            raise SystemExit(130)
        if issubclass(kind, Problem):
            print(f"\nerror: {fault}", file=sys.stderr)
            raise SystemExit(fault.exit_code)
        traceback.print_exception(kind, fault, trace)

    sys.excepthook = hook
