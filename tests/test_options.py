import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from vitkeras.errors import Misuse, Problem
from vitkeras.options import Count, lesson_options, spoken

TR02C = Path(__file__).parents[1] / "lessons" / "tr02c.py"


@pytest.fixture
def options(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def read(*words):
        monkeypatch.setattr(sys, "argv", ["tr02c.py", *words])
        monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # put back afterwards
        return lesson_options("tr02c", "A lesson.", epochs=60, quick_epochs=2, attention=("mine", "keras"))

    return read


def test_defaults_are_the_lessons(options):
    found = options()
    assert (found.epochs, found.attention, found.precision, found.seed, found.device) == (
        60,
        "mine",
        "float32",
        1,
        "auto",
    )
    assert found.out == Path("runs", "tr02c")


def test_quick_shortens_unless_epochs_are_said(options):
    assert options("--quick").epochs == 2
    assert options("--quick", "--epochs", "7").epochs == 7


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--epochs", "0"], "whole number from 1 to"),
        (["--epochs", "many"], "'many'"),
        (["--seed", "-1"], "whole number from 0 to"),
        (["--attention", "hers"], "mine"),
        (["--precision", "int8"], "bfloat16"),
        (["--colour", "red"], "--colour"),
        (["stray"], "stray"),
    ],
)
def test_a_wrong_word_ends_with_2_and_says_what_is_known(options, words, hint, capsys):
    with pytest.raises(SystemExit) as end:
        options(*words)
    assert end.value.code == 2
    assert hint in capsys.readouterr().err


def test_lessons_refuse_a_backend_that_they_do_not_train_on(options, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with pytest.raises(Misuse, match="'jax'"):
        options()


def leave_a_run(folder, lesson="tr02c", age=0, **options):
    Path(folder).mkdir(parents=True)
    file = Path(folder, "run.json")
    file.write_text(json.dumps({"lesson": lesson, "options": options, "settings": {}}))
    os.utime(file, (1e9 - age, 1e9 - age))


def test_without_out_each_run_gets_a_folder_of_its_own(options):
    leave_a_run("runs/tr02c")
    assert options().out == Path("runs", "tr02c-2")
    leave_a_run("runs/tr02c-2")
    assert options().out == Path("runs", "tr02c-3")


def test_a_run_is_never_overwritten(options):
    leave_a_run("mine")
    with pytest.raises(Misuse, match=r"holds a run already.*--resume.*--out"):
        options("--out", "mine")


def test_resume_takes_the_newest_of_the_counted_runs_and_no_other(options):
    leave_a_run("runs/tr02c", age=30)
    leave_a_run("runs/tr02c-2", age=20)
    leave_a_run("runs/tr02c-with-cifar", age=10)
    assert options("--resume").out == Path("runs", "tr02c-2")


def test_a_resumed_run_takes_over_its_options_unless_they_are_said_again(options):
    leave_a_run("mine", epochs=7, seed=5, data="drawn", quick=True, attention="keras")
    found = options("--resume", "--out", "mine")
    assert (found.epochs, found.seed, found.data, found.quick, found.attention) == (7, 5, "drawn", True, "keras")
    assert options("--resume", "--out", "mine", "--epochs", "9").epochs == 9


def test_an_option_that_was_tampered_with_is_refused_like_any_other(options, capsys):
    leave_a_run("mine", attention="hers")
    with pytest.raises(SystemExit):
        options("--resume", "--out", "mine")
    assert "'hers'" in capsys.readouterr().err


def test_nothing_to_resume_is_wrong_use(options):
    for words in ([], ["--out", "nowhere"]):
        with pytest.raises(Misuse, match=r"no run.*run\.json"):
            options("--resume", *words)


def test_a_run_of_another_lesson_is_refused(options):
    leave_a_run("mine", lesson="tr03")
    with pytest.raises(Misuse, match="'tr03', not of 'tr02c'"):
        options("--resume", "--out", "mine")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"options": 1, "settings": {}}'])
def test_a_damaged_record_is_named(options, text):
    leave_a_run("mine")
    Path("mine", "run.json").write_text(text)
    with pytest.raises(Problem, match=r"run\.json is damaged") as found:
        options("--resume", "--out", "mine")
    assert found.value.exit_code == 1


@pytest.mark.parametrize(
    "command", [["-m", "vitkeras.datasets"], ["-m", "vitkeras.benchmark"], ["-m", "vitkeras.lessons"], [str(TR02C)]]
)
def test_help_is_answered_before_anything_heavy_is_loaded(command):
    heavy = ("tensorflow", "keras", "jax", "matplotlib", "rich")
    done = subprocess.run([sys.executable, "-X", "importtime", *command, "--help"], capture_output=True, text=True)
    loaded = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert done.returncode == 0
    assert not loaded & set(heavy)


@pytest.fixture
def own_options(monkeypatch, tmp_path):
    """A lesson that trains nothing, with a number and a path of its own."""
    monkeypatch.chdir(tmp_path)

    def read(*words):
        monkeypatch.setattr(sys, "argv", ["lesson.py", *words])
        monkeypatch.setattr(sys, "excepthook", sys.excepthook)
        return lesson_options("lesson", "A lesson.", seeds=Count(5, least=2), model="a trained model")

    return read


def test_a_lesson_may_ask_for_a_number_and_for_a_file(own_options):
    assert (own_options().seeds, own_options().model) == (5, None)
    found = own_options("--seeds", "3", "--model", "runs/tr02c/model.keras")
    assert (found.seeds, found.model) == (3, "runs/tr02c/model.keras")


def test_a_number_below_the_least_is_refused(own_options, capsys):
    with pytest.raises(SystemExit) as end:
        own_options("--seeds", "1")
    assert end.value.code == 2
    assert "a whole number from 2" in capsys.readouterr().err


def test_a_lesson_that_trains_nothing_says_what_becomes_of_epochs(own_options, capsys):
    assert own_options("--epochs", "3").epochs is None
    assert "nothing is trained" in capsys.readouterr().out


def test_in_a_notebook_the_options_come_from_the_environment(own_options, monkeypatch):
    shell = SimpleNamespace(set_custom_exc=lambda kinds, handler: None)
    monkeypatch.setitem(sys.modules, "ipykernel", object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setenv("VITKERAS_OPTIONS", "--seeds 4 --model 'my model.keras'")
    found = own_options("-f", "kernel.json")
    assert (found.seeds, found.model) == (4, "my model.keras")
    monkeypatch.setenv("VITKERAS_OPTIONS", "--colour red")
    with pytest.raises(Misuse, match="--colour red.*VITKERAS_OPTIONS"):
        own_options()


def test_the_command_to_go_on_with_names_the_script_as_it_was_called(options, monkeypatch, tmp_path):
    assert options().resume_command.startswith("python lessons/tr02c.py --resume")  # no script of that name is here
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "tr02c.py").write_text("")
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "copy" / "tr02c.py")])
    command = lesson_options("tr02c", "A lesson.", epochs=1).command
    assert command == spoken(["python", str(Path("copy", "tr02c.py"))])
    monkeypatch.chdir(tmp_path / "copy")
    monkeypatch.setattr(sys, "argv", [str(Path("..", "copy", "tr02c.py"))])
    assert Path(lesson_options("tr02c", "A lesson.", epochs=1).command.split()[1]).is_file()
