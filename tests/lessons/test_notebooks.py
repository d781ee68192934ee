"""Notebooks made of lessons: the same code, and they run from top to bottom in Jupyter."""

import ast
import builtins
import json
import os
import re
from pathlib import Path

import pytest

from vitkeras.errors import Misuse
from vitkeras.lessons import catalogue, notebooks

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")

LESSONS = catalogue.lessons_in(Path(__file__).parents[2] / "lessons")
LESSON = '''"""01_small: x * *y* of __doc__ and `__doc__`

    y = W x      in columns

Run:     python lessons/01_small.py            as it is
         python lessons/01_small.py --quick    on a few images

Expect:  a number,
         namely 3
"""

# %% Equation 1: z = [x_class; x_p] + E = 3
# The first line
# and *the second*:
#
#     z = x      (16, 64)

# copy this, it stays with its code
x = 1

# %% Training. It takes long.
if x:
    # %matplotlib is no command here
    print("# no comment")

# %% Questions to think about
# 1. What if
#    it goes on?
# 2. And 2 * 3?
'''


@pytest.fixture
def small(tmp_path):
    script = tmp_path / "01_small.py"
    script.write_text(LESSON, encoding="utf-8")
    return catalogue.Lesson(script)


def built(lesson, folder):
    assert notebooks.build([lesson], folder) == 0
    notebook = nbformat.read(folder / f"{lesson.name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    return notebook


def test_text_becomes_markdown_and_code_stays_code(small, tmp_path):
    cells = [(cell.cell_type, cell.source) for cell in built(small, tmp_path / "out").cells]
    assert cells[0] == (
        "markdown",
        "# 01_small: x * \\*y\\* of \\_\\_doc\\_\\_ and `__doc__`\n\n"
        "```text\n    y = W x      in columns\n```\n\n"
        "**Run** (as a script, in a terminal):\n```bash\n"
        "python lessons/01_small.py            # as it is\n"
        "python lessons/01_small.py --quick    # on a few images\n```\n\n"
        "**Expect:**\na number,\nnamely 3",
    )
    assert cells[1][0] == "markdown"
    assert cells[2:] == [
        ("code", "%env VITKERAS_OPTIONS=--quick"),
        ("markdown", "## Equation 1: z = [x_class; x_p] + E = 3\n\nThe first line\nand \\*the second\\*:\n\n"
                     "```text\n    z = x      (16, 64)\n```"),
        ("code", "# copy this, it stays with its code\nx = 1"),
        ("markdown", "## Training\n\nIt takes long."),
        ("code", 'if x:\n    # %matplotlib is no command here\n    print("# no comment")'),
        ("markdown", "## Questions to think about\n\n1. What if\n   it goes on?\n2. And 2 * 3?"),
    ]  # fmt: skip


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_the_code_of_a_notebook_is_that_of_its_lesson_statement_for_statement(lesson, tmp_path):
    notebook = built(lesson, tmp_path)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code" and not cell.source.startswith("%env")]
    script = lesson.path.read_text(encoding="utf-8")
    assert ast.dump(ast.parse("\n".join(code))) == ast.dump(ast.Module(ast.parse(script).body[1:], []))
    headings = [line for cell in notebook.cells if cell.cell_type == "markdown" for line in cell.source.split("\n")]
    headings = [line for line in headings if line.startswith("## ")]
    assert len(headings) == 1 + len(re.findall("^# %% ", script, re.MULTILINE))


def test_a_notebook_is_the_same_whenever_and_wherever_it_is_built(small, tmp_path):
    notebooks.build([small], tmp_path / "one")
    notebooks.build([small], tmp_path / "two")
    one, two = ((tmp_path / folder / "01_small.ipynb").read_bytes() for folder in ("one", "two"))
    assert one == two
    assert str(tmp_path).encode() not in one
    assert json.loads(one)["metadata"]["kernelspec"]["name"] == "python3"


def test_a_notebook_that_is_there_is_not_replaced_unless_asked(small, tmp_path):
    mine = tmp_path / "01_small.ipynb"
    mine.write_text("my work")
    other = catalogue.Lesson(small.path.rename(tmp_path / "00_other.py"))
    small.path.write_text(LESSON, encoding="utf-8")
    with pytest.raises(Misuse, match=r"01_small\.ipynb.*--force"):
        notebooks.build([other, small], tmp_path)
    assert mine.read_text() == "my work"
    assert not (tmp_path / "00_other.ipynb").exists()
    notebooks.build([other, small], tmp_path, force=True)
    assert nbformat.read(mine, as_version=4).cells


def test_without_jupytext_one_line_says_how_to_get_it(small, tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *more, **other):
        if name == "jupytext":
            raise ImportError(name)
        return real(name, *more, **other)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(Misuse, match=r'not installed: pip install -e "\.\[notebooks\]"'):
        notebooks.build([small], tmp_path)


# In Jupyter


@pytest.fixture
def execute(monkeypatch):
    """Run a notebook, with other options in the cell that is there for them; False if a cell failed."""

    def run(notebook, folder, options):
        monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")  # the kernel of this environment, not of the home folder
        monkeypatch.setenv("IPYTHONDIR", str(folder / "ipython"))
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
            monkeypatch.setenv(name, str(folder / "jupyter"))
        (setting,) = (cell for cell in notebook.cells if cell.source.startswith("%env"))
        setting.source = f"%env VITKERAS_OPTIONS={options}"
        client = nbclient.NotebookClient(notebook, resources={"metadata": {"path": str(folder)}})
        try:
            client.execute()
        except nbclient.exceptions.CellExecutionError:
            return False
        return True

    return run


def outputs(notebook, kind):
    return [output for cell in notebook.cells for output in cell.get("outputs", []) if output.output_type == kind]


def said(notebook, stream):
    return "".join(output.text for output in outputs(notebook, "stream") if output.name == stream)


@pytest.mark.parametrize("name", list(dict.fromkeys([LESSONS[0].name, "tr02c"])))
def test_a_notebook_runs_from_top_to_bottom_and_shows_its_pictures(name, tmp_path, execute, record_of):
    (lesson,) = catalogue.choose(LESSONS, [name])
    notebook = built(lesson, tmp_path)
    assert execute(notebook, tmp_path, "--quick --data drawn"), said(notebook, "stderr")
    folder = tmp_path / "runs" / name
    assert said(notebook, "stdout").splitlines()[-1] == record_of(folder)["results"]["answer"]
    pictures = [output for output in outputs(notebook, "display_data") if "image/png" in output.data]
    assert len(pictures) == len(list(folder.glob("*.png"))) > 0
    assert said(notebook, "stderr") == ""


def test_a_problem_in_a_notebook_is_one_message_and_stops_it(tmp_path, execute):
    notebook = built(next(lesson for lesson in LESSONS if lesson.name == "tr02c"), tmp_path)
    assert not execute(notebook, tmp_path, "--data no-such-folder")
    assert said(notebook, "stderr").startswith("error: There is no no-such-folder")
    assert outputs(notebook, "error") == []
    assert not os.path.exists(tmp_path / "runs")
