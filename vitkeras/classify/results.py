"""What was found, for people and for programs: text as in the lecture, JSON, CSV; and where pictures of it go."""

import contextlib
import csv
import json
import os
import sys
from pathlib import Path

from vitkeras.errors import Misuse


def writer(options, classifier, remarks):
    kind = AsJson if options.json else AsCsv if options.csv else AsText
    return kind(classifier, remarks)


class AsText:
    """Rank, name, index, probability, in colour where a terminal shows it."""

    def __init__(self, classifier, remarks):
        from rich.console import Console

        self.aside = sys.stdout  # where it may be told which pictures were drawn

        self.console = Console(highlight=False, soft_wrap=True, emoji=False)
        for remark in remarks:
            self.say(remark, "dim")

    def say(self, text, style=None):
        self.console.print(plain(text), style=style, markup=False)

    def guesses(self, name, guesses):
        from rich.text import Text

        self.say(f"\n{name}", "bold")
        for rank, guess in enumerate(guesses, 1):
            line = Text(f"{rank}. ")
            line.append(plain(guess.name, lines=False), "bold green" if rank == 1 else "green")
            line.append(f" ({guess.index}): ")
            line.append(f"{guess.probability:.4f}", "cyan")
            self.console.print(line)

    def fault(self, name, problem):
        sys.stdout.flush()
        print(f"error: {of(name, problem)}", file=sys.stderr)

    def close(self):
        pass


class AsJson:
    """One object, printed when all is known."""

    def __init__(self, classifier, remarks):
        self.aside = told(remarks)
        self.found = {
            "preset": classifier.name, "family": classifier.family, "classes": classifier.classes, "remarks": remarks,
            "results": [],
        }  # fmt: skip

    def guesses(self, name, guesses):
        self.found["results"].append({"image": plain(name), "guesses": [guess._asdict() for guess in guesses]})

    def fault(self, name, problem):
        self.found["results"].append({"image": plain(name), "error": of(name, problem)})

    def close(self):
        print(json.dumps(self.found, indent=1, ensure_ascii=False))


class AsCsv:
    """A line for each guess; an image that could not be read has a line with its error."""

    def __init__(self, classifier, remarks):
        self.aside = told(remarks)
        self.table = csv.writer(sys.stdout, lineterminator="\n")
        self.table.writerow(("image", "rank", "name", "index", "probability", "error"))

    def guesses(self, name, guesses):
        for rank, guess in enumerate(guesses, 1):
            row = (plain(name), rank, plain(guess.name, lines=False), guess.index, f"{guess.probability:.6f}", "")
            self.table.writerow(row)

    def fault(self, name, problem):
        self.table.writerow((plain(name), "", "", "", "", of(name, problem)))
        print(f"error: {of(name, problem)}", file=sys.stderr)

    def close(self):
        sys.stdout.flush()


def told(remarks):
    """Beside a table for programs, what a person should know goes where it does not disturb."""
    for remark in remarks:
        print(plain(remark), file=sys.stderr)
    return sys.stderr


def of(name, problem):
    """What is wrong with which image."""
    return plain(str(problem) if name in str(problem) else f"{name}: {problem}")


def plain(text, lines=True):
    """Without what would move a terminal's cursor, or could not be printed: names of files may hold anything."""
    whole = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() or (lines and letter == "\n") else "?" for letter in whole)


def targets(out, sources, option, pictures):
    """{source: the file for its picture}. One image may have a file; several have a folder."""
    if out is None:
        return {}
    out = Path(out)
    is_file = out.suffix.lower() in pictures
    if out.suffix and not is_file and not out.is_dir():
        raise Misuse(f"--{option} {out}: a picture's name ends in {', '.join(pictures)}, a folder's in nothing alike.")
    if is_file and len(sources) > 1:
        raise Misuse(f"--{option} {out} is one file, and there are {len(sources)} images. Name a folder.")
    if out.is_dir() if is_file else out.is_file():
        raise Misuse(f"--{option} {out}: there is a {'folder' if is_file else 'file'} of this name. Choose another.")
    files = {sources[0]: out} if is_file else dict(zip(sources, numbered(out, sources), strict=True))
    images = {os.path.realpath(source) for source in sources}
    for file in files.values():
        if os.path.realpath(file) in images:
            raise Misuse(f"--{option} {out} would write over {file}, which is asked about. Choose another.")
    return files


def numbered(folder, sources):
    """A file for each source: its name, and a number if others have that name as well, be it in capitals."""
    taken = set()
    for source in sources:
        stem = name = Path(str(source)).stem.strip("-") or "standard_input"
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.casefold())
        yield folder / f"{name}.png"


@contextlib.contextmanager
def progress(count, many):
    """Give a function to be called after each image; on a terminal a bar, else a line now and then, on stderr."""
    if count < many:
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        done = 0

        def step():
            nonlocal done
            done += 1
            if done % 100 == 0 or done == count:
                print(f"{done} of {count} images", file=sys.stderr, flush=True)

        yield step
        return
    columns = (TextColumn("images"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("images", total=count)
        yield lambda: bar.advance(task)
