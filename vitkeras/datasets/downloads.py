"""Downloads that may be cut off and go on: a `.part` file grows, and moves into place once it is whole and right."""

import contextlib
import errno
import hashlib
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from vitkeras.errors import Interrupted, Problem

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
    import msvcrt

TIMEOUT = 10  # seconds without a byte
CHUNK = 1 << 16


@dataclass(frozen=True)
class Published:
    """A file on the net: where it is, how many bytes it has, and what they hash to."""

    url: str
    size: int
    sha256: str

    @property
    def file_name(self):
        return self.url.rsplit("/", 1)[-1]


class Unreachable(Problem):
    """The network, or the server at its other end, did not give the file."""


def fetch(published, folder):
    """Download the file into `folder`, or go on with what an earlier attempt left there. Returns its path.

    Nothing bears the final name before its SHA-256 is right. A second process that wants the same file waits for the
    first, and takes over where it stopped.
    """
    target = Path(folder, published.file_name)
    part = Path(folder, f"{published.file_name}.part")
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with alone(Path(folder, f"{published.file_name}.part.lock")):
            if not target.exists():  # else another process was faster
                receive(published, part)
                verify(published, part)
                os.replace(part, target)
    except KeyboardInterrupt:
        raise Interrupted(kept(part, published) or f"nothing of {published.file_name} had arrived yet") from None
    except Unreachable as fault:
        raise Unreachable(f"{fault} {kept(part, published)}".strip()) from fault
    except OSError as fault:
        raise Problem(
            f"{target} could not be written: {fault.strerror or fault}. Free some space, or name another folder with "
            f"--data. {kept(part, published)}".strip()
        ) from fault
    return target


def kept(part, published):
    arrived = part.stat().st_size if part.is_file() else 0
    if not arrived:
        return ""
    return f"{arrived:,} of {published.size:,} bytes are kept as {part}: the same command goes on from there."


def receive(published, part):
    """Append to `part` what is missing of it."""
    here = part.stat().st_size if part.exists() else 0
    if here == published.size:
        return
    here = here if here < published.size else 0
    with request(published, here) as response:
        here = first_byte(response, here, published)
        with open(part, "ab" if here else "wb") as out, progress(published, here) as advance:
            for chunk in chunks(response, published):
                here += len(chunk)
                if here > published.size:
                    raise Unreachable(f"{published.url} sent more than the {published.size:,} bytes of the file.")
                out.write(chunk)
                advance(len(chunk))
    if here < published.size:
        raise Unreachable(f"The connection to {published.url} was cut: {here:,} of {published.size:,} bytes arrived.")


def request(published, here):
    """Ask for the file from byte `here` on."""
    import http.client
    import urllib.error
    import urllib.request

    headers = {"User-Agent": "vitkeras", "Accept-Encoding": "identity"} | ({"Range": f"bytes={here}-"} if here else {})
    try:
        return urllib.request.urlopen(urllib.request.Request(published.url, headers=headers), timeout=TIMEOUT)
    except urllib.error.HTTPError as fault:
        with fault:
            if fault.code == 416 and here:  # the server knows no such part: from the start, then
                return request(published, 0)
            raise Unreachable(f"{published.url} answered {fault.code} {fault.reason}.") from fault
    except (OSError, http.client.HTTPException) as fault:
        reason = getattr(fault, "reason", fault)
        raise Unreachable(f"{published.url} could not be reached: {reason or type(fault).__name__}.") from fault


def first_byte(response, here, published):
    """The position that the answer begins at: `here` as asked for, or 0 where a server knows no ranges."""
    start = here if response.status == 206 else 0
    if response.status == 206 and not response.headers.get("Content-Range", "").startswith(f"bytes {here}-"):
        raise Unreachable(f"{published.url} sent another part than the one asked for, which begins at byte {here:,}.")
    length = response.headers.get("Content-Length", "")
    if length.isdecimal() and start + int(length) != published.size:
        raise Unreachable(
            f"{published.url} offers {start + int(length):,} bytes, expected {published.size:,}: that is not the file. "
            "A network that asks you to sign in first answers so: open a web page, and try again."
        )
    return start


def chunks(response, published):
    import http.client

    try:
        while chunk := response.read1(CHUNK):  # what has arrived, without waiting for a full chunk
            yield chunk
    except (OSError, http.client.HTTPException) as fault:
        raise Unreachable(f"The connection to {published.url} was cut: {fault or type(fault).__name__}.") from fault


@contextlib.contextmanager
def progress(published, here):
    """A bar on the terminal, and a function that advances it by some bytes."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(published.file_name, total=published.size, completed=here)
        yield lambda count: bar.advance(task, count)


def verify(published, part):
    with open(part, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != published.sha256:
        part.unlink()
        raise Problem(
            f"What came from {published.url} is not the published file: its SHA-256 is {found}, expected "
            f"{published.sha256}. {part} has been removed. Run the command again; if it happens again, the file was "
            "changed on its way or at its source: get it elsewhere (data/README.md)."
        )


@contextlib.contextmanager
def alone(lock):
    """Wait until no other process holds the file `lock`, then hold it. The system lets go of it when a process dies."""
    told = False
    while True:
        with open(lock, "ab") as file:
            if seized(file, lock):
                try:
                    yield
                finally:
                    with contextlib.suppress(OSError):  # Windows removes no open file: there the empty lock stays
                        lock.unlink()
                return
        if not told:
            print(
                f"Another process is fetching {lock.name.removesuffix('.part.lock')}: waiting for it.", file=sys.stderr
            )
            told = True
        time.sleep(0.2)


def seized(file, lock):
    """Whether `file` is now locked for this process, and is still the one that bears the name `lock`."""
    try:
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    except OSError as fault:
        # Some network drives know no locks. There two downloads at once may spoil each other, but the sum tells.
        return fault.errno not in (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
    return lock.exists() and os.path.samestat(os.fstat(file.fileno()), os.stat(lock))
