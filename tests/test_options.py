import subprocess
import sys

import pytest

from vitkeras.options import lesson_options


@pytest.fixture
def options(monkeypatch):
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
    assert str(found.out) == "runs/tr02c".replace("/", "\\" if sys.platform == "win32" else "/")
    assert not found.own_folder


def test_quick_shortens_unless_epochs_are_said(options):
    assert options("--quick").epochs == 2
    assert options("--quick", "--epochs", "7").epochs == 7


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--epochs", "0"], "whole number from 1 on"),
        (["--epochs", "many"], "'many'"),
        (["--seed", "-1"], "whole number from 0 on"),
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


@pytest.mark.parametrize("command", [["-m", "vitkeras.datasets", "--help"], ["-m", "vitkeras.benchmark", "--help"]])
def test_help_is_answered_before_anything_heavy_is_loaded(command):
    heavy = ("tensorflow", "keras", "jax", "matplotlib", "rich")
    done = subprocess.run([sys.executable, "-X", "importtime", *command], capture_output=True, text=True)
    loaded = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert done.returncode == 0
    assert not loaded & set(heavy)
