"""The process that waits, libraries loaded, to be copied for each student.

It takes orders from the examiner alone, and never sees anything of a student's. An order brings three ends: of the
channel to the examiner, of the pipe for what is printed, and of the leash by which the examiner ends it all.
"""

import importlib
import json
import os
import signal
import socket

from . import cell, pupil


def main(control_number, packages):
    for package in packages:
        importlib.import_module(package)
    control = socket.socket(fileno=control_number)
    control.send(b"ready")
    while True:
        order, ends, _, _ = socket.recv_fds(control, 4096, 3)
        if not order:
            return
        order = json.loads(order)
        if not os.fork():
            control.close()
            enter(*ends, **order)
        for end in ends:
            os.close(end)
        while True:  # collect those that have ended
            try:
                if os.waitpid(-1, os.WNOHANG)[0] == 0:
                    break
            except ChildProcessError:
                break


def enter(channel, output, leash, limits, user):
    leash = socket.socket(fileno=leash)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    nowhere = os.open("/dev/null", os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(nowhere)
    os.close(output)

    def serve():
        with open(channel, "rb", closefd=False) as requests, open(channel, "wb", closefd=False) as answers:
            pupil.serve(requests, answers, "/scratch")

    cell.locked_in(serve, leash, limits, user)
