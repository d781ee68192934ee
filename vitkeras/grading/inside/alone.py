"""A student's process without walls: a fresh one, with an empty folder, and limits where the system knows them."""

import importlib
import os
import shutil
import sys
import tempfile

from . import pupil


def main(packages, limits, user=None):
    channel_in, channel_out = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.dup2(2, 1)  # what is printed goes where errors go; the channel is ours
    scratch = tempfile.mkdtemp(prefix="vitkeras-student-")
    if user is not None:
        os.chown(scratch, user, user)
    os.chdir(scratch)
    for package in packages:
        importlib.import_module(package)
    limited(limits)
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    try:
        with open(channel_in, "rb") as requests, open(channel_out, "wb") as answers:
            pupil.serve(requests, answers, scratch)
    finally:
        os.chdir("/")
        shutil.rmtree(scratch, ignore_errors=True)
    sys.stdout.flush()


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
