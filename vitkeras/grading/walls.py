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
STRANGER = 61184  # where examiners are root, their students' processes are users from here on, who own nothing
OPEN = "students' code may read and change files, and use the network"
QUIET = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "HOME": "/scratch",
    "KERAS_BACKEND": "tensorflow",
    "KERAS_HOME": "/scratch/.keras",
    "LANG": "C.UTF-8",
    "MALLOC_ARENA_MAX": "4",
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
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return Open(exercise, f"limits on time and memory only, because {lacking}: {OPEN}")
    if not everyone_has_python():
        raise Misuse(
            f"strangers' code would run as root here, because {lacking}. Install bubblewrap; or grade as an ordinary "
            "user; or put Python where every user may read it."
        )
    right = "limits on time and memory, and a user of its own, only"
    return Open(exercise, f"{right}, because {lacking}: {OPEN}", STRANGER + slot)


def everyone_has_python():
    """Whether a student's process could be somebody who may do nothing but read Python."""
    folders = [Path(folder) for folder in ["/usr", *python_folders(), str(INSIDE)]]
    return all(place.stat().st_mode & 0o005 == 0o005 for folder in folders for place in (folder, *folder.parents))


@functools.cache
def bubblewrap_lacks():
    """Why bubblewrap cannot be used here; "" if it can."""
    if sys.platform != "linux":
        return "bubblewrap is for Linux"
    if not shutil.which("bwrap"):
        return "bubblewrap is not installed (Debian and Ubuntu: apt-get install bubblewrap)"
    tried = subprocess.run([*bwrap_arguments(), "/usr/bin/true"], capture_output=True, text=True)
    if tried.returncode:
        return f"bubblewrap does not work here ({tried.stderr.strip()[:200]})"
    return ""


def bwrap_arguments(closed=(), forbidden=()):
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
    for package in {*closed, "vitkeras"}:  # where it is installed; that of the examiner follows
        installed = f"{sysconfig.get_path('purelib')}/{package}"
        if Path(installed).is_dir():
            arguments += ["--size", "4096", "--tmpfs", installed, "--remount-ro", installed]
    arguments += ["--ro-bind", str(INSIDE), "/kit/inside"]
    if "vitkeras" not in closed:
        arguments += ["--ro-bind", str(PACKAGE), "/kit/vitkeras"]
        for name in forbidden:
            if PACKAGE.parent.joinpath(f"{name.replace('.', '/')}.py").is_file():
                arguments += ["--ro-bind", "/dev/null", f"/kit/{name.replace('.', '/')}.py"]
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


def require_unseen(*folders):
    """Refuse folders that students' code would see because Python is above them."""
    for folder in folders:
        for seen in ["/usr", *python_folders()]:
            if Path(folder).resolve().is_relative_to(seen):
                raise Misuse(
                    f"{folder} is below {seen}, which students' code sees because Python is there. Move one of them "
                    "elsewhere."
                )


class Bubblewrap:
    """One process with the libraries loaded, behind bubblewrap's walls; copied for each student who comes."""

    description = "bubblewrap: no network, no files but Python's own, a scratch folder in memory, limits on all"

    def __init__(self, exercise, slot=0):
        self.exercise, self.slot = exercise, slot
        self.nursery = None
        require_unseen(exercise.folder)

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
            [
                *bwrap_arguments(self.exercise.closed, self.exercise.forbidden),
                *python("nursery", ["/kit"], number, self.exercise.libraries),
            ],
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
        message = json.dumps({"limits": order, "user": STRANGER + self.slot}).encode()
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

    def __init__(self, exercise, description, user=None):
        self.exercise, self.description, self.user = exercise, description, user

    def process(self):
        limits = {name: self.exercise.limits[name] for name in ("memory_mb", "file_mb")}
        limits["cpu_seconds"] = int(self.exercise.limits["total_seconds"])
        scratch = tempfile.mkdtemp(prefix="vitkeras-student-")
        if self.user is not None:
            os.chown(scratch, self.user, self.user)
        paths = [str(INSIDE.parent)] + ([str(PACKAGE.parent)] if "vitkeras" in self.exercise.imports else [])
        folders = {"HOME": scratch, "KERAS_HOME": str(Path(scratch, ".keras")), "TMPDIR": scratch}
        kept = {name: os.environ[name] for name in ("SYSTEMROOT", "PATH", "TEMP", "TMP") if name in os.environ}
        process = subprocess.Popen(
            python("alone", paths, scratch, self.exercise.libraries, limits, self.user),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=QUIET | kept | folders,
            cwd=scratch,
            start_new_session=True,
        )

        def end():
            if hasattr(os, "killpg"):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, 9)
            if self.user is not None:
                end_all(self.user)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.2)
            process.kill()
            code = process.wait()
            shutil.rmtree(scratch, ignore_errors=True)
            return f"it was ended by signal {-code}" if code < 0 else f"it ended itself with exit code {code}"

        return Connection(process.stdout, process.stdin, process.stderr, end)

    def open(self):
        """There is nothing to be made ready."""

    def close(self):
        """There is nothing left to be ended."""


def end_all(user):
    """End every process of a user that is a student's alone."""
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if place.stat().st_uid == user:
                os.kill(int(place.name), 9)
