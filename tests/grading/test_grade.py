"""A class graded: who gets what, again and again, whatever happens in between."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vitkeras.errors import Misuse
from vitkeras.grading import __main__ as program
from vitkeras.grading import exercise
from vitkeras.grading.desk import Desk
from vitkeras.grading.grade import grade
from vitkeras.grading.progress import Silence
from vitkeras.grading.results import outputs

COURSE = Path(__file__).parent / "course"
SOLUTION = (COURSE / "for_instructors/sums/sums.py").read_text()
HALF = SOLUTION.replace("np.sum(array)", "array[0]")
SLOW = "import time; time.sleep(0.3)\n" + SOLUTION


def a_class(folder, **sources):
    for name, source in sources.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "sums.py").write_text(source)
    return folder


def points(grades):
    return {slug: results[0]["points"] for slug, results in outputs.students(grades, outputs.read_run(grades))}


def run(*words):
    return program.main([*map(str, words), "--exercises", str(COURSE), "--exercise", "sums"])


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("grade")
    a_class(folder / "in", ana=SOLUTION, bo=HALF, caio="x =")
    assert run("grade", folder / "in", "--out", folder / "out", "--jobs", 1, "--seed", "first") == 0
    return folder


def test_everyone_gets_the_points_of_the_tests_that_passed(graded):
    assert points(graded / "out") == {"ana": 14, "bo": 10, "caio": 0}


def test_all_that_is_promised_is_written(graded):
    names = ["gradebook.csv", "summary.html", "junit.xml", "feedback/ana.html", "review/bo.html"]
    names += ["gradescope/caio/results.json", "classroom/ana.json", "run.json"]
    assert [name for name in names if not (graded / "out" / name).is_file()] == []


def test_the_maximum_is_that_of_the_collected_tests_whatever_comes_of_them(graded):
    for _, (result,) in outputs.students(graded / "out", outputs.read_run(graded / "out")):
        assert result["max_points"] == sum(test["max_points"] for test in result["tests"]) == 14
        assert len(result["tests"]) == 5


def test_the_result_says_which_walls_stood(graded):
    _, (result,) = next(outputs.students(graded / "out", outputs.read_run(graded / "out")))
    assert result["walls"].startswith(("bubblewrap", "only limits"))


def test_nobody_is_graded_twice(graded):
    path = graded / "out/students/ana/sums.json"
    before = path.stat().st_mtime_ns
    assert run("grade", graded / "in", "--out", graded / "out") == 0
    assert path.stat().st_mtime_ns == before


def test_who_hands_in_something_else_is_graded_again(graded, tmp_path):
    shutil.copytree(graded, tmp_path / "copy")
    (tmp_path / "copy/in/bo/sums.py").write_text(SOLUTION)
    assert run("grade", tmp_path / "copy/in", "--out", tmp_path / "copy/out") == 0
    assert points(tmp_path / "copy/out") == {"ana": 14, "bo": 14, "caio": 0}


def test_options_for_ones_own_pytest_do_not_matter(graded, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "-n 2 --no-such-option")
    monkeypatch.setenv("PYTEST_PLUGINS", "no_such_plugin")
    grade(graded / "in", tmp_path / "out", [exercise.read(COURSE / "sums")], jobs=1)
    assert points(tmp_path / "out") == points(graded / "out")


def test_another_seed_gives_the_same_points(graded, tmp_path):
    grade(graded / "in", tmp_path / "out", [exercise.read(COURSE / "sums")], jobs=2, seed="second")
    assert points(tmp_path / "out") == points(graded / "out")


def test_a_replay_finds_the_same_points(graded, capsys):
    assert run("grade", graded / "in", "--out", graded / "out", "--replay", "bo") == 0
    assert "recorded 10, now 10" in capsys.readouterr().out


def test_a_replay_tells_of_grades_that_were_changed(graded, tmp_path, capsys):
    shutil.copytree(graded, tmp_path / "copy")
    path = tmp_path / "copy/out/students/bo/sums.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"points": 13.0}))
    assert run("grade", graded / "in", "--out", tmp_path / "copy/out", "--replay", "bo") == 1
    assert "recorded 13, now 10" in capsys.readouterr().out


def hear_ctrl_c():
    """What runs in a shell's background is deaf to it, and so are its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_a_grading_that_was_stopped_goes_on(tmp_path, end):
    a_class(tmp_path / "in", **{f"student{number}": SLOW for number in range(6)})
    words = [sys.executable, "-m", "vitkeras.grading", "grade", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    words += ["--jobs", "1", "--exercises", str(COURSE), "--exercise", "sums"]
    process = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, preexec_fn=hear_ctrl_c
    )
    done = tmp_path / "out/students"
    while process.poll() is None and len(list(done.glob("*/sums.json"))) < 2:
        time.sleep(0.05)
    process.send_signal(end)
    said = process.communicate()[1]
    first = {path: path.stat().st_mtime_ns for path in done.glob("*/sums.json")}
    assert 2 <= len(first) < 6
    if end == signal.SIGINT:
        assert process.returncode == 130
        assert "the same command goes on" in said
    assert subprocess.run(words, stdout=subprocess.DEVNULL).returncode == 0
    assert len(list(done.glob("*/sums.json"))) == 6
    assert {path: path.stat().st_mtime_ns for path in first} == first


def test_a_test_that_fails_before_it_begins_is_counted_and_named(tmp_path):
    course = copied_course(tmp_path)
    test = course / "for_instructors/sums/test_sums_hidden.py"
    test.write_text(
        "import pytest\n@pytest.fixture\ndef broken():\n    raise RuntimeError('no disk')\n"
        "@pytest.mark.points(5)\ndef test_one(broken): pass\n"
        "@pytest.mark.points(6)\ndef test_two():\n    pytest.skip('not today')\n"
        "@pytest.mark.xfail(reason='known')\n@pytest.mark.points(7)\ndef test_three(): assert False\n"
        "@pytest.mark.xfail(reason='known')\n@pytest.mark.points(8)\ndef test_four(): pass\n"
        "@pytest.fixture\ndef late():\n    yield\n    raise RuntimeError('at the end')\n"
        "@pytest.mark.points(9)\ndef test_five(late): pass\n"
    )
    a_class(tmp_path / "in", ana=SOLUTION)
    grade(tmp_path / "in", tmp_path / "out", [exercise.read(course / "sums")], jobs=1)
    _, (result,) = next(outputs.students(tmp_path / "out", outputs.read_run(tmp_path / "out")))
    assert (result["points"], result["max_points"]) == (3, 3 + 5 + 6 + 7 + 8 + 9)
    statuses = {test["name"]: test["status"] for test in result["tests"] if test["hidden"]}
    expected = {"test_one": "error", "test_two": "skipped", "test_three": "skipped", "test_four": "skipped"}
    assert statuses == expected | {"test_five": "error"}
    assert all(test["message"] for test in result["tests"] if test["hidden"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import pytest\n@pytest.mark.points(0)\ndef test_one(): pass\n", "points wants one number above 0"),
        ("import pytest\n@pytest.mark.points('2')\ndef test_one(): pass\n", "points wants one number above 0"),
        ("import there_is_no_such_module\n", "there_is_no_such_module"),
        ("import pytest\n@pytest.mark.pionts(2)\ndef test_one(): pass\n", "pionts"),
    ],
)
def test_a_mistake_in_the_tests_stops_the_grading_and_is_told(tmp_path, capsys, text, said):
    course = copied_course(tmp_path)
    (course / "for_instructors/sums/test_sums_hidden.py").write_text(text)
    a_class(tmp_path / "in", ana=SOLUTION)
    words = ["grade", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--exercises", str(course)]
    assert program.main([*words, "--exercise", "sums"]) == 1
    assert said in capsys.readouterr().err
    assert not list((tmp_path / "out").glob("students/*/*"))


def copied_course(tmp_path):
    return Path(shutil.copytree(COURSE, tmp_path / "course"))


def test_an_examiner_that_is_killed_is_replaced(tmp_path):
    a_class(tmp_path / "in", **{f"student{number}": SLOW for number in range(3)})
    killed = []

    class Watching(Silence):
        def done(self, *what, **more):
            if not killed:
                kill_examiner(killed)

    if not Path("/proc/self/cmdline").exists():
        pytest.skip("needs Linux's /proc")
    grade(tmp_path / "in", tmp_path / "out", [exercise.read(COURSE / "sums")], 1, progress=Watching())
    assert killed
    assert set(points(tmp_path / "out").values()) == {14}


def kill_examiner(killed):
    """Find the process that examines for us, and end it."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            parent = path.with_name("stat").read_text().rpartition(")")[2].split()[1]
            if parent == str(os.getpid()) and b"vitkeras.grading.examiner" in path.read_bytes():
                killed.append(path.parent.name)
                os.kill(int(path.parent.name), signal.SIGKILL)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_the_memory_of_an_examiner_does_not_grow_with_the_class(tmp_path):
    (tmp_path / "sums.py").write_text("print('x' * 100_000)\n" + SOLUTION)
    desk = Desk(exercise.read(COURSE / "sums"), 0)

    def kilobytes():
        lines = Path(f"/proc/{desk.process.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])

    try:
        desk.open()
        for number in range(60):
            assert sum(test["points"] for test in desk.examine({"sums.py": tmp_path / "sums.py"}, "a")["tests"]) == 14
            if number == 9:
                before = kilobytes()
        assert kilobytes() < before + 2000
    finally:
        desk.close()


def test_a_submission_that_ends_every_examiner_is_named_and_stops_nobody_else(tmp_path, monkeypatch):
    a_class(tmp_path / "in", ana=SOLUTION, bo="# deadly", caio=SOLUTION)
    examine = Desk.examine

    def examining(self, files, seed):
        if "deadly" in files["sums.py"].read_text():
            self.process.kill()
        return examine(self, files, seed)

    monkeypatch.setattr(Desk, "examine", examining)
    grade(tmp_path / "in", tmp_path / "out", [exercise.read(COURSE / "sums")], 1)
    results = {
        slug: result for slug, (result,) in outputs.students(tmp_path / "out", outputs.read_run(tmp_path / "out"))
    }
    assert [results[name]["points"] for name in ("ana", "bo", "caio")] == [14, 0, 14]
    assert results["bo"]["max_points"] == 14
    assert "looked at by hand" in results["bo"]["problem"]


def test_two_gradings_do_not_share_a_folder(graded, tmp_path):
    a_class(tmp_path / "in", **{f"student{number}": SLOW for number in range(4)})
    words = [sys.executable, "-m", "vitkeras.grading", "grade", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    words += ["--jobs", "1", "--exercises", str(COURSE), "--exercise", "sums"]
    first = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    while not (tmp_path / "out/run.json").exists():
        time.sleep(0.02)
    second = subprocess.run(words, capture_output=True, text=True)
    first.kill()
    first.wait()
    assert second.returncode == 2
    assert "another process is grading" in second.stderr


def test_a_second_delivery_joins_the_first(tmp_path):
    a_class(tmp_path / "in", ana=SOLUTION)
    a_class(tmp_path / "late", bo=HALF)
    for delivery in ("in", "late"):
        assert run("grade", tmp_path / delivery, "--out", tmp_path / "out") == 0
    assert points(tmp_path / "out") == {"ana": 14, "bo": 10}
    rows = (tmp_path / "out/gradebook.csv").read_text(encoding="utf-8-sig").splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == ["ana", "bo"]


def test_a_late_delivery_takes_nothing_away(tmp_path):
    a_class(tmp_path / "in", ana=SOLUTION)
    assert run("grade", tmp_path / "in", "--out", tmp_path / "out") == 0
    path = tmp_path / "out/students/ana/sums.json"
    before = path.read_text()
    (tmp_path / "late/ana").mkdir(parents=True)
    (tmp_path / "late/ana/notes.txt").write_text("sums.py came in time")
    assert run("grade", tmp_path / "late", "--out", tmp_path / "out") == 0
    assert path.read_text() == before
    assert points(tmp_path / "out") == {"ana": 14}


def test_another_submission_replaces_the_earlier_one_and_says_so(tmp_path):
    a_class(tmp_path / "in", ana=SOLUTION)
    a_class(tmp_path / "late", ana=HALF)
    for delivery in ("in", "late"):
        assert run("grade", tmp_path / delivery, "--out", tmp_path / "out") == 0
    _, (result,) = next(outputs.students(tmp_path / "out", outputs.read_run(tmp_path / "out")))
    assert result["points"] == 10
    assert "an earlier submission had 14 points; this one counts" in result["notes"]


def test_an_exercise_that_nobody_handed_in_is_left_out_unless_asked_for(tmp_path, capsys):
    a_class(tmp_path / "in", ana=SOLUTION)
    words = ["grade", str(tmp_path / "in"), "--exercises", str(COURSE)]
    assert program.main([*words, "--out", str(tmp_path / "out")]) == 0
    assert "networks: nobody handed in" in capsys.readouterr().out
    assert [one["name"] for one in outputs.read_run(tmp_path / "out")["exercises"]] == ["sums"]


def test_three_late_calls_are_enough(tmp_path):
    a_class(tmp_path / "in", ana="def double(array):\n    while True: pass\ndef total(array): return double(array)\n")
    course = copied_course(tmp_path)
    grade(tmp_path / "in", tmp_path / "out", [exercise.read(course / "sums")], 1)
    _, (result,) = next(outputs.students(tmp_path / "out", outputs.read_run(tmp_path / "out")))
    assert [test["status"] for test in result["tests"]] == ["late"] * 5


def test_a_lone_file_counts_however_many_exercises_are_graded_later(tmp_path):
    (tmp_path / "in/ana").mkdir(parents=True)
    (tmp_path / "in/ana/homework.py").write_text(SOLUTION)
    course = copied_course(tmp_path)
    shutil.copytree(course / "sums", course / "more")
    shutil.copytree(course / "for_instructors/sums", course / "for_instructors/more")
    names = ["sums", "more"]
    grade(tmp_path / "in", tmp_path / "out", [exercise.read(course / "sums")], 1)
    grade(tmp_path / "in", tmp_path / "out", [exercise.read(course / name) for name in names], 1)
    _, results = next(outputs.students(tmp_path / "out", outputs.read_run(tmp_path / "out")))
    assert {result["exercise"]: result["points"] for result in results} == {"more": 0, "sums": 14}


def test_a_renamed_exercise_is_counted_once(tmp_path):
    course = copied_course(tmp_path)
    a_class(tmp_path / "in", ana=SOLUTION)
    grade(tmp_path / "in", tmp_path / "out", [exercise.read(course / "sums")], 1)
    (course / "sums").rename(course / "additions")
    (course / "for_instructors/sums").rename(course / "for_instructors/additions")
    grade(tmp_path / "in", tmp_path / "out", [exercise.read(course / "additions")], 1)
    assert [one["name"] for one in outputs.read_run(tmp_path / "out")["exercises"]] == ["additions"]


def test_pictures_of_one_student_do_not_reach_another(tmp_path):
    course = copied_course(tmp_path)
    (course / "for_instructors/sums/test_sums_hidden.py").write_text(
        "import numpy as np\nimport pytest\n"
        "@pytest.fixture\ndef answer(student): return student.double(np.ones(3))\n"
        "def test_it(answer, picture): picture('mine', np.ones((3, 3)))\n"
    )
    a_class(tmp_path / "in", ana=SOLUTION, bo="def double(array): raise ValueError")
    grade(tmp_path / "in", tmp_path / "out", [exercise.read(course / "sums")], 1)
    ana, bo = (result for _, (result,) in outputs.students(tmp_path / "out", outputs.read_run(tmp_path / "out")))
    assert len(ana["tests"][-1]["pictures"]) == 1
    assert bo["tests"][-1]["pictures"] == []


def test_again_grades_what_has_been_graded(graded, tmp_path):
    shutil.copytree(graded, tmp_path / "copy")
    path = tmp_path / "copy/out/students/ana/sums.json"
    before = path.stat().st_mtime_ns
    assert run("grade", tmp_path / "copy/in", "--out", tmp_path / "copy/out", "--again") == 0
    assert path.stat().st_mtime_ns != before


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('["sums.py"]', '"sums.py"', "files should be a list"),
        ('["sums.py"]', "[]", "first of files"),
        ('["sums.py"]', '["../sums.py"]', "without folders"),
        ('["numpy"]', '["numpi"]', "numpi"),
        ("memory_mb = 600", 'memory_mb = "600"', "memory_mb"),
        ("order = 1", "", "no order"),
        ("order = 1", "ordre = 1", "ordre"),
        ("order = 1", "order = ", "line"),
    ],
)
def test_a_mistake_in_a_description_is_told(tmp_path, old, new, said):
    path = copied_course(tmp_path) / "sums/exercise.toml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(Misuse, match=said):
        exercise.read(path.parent)


def test_wrong_use_is_told_in_one_line(tmp_path, graded, capsys):
    assert run("grade", tmp_path / "nowhere", "--out", tmp_path / "out") == 2
    assert program.main(["grade", str(graded / "in"), "--out", str(graded / "in")]) == 2
    assert run("grade", graded / "in", "--out", graded / "out", "--seed", "another") == 2
    assert program.main(["grade", str(graded / "in"), "--out", str(tmp_path / "o"), "--exercise", "nothing"]) == 2
    assert run("grade", graded / "in", "--out", graded / "in/grades") == 2
    assert run("grade", tmp_path / "nowhere", "--out", tmp_path / "o", "--single", "Ana") == 2
    assert run("grade", graded / "in/ana/sums.py", "--out", tmp_path / "o") == 2
    assert run("grade", graded / "in", "--out", graded / "out", "--replay", "--seed", "x") == 2
    assert run("grade", graded / "in", "--out", tmp_path / "empty", "--replay") == 2
    assert "Traceback" not in capsys.readouterr().err
    with pytest.raises(Misuse):
        exercise.read_all(tmp_path)
