"""Files that are either whole or not there."""

import contextlib
import errno
import os
import shutil
import tempfile
from pathlib import Path

from vitkeras.errors import Misuse, Problem

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

UNFINISHED = ".unfinished"


@contextlib.contextmanager
def written_whole(path):
    """Give a temporary name beside `path` to write to; move it into place only when the block has succeeded.

    A reader sees the old file or the new one, never a half. What the system refuses (no permission, a full disk)
    becomes one message, and the temporary file is gone. The suffix stays last, for libraries that go by it.

    >>> with written_whole("numbers.txt") as path:    # doctest: +SKIP
    ...     path.write_text("1 2 3")
    """
    path = Path(path)
    temporary = path.with_name(f"{path.stem}{UNFINISHED}-{os.getpid()}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, path)
    except OSError as fault:
        full = fault.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        raise Problem(
            f"{path} could not be written: {fault.strerror or fault}. What was there before is untouched. "
            f"{'Free some space' if full else 'See who may write there'}, or choose another folder."
        ) from fault
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def sweep(folder):
    """Remove what a killed program left half-written in `folder`."""
    for leftover in Path(folder).glob(f"*{UNFINISHED}-*"):
        leftover.unlink(missing_ok=True)


@contextlib.contextmanager
def own_folder(prefix, where=None):
    """A folder among the system's temporary ones, gone at the end; and so are those of processes that were killed."""
    where = where or tempfile.gettempdir()
    for leftover in Path(where).glob(f"{prefix}-*"):
        owner = leftover.name.removeprefix(f"{prefix}-").partition("-")[0]
        if owner.isdecimal() and not alive(int(owner)):
            shutil.rmtree(leftover, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{prefix}-{os.getpid()}-", dir=where))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def alive(process):
    """Whether there is such a process; where it cannot be told, it is taken to be there."""
    if os.name != "posix":  # there, this would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def hold(folder, doing):
    """Keep other processes out of `folder` as long as this one lives, or until the lock that is returned is closed.

    doing: what the other one does there, if there is one. None is returned where the system has no such locks.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder, os.O_RDONLY) if fcntl else None
    except OSError as fault:
        raise Problem(f"{folder} cannot be the folder: {fault.strerror or fault}. Choose another --out.") from fault
    if fcntl:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise Misuse(
                f"another process is {doing} in {folder}. Wait for its end, or choose another --out."
            ) from None
        except OSError:
            pass  # a network drive without locks
    return lock
