"""The walls between a student's code and everything else, and the processes behind them.

Where bubblewrap works (Linux, Debian's package `bubblewrap`), a student's process has no network and sees no file but
Python's and its own, see `inside/cell.py`. Elsewhere it is an ordinary process with the limits that the system knows;
`description` says which, and every result repeats it.
"""

import contextlib
import functools
import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from vitkeras.errors import Misuse, Problem
from vitkeras.grading.connection import Connection

INSIDE = Path(__file__).parent / "inside"
PACKAGE = Path(__file__).parents[1]
STRANGER = 61184  # a user who owns nothing, for processes without walls
QUIET = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "HOME": "/scratch",
    "KERAS_BACKEND": "tensorflow",
    "KERAS_HOME": "/scratch/.keras",
    "LANG": "C.UTF-8",
    "MPLBACKEND": "Agg",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PATH": "/usr/bin:/bin",
    "PYTHONDONTWRITEBYTECODE": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TMPDIR": "/scratch",
}
START = "import sys; sys.path[:0] = {paths}; from inside.{module} import main; main({arguments})"


def best(exercise, slot=0, open_to_all=False):
    """The highest walls that this machine gives. `open_to_all`: none, for one's own code on one's own machine."""
    if open_to_all:
        return Open(exercise, "none: one's own code, on one's own machine")
    lacking = bubblewrap_lacks()
    if not lacking:
        return Bubblewrap(exercise, slot)
    return Open(
        exercise, f"only limits on time and memory, for {lacking}: files and network are open to students' code"
    )


@functools.cache
def bubblewrap_lacks():
    """Why bubblewrap cannot be used here; "" if it can."""
    if sys.platform != "linux":
        return "bubblewrap is for Linux"
    if not shutil.which("bwrap"):
        return "bubblewrap is not installed (Debian and Ubuntu: apt-get install bubblewrap)"
    tried = subprocess.run([*bwrap_arguments([]), "/usr/bin/true"], capture_output=True, text=True)
    if tried.returncode:
        return f"bubblewrap does not work here ({tried.stderr.strip()[:200]})"
    return ""


def bwrap_arguments(imports):
    """What is to be seen behind the walls: the system's libraries and Python's, all read-only, and no `exercises`."""
    root = os.geteuid() == 0
    arguments = ["bwrap", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--die-with-parent"]
    arguments += ["--new-session", "--clearenv", "--cap-drop", "ALL"]
    if root:  # then students become other users, which takes rights until that is done
        for right in ("SYS_ADMIN", "SETUID", "SETGID", "SETPCAP", "SYS_PTRACE", "KILL", "SYS_RESOURCE"):
            arguments += ["--cap-add", f"CAP_{right}"]
    else:
        arguments += ["--unshare-user"]
    arguments += ["--ro-bind", "/usr", "/usr"]
    for path in (Path("/", name) for name in ("bin", "sbin", "lib", "lib32", "lib64")):
        if path.is_symlink():
            arguments += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            arguments += ["--ro-bind", str(path), str(path)]
    arguments += ["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache", "--dir", "/tmp", "--dir", "/kit"]
    for folder in python_folders():
        for parent in reversed(Path(folder).parents[:-1]):
            arguments += ["--dir", str(parent)]  # made by the way, it would be closed to the other users
        arguments += ["--ro-bind", folder, folder]
    installed = sysconfig.get_path("purelib") + "/vitkeras"
    if Path(installed).is_dir():
        arguments += ["--size", "4096", "--tmpfs", installed, "--remount-ro", installed]
    arguments += ["--ro-bind", str(INSIDE), "/kit/inside"]
    if "vitkeras" in imports:
        arguments += ["--ro-bind", str(PACKAGE), "/kit/vitkeras"]
    arguments += ["--proc", "/proc", "--dev", "/dev", "--dir", "/dev/shm", "--chdir", "/"]
    arguments += ["--size", str(2**26), "--tmpfs", "/scratch"]  # each student's own folder will lie over it
    arguments += ["--remount-ro", "/dev", "--remount-ro", "/"]
    for name, value in QUIET.items():
        arguments += ["--setenv", name, value]
    return arguments


def python_folders():
    """Where Python and its packages are, outside of the system's own folders."""
    folders = {sys.prefix, sys.base_prefix, str(Path(sys.executable).resolve().parents[1])}
    return sorted(folder for folder in folders if folder not in ("/usr", "/") and not folder.startswith("/usr/"))


def python(module, paths, *arguments):
    command = START.format(paths=paths, module=module, arguments=", ".join(map(repr, arguments)))
    return [sys.executable, "-I", "-B", "-u", "-c", command]


class Bubblewrap:
    """One process with the libraries loaded, behind bubblewrap's walls; copied for each student who comes."""

    description = "bubblewrap: no network, no files but Python's own, a scratch folder in memory, limits on all"

    def __init__(self, exercise, slot=0):
        self.exercise, self.slot = exercise, slot
        self.nursery = None
        for folder in ["/usr", *python_folders()]:
            if exercise.folder.resolve().is_relative_to(folder):
                raise Misuse(
                    f"the exercises are in {exercise.folder}, below {folder}, which students' code sees because Python "
                    "is there. Move them elsewhere, and name them by --exercises."
                )

    def process(self):
        """A fresh process for a student: a `Connection`."""
        for _ in range(2):
            if self.nursery is None:
                self.open()
            try:
                return self.fork()
            except OSError:  # it has been killed, say for want of memory
                self.close()
        raise Problem("the process that students' processes are copied from ends again and again; see the system's log")

    def open(self):
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115, closed by close
        number = theirs.fileno()
        self.nursery = subprocess.Popen(
            [*bwrap_arguments(self.exercise.imports), *python("nursery", ["/kit"], number, self.exercise.libraries)],
            stdin=subprocess.DEVNULL,
            stdout=self.errors,
            stderr=self.errors,
            pass_fds=[number],
            start_new_session=True,  # Ctrl-C is the examiner's to deal with
        )
        theirs.close()
        self.control.settimeout(300)
        try:
            ready = self.control.recv(16)
        except OSError:
            ready = b""
        if ready != b"ready":
            self.errors.seek(0)
            said = self.errors.read().decode(errors="replace").strip().splitlines()[-3:]
            self.close()
            raise Problem(
                f"no process for students could be started behind bubblewrap: {' '.join(said) or 'it said nothing'}. "
                "Wanted: bubblewrap that may make namespaces, and Python with "
                f"{', '.join(self.exercise.libraries)} installed."
            )

    def fork(self):
        limits = self.exercise.limits
        order = {name: limits[name] for name in ("memory_mb", "scratch_mb", "file_mb", "processes")}
        order["cpu_seconds"] = int(limits["total_seconds"])
        channel, channel_end = socket.socketpair()
        leash, leash_end = socket.socketpair()
        output, output_end = os.pipe()
        message = json.dumps({"limits": order, "slot": self.slot}).encode()
        try:
            socket.send_fds(self.control, [message], [channel_end.fileno(), output_end, leash_end.fileno()])
        except OSError:
            for end in (channel, leash):
                end.close()
            os.close(output)
            raise
        finally:
            channel_end.close()
            leash_end.close()
            os.close(output_end)

        def end():
            """Drop the leash, and hear how the process ended."""
            try:
                leash.shutdown(socket.SHUT_WR)
                leash.settimeout(30)
                return leash.recv(1000).decode(errors="replace")
            except OSError:
                return "it was ended"
            finally:
                leash.close()
                with contextlib.suppress(OSError):
                    channel.shutdown(socket.SHUT_RDWR)
                channel.close()

        return Connection(channel.makefile("rb"), channel.makefile("wb"), open(output, "rb"), end)

    def close(self):
        if self.nursery:
            self.control.close()
            self.nursery.kill()
            self.nursery.wait()
            self.errors.close()
            self.nursery = None


class Open:
    """A fresh process for each student, with nothing but limits around it."""

    def __init__(self, exercise, description):
        self.exercise, self.description = exercise, description

    def process(self):
        limits = {name: self.exercise.limits[name] for name in ("memory_mb", "file_mb")}
        limits["cpu_seconds"] = int(self.exercise.limits["total_seconds"])
        user = (
            STRANGER if hasattr(os, "geteuid") and os.geteuid() == 0 and self.description.startswith("only") else None
        )
        paths = [str(INSIDE.parent)] + ([str(PACKAGE.parent)] if "vitkeras" in self.exercise.imports else [])
        kept = ("SYSTEMROOT", "PATH", "TEMP", "TMP")  # Windows needs them
        environment = QUIET | {name: os.environ[name] for name in kept if name in os.environ}
        for name in ("TMPDIR", "HOME", "KERAS_HOME"):
            environment[name] = tempfile.gettempdir()
        process = subprocess.Popen(
            python("alone", paths, self.exercise.libraries, limits, user),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=tempfile.gettempdir(),
            start_new_session=True,
        )

        def end():
            if hasattr(os, "killpg"):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, 9)
            process.kill()
            code = process.wait()
            return f"it was ended by signal {-code}" if code < 0 else f"it ended itself with exit code {code}"

        return Connection(process.stdout, process.stdin, process.stderr, end)

    def close(self):
        pass
