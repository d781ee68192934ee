import hashlib
import os
import signal
import socket
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from vitkeras.datasets import downloads
from vitkeras.datasets.downloads import Published, Unreachable, fetch
from vitkeras.errors import Interrupted, Problem

CONTENT = np.random.default_rng(0).bytes(300_000)


@pytest.fixture
def published(server):
    server.content = CONTENT
    return Published(f"{server.url}numbers.npz", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def refused(published, folder, *words, kind=Unreachable):
    with pytest.raises(kind) as problem:
        fetch(published, folder)
    for word in words:
        assert str(word) in str(problem.value)
    assert published.file_name not in names_in(folder)
    return problem.value


def test_file_arrives_whole_and_nothing_else_stays(published, tmp_path):
    path = fetch(published, tmp_path / "new" / "folder")
    assert path == tmp_path / "new" / "folder" / "numbers.npz"
    assert path.read_bytes() == CONTENT
    assert names_in(path.parent) == ["numbers.npz"]


def test_file_that_is_there_is_not_asked_for(published, server, tmp_path):
    (tmp_path / "numbers.npz").write_bytes(b"mine")
    assert fetch(published, tmp_path).read_bytes() == b"mine"
    assert server.asked == []


# Cut off, and going on


def test_cut_connection_keeps_what_arrived_and_the_next_attempt_goes_on_from_there(published, server, tmp_path):
    server.stops_after = 100_000
    server.goes_on.set()
    refused(published, tmp_path, "100,000 of 300,000 bytes", tmp_path / "numbers.npz.part", "same command goes on")
    assert names_in(tmp_path) == ["numbers.npz.part"]
    server.stops_after = None
    assert fetch(published, tmp_path).read_bytes() == CONTENT
    assert server.asked == [None, "bytes=100000-"]
    assert server.sent == len(CONTENT)
    assert names_in(tmp_path) == ["numbers.npz"]


def test_cut_is_seen_though_the_server_did_not_say_how_much_it_would_send(published, server, tmp_path):
    server.announced = False
    server.stops_after = 100_000
    server.goes_on.set()
    refused(published, tmp_path, "100,000 of 300,000 bytes")
    server.stops_after = None
    assert fetch(published, tmp_path).read_bytes() == CONTENT


def test_server_that_knows_no_ranges_is_asked_for_all(published, server, tmp_path):
    (tmp_path / "numbers.npz.part").write_bytes(CONTENT[:50_000])
    server.ranges = False
    assert fetch(published, tmp_path).read_bytes() == CONTENT
    assert server.asked == ["bytes=50000-"]


def test_part_that_was_complete_is_checked_without_asking(published, server, tmp_path):
    (tmp_path / "numbers.npz.part").write_bytes(CONTENT)
    assert fetch(published, tmp_path).read_bytes() == CONTENT
    assert server.asked == []


def test_part_that_is_too_long_is_begun_again(published, server, tmp_path):
    (tmp_path / "numbers.npz.part").write_bytes(CONTENT + b"more")
    assert fetch(published, tmp_path).read_bytes() == CONTENT
    assert server.asked == [None]


def test_server_that_falls_silent_is_given_up(published, server, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "TIMEOUT", 0.2)
    server.stops_after = 100_000
    refused(published, tmp_path, "timed out", "100,000 of 300,000 bytes")


def test_ctrl_c_keeps_what_arrived_and_says_so(published, tmp_path, monkeypatch):
    real = downloads.chunks

    def interrupted(*arguments):
        yield next(real(*arguments))
        raise KeyboardInterrupt

    monkeypatch.setattr(downloads, "chunks", interrupted)
    problem = refused(published, tmp_path, " of 300,000 bytes are kept", "same command", kind=Interrupted)
    assert problem.exit_code == 130
    assert names_in(tmp_path) == ["numbers.npz.part"]


# Wrong files


def test_wrong_file_of_the_right_size_is_removed_and_named(published, server, tmp_path):
    server.content = bytes(len(CONTENT))
    problem = refused(published, tmp_path, published.sha256, tmp_path / "numbers.npz.part", "removed", kind=Problem)
    assert not isinstance(problem, Unreachable)  # nothing should stand in for what may have been tampered with
    assert names_in(tmp_path) == []


def test_part_of_another_file_does_not_pass(published, server, tmp_path):
    (tmp_path / "numbers.npz.part").write_bytes(bytes(1000))
    refused(published, tmp_path, "SHA-256", kind=Problem)
    assert fetch(published, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("content", [b"<html>Please sign in</html>", CONTENT + b"more"])
def test_file_of_another_size_is_refused_before_it_spoils_the_part(published, server, tmp_path, content):
    (tmp_path / "numbers.npz.part").write_bytes(CONTENT[:20])
    server.content, server.ranges = content, False
    refused(published, tmp_path, f"{len(content):,} bytes", "expected 300,000")
    assert (tmp_path / "numbers.npz.part").read_bytes() == CONTENT[:20]


def test_server_that_never_stops_sending_is_stopped(published, server, tmp_path):
    server.content, server.announced = CONTENT * 20, False
    refused(published, tmp_path, "more than the 300,000 bytes")
    assert (tmp_path / "numbers.npz.part").stat().st_size <= len(CONTENT)


# No network


@pytest.mark.parametrize("status", [403, 404, 416, 503])
def test_error_of_the_server_is_told(published, server, tmp_path, status):
    server.status = status
    refused(published, tmp_path, published.url, status)


def test_nobody_at_the_other_end_is_told(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but not listening: whoever calls is refused
        nobody = Published(f"http://127.0.0.1:{taken.getsockname()[1]}/numbers.npz", 5, "")
        refused(nobody, tmp_path, nobody.url, "could not be reached", "refused")
    assert names_in(tmp_path) == []


# Disks


def test_folder_that_cannot_be_made_is_told(published, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Problem, match="could not be written"):
        fetch(published, tmp_path / "file" / "data")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full, a disk without room")
def test_full_disk_is_told(published, tmp_path):
    (tmp_path / "numbers.npz.part").symlink_to("/dev/full")
    problem = refused(published, tmp_path, tmp_path / "numbers.npz", "No space left", "--data", kind=Problem)
    assert not isinstance(problem, Unreachable)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write anywhere")
def test_folder_that_may_not_be_written_to_is_told(published, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o555)
    with pytest.raises(Problem, match="Permission denied"):
        fetch(published, tmp_path / "locked")


# Processes

FETCH = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background is born deaf to it
import sys
from vitkeras.datasets.downloads import Published, fetch
from vitkeras.errors import speak_plainly
speak_plainly()
url, size, sum, folder = sys.argv[1:]
print(fetch(Published(url, int(size), sum), folder))
"""


def arguments(published, folder):
    return published.url, published.size, published.sha256, folder


def wait_for(condition):
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.01)
    raise TimeoutError


def test_two_processes_at_once_download_once(published, server, tmp_path, run):
    server.stops_after, server.cuts = 100_000, False
    folder = tmp_path / "data"
    processes = [run(FETCH, *arguments(published, folder), wait=False)]
    wait_for(lambda: server.asked)
    processes.append(run(FETCH, *arguments(published, folder), wait=False))
    assert "waiting" in processes[1].stderr.readline()
    server.goes_on.set()
    for process in processes:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert out.strip() == str(folder / "numbers.npz")
    assert len(server.asked) == 1
    assert (folder / "numbers.npz").read_bytes() == CONTENT
    assert names_in(folder) == ["numbers.npz"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_next_process_goes_on_where_one_was_stopped(published, server, tmp_path, run, how):
    server.stops_after = 100_000
    folder = tmp_path / "data"
    process = run(FETCH, *arguments(published, folder), wait=False)
    part = folder / "numbers.npz.part"
    wait_for(lambda: part.exists() and part.stat().st_size > 0)
    process.send_signal(how)
    _, err = process.communicate(timeout=60)
    assert process.returncode == (130 if how == signal.SIGINT else -signal.SIGKILL)
    if how == signal.SIGINT:
        assert "same command goes on" in err
        assert "Traceback" not in err
    assert not (folder / "numbers.npz").exists()

    server.goes_on.set()
    server.stops_after = None
    assert run(FETCH, *arguments(published, folder)).code == 0
    assert server.asked[1].startswith("bytes=")
    assert (folder / "numbers.npz").read_bytes() == CONTENT
    assert names_in(folder) == ["numbers.npz"]
