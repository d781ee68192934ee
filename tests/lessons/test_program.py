"""python -m vitkeras.lessons, on a course of small scripts; and the form that every real lesson has."""

import ast
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import vitkeras
from vitkeras.errors import Misuse
from vitkeras.lessons import catalogue

PACKAGE = Path(vitkeras.__file__).parent
TESTS = Path(__file__).parent
LESSONS = catalogue.lessons_in(TESTS.parents[1] / "lessons")

SCRIPTS = {
    "01_first": "print('shapes')\nprint('The answer is 42, told', *sys.argv[1:])",
    "02_wrong": "print('shapes')\nprint('error: no such [thing]', file=sys.stderr)\nsys.exit(1)",
    "03_waits": "time.sleep(60)",
    "05_after": "print('é: it is 5')",
    "tr02c": "print('it is P')",
    "05_before_tr02c_by_name": "print('it is 5, too')",
    "helper": "raise SystemExit('not a lesson')",
}
BEGINNING = '"""{name}: the idea of [{name}]\n\nRun:     python lessons/{name}.py\n"""\n\nimport sys, time\n'


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The package as a wheel would install it: without the project around it."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(PACKAGE, folder / "vitkeras", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture
def course(tmp_path, site):
    """A folder with `lessons/`, and `course.program(...)`, a process of the program that was started there."""

    class Course:
        folder = tmp_path
        lessons = tmp_path / "lessons"
        logs = tmp_path / "runs" / "lessons-log"

        def add(self, name, code):
            self.lessons.mkdir(exist_ok=True)
            (self.lessons / f"{name}.py").write_text(BEGINNING.format(name=name) + code, encoding="utf-8")

        def start(self, *words, **more):
            environment = os.environ | {"PYTHONPATH": str(site), "PYTHONIOENCODING": "utf-8", "COLUMNS": "120"}
            return subprocess.Popen(
                [sys.executable, *more.pop("python", ()), "-m", "vitkeras.lessons", *words],
                cwd=tmp_path,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                **more,
            )

        def program(self, *words, **more):
            process = self.start(*words, **more)
            out, err = process.communicate(timeout=120)
            assert "Traceback" not in err
            return process.returncode, out, err

    course = Course()
    for name, code in SCRIPTS.items():
        course.add(name, code)
    return course


# The list


def test_the_list_is_in_the_courses_order_with_tr02c_first_in_lesson_5(course):
    found = [lesson.name for lesson in catalogue.lessons_in(course.lessons)]
    assert found == ["01_first", "02_wrong", "03_waits", "tr02c", "05_after", "05_before_tr02c_by_name"]


def test_the_list_tells_the_idea_of_each_and_loads_nothing_heavy(course):
    code, out, err = course.program(python=["-X", "importtime"])
    assert code == 0
    for name in SCRIPTS:
        assert (f"the idea of [{name}]" in out) == (name != "helper")
    assert f"python {Path('lessons', '01_first.py')} " in out
    loaded = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in err.splitlines() if "|" in line}
    assert "rich" in loaded
    assert not loaded & {"tensorflow", "keras", "jax", "matplotlib", "numpy"}


def test_a_script_that_is_broken_is_listed_as_such(course):
    course.add("04_broken", "if")
    (course.lessons / "06_noise.py").write_bytes(b"\xff\x00")
    code, out, _ = course.program()
    assert code == 0
    assert out.count("cannot be read") == 2
    assert "the idea of [05_after]" in out


def test_without_lessons_one_line_says_where_they_are(course):
    shutil.rmtree(course.lessons)
    for words in ([], ["run", "all"], ["notebooks", "out"]):
        code, out, err = course.program(*words)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "a checkout of the project" in err


def test_in_a_checkout_the_lessons_are_its_own_wherever_one_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert catalogue.find() == LESSONS


# Names


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["1"], ["01_first"]), (["01"], ["01_first"]), (["01_first"], ["01_first"]), (["first"], ["01_first"]),
        (["lessons/01_first.py"], ["01_first"]), (["wait"], ["03_waits"]), (["tr02c"], ["tr02c"]),
        (["5"], ["tr02c", "05_after", "05_before_tr02c_by_name"]), (["3", "01", "first"], ["03_waits", "01_first"]),
    ],
)  # fmt: skip
def test_a_lesson_is_named_by_number_name_or_part(course, names, chosen):
    assert [lesson.name for lesson in catalogue.choose(catalogue.lessons_in(course.lessons), names)] == chosen


@pytest.mark.parametrize(("name", "hint"), [("4", "tr02c"), ("0", "tr02c"), ("", "tr02c"), ("fourth", "01_first")])
def test_an_unknown_name_is_answered_with_the_known_ones(course, name, hint):
    with pytest.raises(Misuse, match=f"no lesson '{name}'.*{hint}"):
        catalogue.choose(catalogue.lessons_in(course.lessons), ["1", name])


def test_a_part_that_several_names_have_is_not_guessed(course):
    with pytest.raises(Misuse, match="02_wrong or 03_waits"):
        catalogue.choose([lesson for lesson in catalogue.lessons_in(course.lessons) if lesson.number < "05"], ["w"])


@pytest.mark.parametrize(
    "words",
    [["run"], ["run", "unknown"], ["run", "1", "--jobs", "0"], ["walk"], ["--", "--quick"], ["notebooks"],
     ["notebooks", "out", "unknown"], ["run", "1", "--epochs", "3"]],
)  # fmt: skip
def test_wrong_use_ends_with_2(course, words):
    code, _, err = course.program(*words)
    assert code == 2
    assert "error: " in err


# Running


@pytest.mark.parametrize(
    ("words", "told"),
    [([], " --quick"), (["--full"], ""), (["--full", "--", "--epochs", "3"], " --epochs 3"),
     (["--", "--", "x"], " --quick -- x")],
)  # fmt: skip
def test_one_lesson_is_quick_unless_full_and_its_output_is_shown(course, words, told):
    assert course.program("run", "1", *words) == (0, f"shapes\nThe answer is 42, told{told}\n", "")


def test_the_exit_code_of_one_lesson_is_its_own(course):
    course.add("07_misuse", "sys.exit(2)")
    assert course.program("run", "wrong") == (1, "shapes\n", "error: no such [thing]\n")
    assert course.program("run", "7")[0] == 2


def test_of_several_the_answers_are_shown_and_a_failing_one_does_not_stop_the_others(course):
    code, out, _ = course.program("run", "1", "2", "5", "--", "--seed", "7")
    assert code == 1
    lines = out.splitlines()
    assert re.match(r"01_first +\d+\.\d s  The answer is 42, told --quick --seed 7$", lines[0])
    assert re.match(r"02_wrong +\d+\.\d s  FAILED", lines[1])
    assert re.match(r"05_after +\d+\.\d s  é: it is 5$", lines[3])
    assert any("02_wrong" in line and "error: no such [thing]" in line for line in lines[5:])
    assert lines[-1].startswith("4 of 5 lessons")
    assert (course.logs / "01_first.txt").read_text().splitlines()[0] == "shapes"
    assert [file.name for file in course.logs.glob("*-errors.txt")] == ["02_wrong-errors.txt"]


def test_all_that_run_to_their_end_make_a_success(course):
    for name in ("02_wrong", "03_waits"):
        (course.lessons / f"{name}.py").unlink()
    code, out, _ = course.program("run", "all")
    assert (code, out.splitlines()[-1][:18]) == (0, "4 of 4 lessons ran")


def test_two_jobs_run_two_at_a_time(course):
    meet = "import pathlib\npathlib.Path('{}').touch()\nwhile not pathlib.Path('{}').exists(): time.sleep(0.01)"
    course.add("08_meets", meet.format("eight", "nine"))
    course.add("09_meets_too", meet.format("nine", "eight"))
    assert course.program("run", "8", "9", "--jobs", "2")[0] == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no groups of processes to send Ctrl-C to")
@pytest.mark.parametrize("to_all", [True, False], ids=["from a terminal", "to the program alone"])
def test_ctrl_c_stops_the_lessons_and_says_what_finished(course, to_all):
    course.add("03_waits", "print(__import__('os').getpid())\ntime.sleep(60)")
    # A job in the background is born deaf to Ctrl-C: the program and its lessons are given their ears back.
    process = course.start(
        "run", "1", "2", "3", "5", start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    said = course.logs / "03_waits.txt"
    while not (said.exists() and said.read_text().strip()):
        assert process.poll() is None
        time.sleep(0.05)
    (os.killpg if to_all else os.kill)(process.pid, signal.SIGINT)
    if not to_all:
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)  # pressed again, for no lesson heard the first
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "finished: 01_first; failed: 02_wrong; not finished: 03_waits, tr02c, 05_after" in err
    with pytest.raises(ProcessLookupError):
        os.kill(int(said.read_text()), 0)


def test_output_that_cannot_be_kept_is_told(course):
    (course.folder / "runs").touch()
    code, _, err = course.program("run", "1", "2")
    assert (code, err.count("\n")) == (1, 1)
    assert "lessons-log" in err


# The form of the real lessons


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_every_lesson_is_run_by_a_test_file_of_its_own(lesson):
    test = TESTS / f"test_{lesson.name}.py"
    assert test.exists()
    text = test.read_text(encoding="utf-8")
    assert re.search(rf'run_lesson[(,]\s*"{lesson.name}"', text)
    assert "--quick" in text


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_every_lesson_has_the_form_of_a_lesson(lesson):
    text = lesson.path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    docstring = ast.get_docstring(tree)
    assert docstring.startswith(f"{lesson.name}: ")
    assert re.search(rf"^Run:     python lessons/{lesson.name}\.py( |$)", docstring, re.MULTILINE)
    assert re.search(r"^Expect:  \S", docstring, re.MULTILINE)
    assert len(re.findall(r"^# %% \S", text, re.MULTILINE)) >= 4
    assert lesson.name == "tr02c" or re.search(r"^# %% Questions to think about$\n# 1\. \S", text, re.MULTILINE)
    last = tree.body[-1].value
    assert ast.unparse(last.func) == "run.finish"
    assert "answer" in [keyword.arg for keyword in last.keywords]
    assert "if __name__" not in text
