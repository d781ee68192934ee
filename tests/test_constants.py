"""Constants of a lesson, set from outside: whatever is worked out of them follows."""

import runpy
import sys
from types import SimpleNamespace

import pytest

from vitkeras import constants
from vitkeras.errors import Misuse

SCRIPT = """
from vitkeras.options import lesson_options
PATCH_SIZE = 7  # P
WIDTH = 64
MLP_UNITS = (2 * WIDTH, WIDTH)
ACROSS, DOWN = 3, 4
RATE = 0.1
NAMES = ["a"]
NAMES += [str(WIDTH)]
small = 3
options = lesson_options("x", __doc__)
AFTER = 5
"""


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "x.py"
    path.write_text(SCRIPT)
    names = {"lesson_options": lambda *words: None}
    return SimpleNamespace(__file__=str(path), **names, PATCH_SIZE=7, WIDTH=64, MLP_UNITS=(128, 64), ACROSS=3, DOWN=4,
                           RATE=0.1, NAMES=["a", "64"], __doc__="")  # fmt: skip


def test_what_is_worked_out_of_a_constant_follows_it(script):
    constants.put(script, ["width=32", "rate=1", "down=9"])
    assert (script.WIDTH, script.MLP_UNITS, script.NAMES) == (32, (64, 32), ["a", "32"])
    assert (script.RATE, script.ACROSS, script.DOWN, script.PATCH_SIZE) == (1, 3, 9, 7)


def test_one_that_is_worked_out_can_be_set_by_itself(script):
    constants.put(script, ["mlp_units=(8, 64)"])
    assert (script.WIDTH, script.MLP_UNITS) == (64, (8, 64))


def test_they_are_read_without_running_the_script(script):
    found = constants.read(script.__file__)
    assert found["patch_size"] == 7
    assert found["mlp_units"] is constants.WORKED_OUT
    assert "after" not in found
    assert "small" not in found


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("patch_siz=4", "Did you mean patch_size"),
        ("patch_size=4.5", "another kind"),
        ("patch_size=True", "another kind"),
        ("mlp_units=3", "another kind"),
        ("patch_size", "NAME=VALUE"),
        ("patch_size=", "NAME=VALUE"),
        ("zzz=1", "It has"),
    ],
)
def test_what_cannot_be_meant_is_refused(script, text, hint):
    with pytest.raises(Misuse, match=hint):
        constants.put(script, [text])


def test_a_lesson_takes_it_from_the_command_line(tmp_path, monkeypatch, capsys):
    path = tmp_path / "lesson.py"
    path.write_text('"""x"""\n' + SCRIPT.replace('"x"', '"lesson"') + "print(WIDTH, MLP_UNITS, options.kept['set'])\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(sys, "argv", [str(path), "--set", "width=8", "--set", "width=16"])
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out.splitlines() == ["set: width=16", "16 (32, 16) ['width=16']"]
