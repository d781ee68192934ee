"""Notebooks made of lessons: the text becomes Markdown, the code stays as it is."""

import ast
import itertools
import re
from pathlib import Path

from vitkeras.errors import Misuse, Problem
from vitkeras.files import written_whole

INSTALL = 'pip install -e ".[notebooks]"'
PERCENT = {"extension": ".py", "format_name": "percent", "comment_magics": False}  # "# copy the weights" is no command
HEADLINE = re.compile(r"^# %% *(.*)$", re.MULTILINE)
PYTHON = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
OPTIONS = """\
## Options
What a script is told on its command line, a notebook is told here. `--quick` does all of it on a few images: to see
that it runs, not how good it is. Take it away for the real thing (`%env VITKERAS_OPTIONS=`), or say more
(`%env VITKERAS_OPTIONS=--quick --seed 2`). Then restart the kernel and run all cells."""
SET_OPTIONS = "%env VITKERAS_OPTIONS=--quick"


def build(lessons, folder, force=False):
    """Write `NAME.ipynb` for each lesson, and return the exit code. Nothing is written if one is there already."""
    try:
        import jupytext
        import nbformat
    except ImportError:
        raise Misuse(f"Notebooks are made with jupytext, which is not installed: {INSTALL}") from None
    files = {lesson: Path(folder, f"{lesson.name}.ipynb") for lesson in lessons}
    there = [str(file) for file in files.values() if file.exists()]
    if there and not force:
        raise Misuse(
            f"There already, and perhaps worked on: {', '.join(there)}. Choose another folder, or replace with --force."
        )
    written = {}
    for lesson, file in files.items():
        notebook = nbformat.v4.new_notebook(metadata=PYTHON, cells=list(cells_of(lesson, jupytext, nbformat.v4)))
        for number, cell in enumerate(notebook.cells):
            cell["id"] = f"cell-{number}"  # else a random one, and the same lesson would give another file each time
        written[file] = nbformat.writes(notebook) + "\n"
    for file, text in written.items():
        with written_whole(file) as path:
            path.write_text(text, encoding="utf-8", newline="\n")
        print(f"notebook: {file}")
    return 0


def cells_of(lesson, jupytext, v4):
    try:
        script = lesson.path.read_text(encoding="utf-8")
        docstring = ast.get_docstring(ast.parse(script)) or lesson.name
    except (SyntaxError, ValueError, OSError) as fault:
        raise Problem(f"{lesson.path} cannot be made a notebook: {fault}.") from fault
    # jupytext would take words in brackets, and what stands before an equals sign, for settings of the cell.
    headlines = HEADLINE.findall(script)
    first, *others = jupytext.reads(HEADLINE.sub("# %%", script), fmt=PERCENT).cells
    if not first.source.startswith('"""'):
        raise Problem(
            f"{lesson.path} cannot be made a notebook: it should begin with a docstring, then '# %% Headline'."
        )
    yield v4.new_markdown_cell(introduction(docstring))
    yield v4.new_markdown_cell(OPTIONS)
    yield v4.new_code_cell(SET_OPTIONS)
    for words, cell in zip(headlines, others, strict=True):
        comments, code = comments_before_code(cell.source)
        if text := [*headline(words), *markdown(comments)]:
            yield v4.new_markdown_cell("\n".join(text).strip())
        if code:
            yield v4.new_code_cell(code)


def introduction(docstring):
    """The docstring of a lesson. What stands under `Run:` becomes a block of commands that can be copied."""
    title, _, rest = docstring.partition("\n")
    told = [f"# {escaped(title)}"]
    for paragraph in re.split(r"\n\s*\n|\n(?=[A-Z]\w+:  )", rest.strip("\n")):
        label = re.match(r"([A-Z]\w+): {2,}", paragraph)
        lines = dedented(paragraph[label.end() :]) if label else paragraph.split("\n")
        told.append("")
        if label and label[1] == "Run":
            commands = [re.sub(r"^(python \S.*?)( {2,})(?=\S)", r"\1\2# ", line) for line in lines]
            told += ["**Run** (as a script, in a terminal):", "```bash", *commands, "```"]
        else:
            told += [*([f"**{label[1]}:**"] if label else []), *markdown(lines)]
    return "\n".join(told)


def dedented(text):
    """The lines of a text whose first line begins after a word, and the others below that.

    >>> dedented("one\\n     two\\n       three")
    ['one', 'two', '  three']
    """
    first, *others = text.split("\n")
    margin = min((len(line) - len(line.lstrip()) for line in others if line.strip()), default=0)
    return [first, *(line[margin:] for line in others)]


def comments_before_code(source):
    """The comment lines that a cell begins with, without their `#`, and the rest. A later comment stays with its code.

    >>> comments_before_code("# Why.\\n\\n# how\\nx = 1")
    (['Why.'], '# how\\nx = 1')
    """
    lines = source.split("\n")
    comments = list(itertools.takewhile(is_comment, lines))
    if all(is_comment(line) or not line.strip() for line in lines):
        comments = lines
    return [line[2:].rstrip() for line in comments], "\n".join(lines[len(comments) :]).strip("\n")


def is_comment(line):
    return re.match(r"#( |$)", line) is not None


def headline(text):
    """Its first sentence is the heading.

    >>> headline("Training. The test images wait until the end.")
    ['## Training', '', 'The test images wait until the end.']
    """
    if not text:
        return []
    heading, dot, rest = text.partition(". ")
    return [f"## {escaped(heading.removesuffix('.'))}", "", *([escaped(rest)] if dot else [])]


def markdown(lines):
    """Prose as Markdown. Lines that were set by hand, indented or in columns, keep their form in a block.

    >>> markdown(["Each of 4*4 patches:", "  q = x W_q      (16, 64)", "1. Why?", "   And how?"])
    ['Each of 4\\\\*4 patches:', '```text', '  q = x W_q      (16, 64)', '```', '1. Why?', '   And how?']
    """
    told, in_item, in_block = [], False, False
    for line in lines:
        item = re.match(r"(\d+\.|[-*]) +\S", line)
        continued = in_item and line.startswith(" ") and not re.search(r"\S {3,}\S", line)
        by_hand = bool(line.strip()) and not item and not continued and bool(re.match(r" {2,}|.*\S {3,}\S", line))
        if by_hand != in_block:
            told.append("```text" if by_hand else "```")
        if item and not in_item and told and told[-1].strip() and not told[-1].startswith("```"):
            told.append("")
        told.append(line if by_hand else escaped(line, bullet=bool(item)))
        in_block = by_hand
        in_item = bool(item) or (in_item and (continued or not line.strip()))
    return [*told, "```"] if in_block else told


SIGNS = re.compile(r"[\\<$]|(?<![^\W_])_|_(?![^\W_])|(?<=\S)\*|\*(?=\S)|^(?=[>#])|(?<=\])(?=\()")


def escaped(text, bullet=False):
    """What Markdown would take for a sign of its own is shown as it is, outside of `backticks`.

    >>> escaped("W_q * x of 3*3, __doc__, `__doc__`")
    'W_q * x of 3\\\\*3, \\\\_\\\\_doc\\\\_\\\\_, `__doc__`'
    """
    start = re.match(r"(\d+\.|[-*]) +", text).end() if bullet else 0
    parts = re.split(r"(`[^`]*`)", text[start:])
    parts[::2] = [SIGNS.sub(r"\\\g<0>", part) for part in parts[::2]]
    return text[:start] + "".join(parts)
