"""A student's process without walls: a fresh one, with an empty folder, and limits where the system knows them."""

import ctypes
import importlib
import os
import signal
import sys

from . import pupil


def main(scratch, packages, limits, user=None):
    """`user`: whom to become, for one that the examiner starts as root."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what is printed goes where errors go
    os.chdir(scratch)
    for package in packages:
        importlib.import_module(package)
    limited(limits)
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # end when the examiner ends
    pupil.serve(requests, answers, scratch)


def limited(limits):
    try:
        import resource
    except ImportError:  # Windows
        return
    megabyte = 2**20
    wanted = {
        "DATA": limits["memory_mb"] * megabyte,
        "FSIZE": limits["file_mb"] * megabyte,
        "CPU": limits["cpu_seconds"],
        "CORE": 0,
    }
    for name, most in wanted.items():
        _, hard = resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))
        except (ValueError, OSError):  # macOS refuses some
            continue
