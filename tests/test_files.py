import errno
import os

import pytest

from vitkeras.errors import Problem
from vitkeras.files import sweep, written_whole


def test_the_file_is_there_only_when_it_is_whole(tmp_path):
    target = tmp_path / "new folder" / "results.json"
    with written_whole(target) as path:
        path.write_text("half")
        assert not target.exists()
    assert target.read_text() == "half"
    assert os.listdir(target.parent) == ["results.json"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "results.json"
    target.write_text("old")

    def fail():
        with written_whole(target) as path:
            path.write_text("new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["results.json"]


@pytest.mark.parametrize("reason", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_what_the_system_refuses_is_told_with_file_and_reason(tmp_path, reason):
    target = tmp_path / "results.json"
    target.write_text("old")

    def fail():
        with written_whole(target) as path:
            path.write_text("n")
            raise OSError(reason, os.strerror(reason))

    with pytest.raises(Problem, match=f"results.json.*{os.strerror(reason)}"):
        fail()
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["results.json"]


def test_a_full_disk_is_told(tmp_path):
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    target = tmp_path / "results.txt"

    def fail():
        with written_whole(target) as path:
            path.symlink_to("/dev/full")
            path.write_text("anything")

    with pytest.raises(Problem, match="No space left"):
        fail()
    assert os.listdir(tmp_path) == []


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path):
    (tmp_path / "runs").write_text("")

    def fail():
        with written_whole(tmp_path / "runs" / "run.json") as path:
            path.write_text("")

    with pytest.raises(Problem):
        fail()


def test_what_a_killed_program_left_is_swept_away(tmp_path):
    (tmp_path / "checkpoint.npz").write_text("whole")
    with written_whole(tmp_path / "checkpoint.npz") as path:
        path.write_text("half")
        os.link(path, tmp_path / f"kept-{path.name}")
        os.link(path, tmp_path / path.name.replace(str(os.getpid()), "1"))
    sweep(tmp_path)
    assert os.listdir(tmp_path) == ["checkpoint.npz"]
