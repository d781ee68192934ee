"""Sweeps on a Ray of their own, and on two nodes of which one is killed."""

import signal
import time

import pytest

from vitkeras.benchmark.nodes import Nodes
from vitkeras.files import alive

pytest.importorskip("ray", reason="sweeps need the extra [cluster]")


def until(true, seconds=60):
    """Wait until `true()` is; whether it became so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.1)
    return False


def test_one_mistaken_setting_among_several_is_named_and_the_others_are_done_and_stay(course):
    code, said = course.swept("--seeds", "2", "--set", "size=4,5,6")
    assert code == 1
    assert said.count("failed: size 5, seed") == 2
    assert "ValueError: 5 does not fit" in said
    header, *lines = course.table()
    assert header == "size,seed,test_accuracy,seconds,data,state"
    assert lines[0] == "4,1,0.081,1,made-up data,finished"
    assert [line.rpartition(",")[2] for line in lines].count("finished") == 4
    assert (course.folder / "out" / "size-6_seed-2" / "picture.png").read_bytes() == b"png"
    assert (course.folder / "out" / "sweep.png").stat().st_size > 5000
    assert "ValueError" in (course.folder / "out" / "size-5_seed-1" / "said.txt").read_text()
    (_, first, *_) = (course.folder / "out" / "summary.csv").read_text().splitlines()
    assert first.startswith("size 4,test_accuracy,2,0.0815")

    (course.folder / "lessons" / "01_tiny.py").write_text(
        (course.folder / "lessons" / "01_tiny.py").read_text().replace("SIZE == 5", "SIZE == 50")
    )
    code, said = course.swept("--seeds", "2", "--set", "size=4,5,6")
    assert code == 0
    assert "4 of them finished before" in said
    assert [size for size, _, _ in course.begun].count("5") == 4
    assert [size for size, _, _ in course.begun].count("4") == 2


def test_after_an_interruption_what_was_finished_is_not_run_again(course):
    words = ["--seeds", "1", "--set", "size=1,2,3,4", "--set", "wait=0.0,60.0"]  # the first is soon done
    process = course.start(*words)
    assert until(lambda: len(course.begun) >= 2)
    assert until(lambda: list(course.folder.glob("out/*/run.json")))
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "goes on from there" in said
    assert until(lambda: not any(alive(int(number)) for _, _, number in course.begun), 20)
    finished = {path.parent.name: path.stat().st_mtime_ns for path in course.folder.glob("out/*/run.json")}
    lesson = course.folder / "lessons" / "01_tiny.py"
    lesson.write_text(lesson.read_text().replace("time.sleep(WAIT)", ""))
    code, said = course.swept(*words)
    assert code == 0, said
    assert f"{len(finished)} of them finished before" in said
    for name, when in finished.items():
        assert (course.folder / "out" / name / "run.json").stat().st_mtime_ns == when


def test_a_misspelt_setting_ends_with_2_at_once(course):
    code, said = course.swept("--set", "sice=4")
    assert code == 2
    assert "Did you mean size" in said
    assert course.begun == []


def test_an_option_that_the_lesson_does_not_take_ends_with_2_at_once(course):
    code, said = course.swept("--set", "kind=a,c", "--seeds", "1")
    assert code == 2
    assert "invalid choice: 'c'" in said
    code, said = course.swept("--seeds", "1", "--", "--epohcs", "3")
    assert code == 2
    assert "--epohcs" in said
    assert course.begun == []


def test_a_task_that_fits_nowhere_is_told_of(course):
    code, said = course.swept("--cpus", "1000")
    assert code == 1
    assert "1000 CPUs" in said


def test_a_node_that_is_killed_costs_a_retry_and_not_the_sweep(course, monkeypatch):
    monkeypatch.setenv("BEGUN", str(course.folder / "begun"))  # what the nodes' tasks see
    with Nodes(nodes=2) as nodes:
        process = course.start("--cluster", nodes.address, "--seeds", "4", "--set", "wait=4.0")
        assert until(lambda: course.begun)
        nodes.kill(nodes.that_of(int(course.begun[0][2])))
        said, _ = process.communicate(timeout=200)
    assert process.returncode == 0, said
    assert len(course.begun) > 4  # one was begun again
    assert [line.rpartition(",")[2] for line in course.table()[1:]] == ["finished"] * 4
