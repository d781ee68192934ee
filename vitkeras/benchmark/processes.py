"""Processes that wait for work, so that contenders are measured in turn."""

import contextlib
import multiprocessing
import os
import sys

from vitkeras.errors import Problem


@contextlib.contextmanager
def one_process():
    """A process that calls the functions it is sent, one after the other: `call(function, *arguments)`."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve, args=(there,), daemon=True)
    process.start()
    there.close()

    def call(function, *arguments):
        try:
            here.send((function, arguments))
            fault, result = here.recv()
        except (EOFError, OSError):
            raise Problem(f"the process that ran {function.__name__} died. Is there enough memory?") from None
        if fault:
            raise Problem(fault)
        return result

    try:
        yield call
    finally:
        here.close()
        process.join()


def serve(connection):
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - for good: the table is the parent's
    with contextlib.suppress(EOFError, KeyboardInterrupt):
        from vitkeras.machine import chatter_held_back

        with chatter_held_back():
            import tensorflow  # noqa: F401

        while True:
            function, arguments = connection.recv()
            try:
                answer = (None, function(*arguments))
            except Problem as fault:
                answer = (str(fault), None)
            except Exception as fault:
                answer = (f"{type(fault).__name__} in {function.__name__}: {fault}", None)
            connection.send(answer)
