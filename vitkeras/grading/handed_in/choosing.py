"""Which of the files that came is meant for each name that an exercise asks for."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from vitkeras.grading.handed_in.naming import shown, words

ADDED = {  # what people and programs add to a name when they mean the same file
    "copy", "copia", "kopie", "copie", "of", "de", "da", "do", "von", "final", "finished", "done", "new", "novo",
    "nova", "last", "latest", "ultimo", "ultima", "version", "versao", "corrected", "corrigido", "corrigida", "fixed",
    "solution", "solucao", "resposta", "answer", "submission", "entrega", "homework", "student", "aluno", "my", "meu",
    "minha", "py",
}  # fmt: skip
NUMBERED = re.compile(r"(.+?)(?: *\((\d{1,3})\)|[-_ ]+(\d{1,3})) *")  # name (1), name-1
NEVER = {"conftest.py", "sitecustomize.py", "usercustomize.py", "setup.py", "__init__.py"}
INSTEAD = {
    ".ipynb": "is a notebook; save it as a Python file (File > Download, or Save and Export As > Executable Script)",
    ".pdf": "is a PDF",
    ".docx": "is a Word document",
    ".doc": "is a Word document",
    ".odt": "is a text document of an office program",
    ".rtf": "is a text document of an office program",
    ".pyc": "is what Python makes of a source, not the source",
}


@dataclass(frozen=True)
class Chosen:
    files: dict[str, Path]  # the name asked for -> the file
    missing: list[str]
    notes: list[str]


def chosen(opened, exercise, wanted: Iterable[str], optional: Iterable[str] = (), alone=False):
    """The file for each name in `wanted` and `optional`, in whatever folder and under whatever name it came.

    `alone`: no other exercise is graded, so that a single .py file is meant for it, however it is called.
    """
    wanted = list(wanted)
    files, missing, notes, used = {}, [], [], set()
    student = set(words(opened.student)) | {"".join(words(opened.student))}
    for name in [*wanted, *optional]:
        ranked = {path: rank(path, name, exercise, student) for path in opened.files if path not in used}
        found = sorted((order, path) for path, order in ranked.items() if order)
        if found:
            path = found[0][1]
            others = [other for _, other in found[1:] if not same(opened.files[path], opened.files[other])]
            if others:
                notes.append(
                    f"{len(others) + 1} files could be {name}: {listed(others)}, and {shown(path)}, which was taken"
                )
            elif PurePosixPath(path).name != name:
                notes.append(f"{shown(path)} was taken for {name}")
        elif name in wanted:
            path = lone(opened.files, used) if alone and name.endswith(".py") else None
            if path is None:
                missing.append(name)
                continue
            notes.append(f"{shown(path)}, the only Python file, was taken for {name}")
        else:
            continue
        used.add(path)
        files[name] = opened.files[path]
    if missing:
        notes += instead(opened.files, missing)
    return Chosen(files, missing, notes)


def rank(path, name, exercise, student):
    """A place in the order of preference for a file that can be meant for `name`; None for one that cannot.

    The folder of the exercise, one somewhere within it, any other; the name itself before one with words added; the
    upper folders; the highest number, as in attention-2.py.
    """
    *folders, file = path.split("/")
    ending = PurePosixPath(name).suffix
    like = likeness(without(file, ending), name.removesuffix(ending), student)
    if like is None or (never(file) and file.lower() != name.lower()):
        return None
    own = [likeness(without(folder, ".zip") or folder, exercise, student) is not None for folder in folders]
    place = 0 if own and own[-1] else 1 if any(own) else 2
    added, number = like
    return place, added, len(folders), -number, file != name, path


def likeness(stem, name, student):
    """(whether words were added, the number added) if `stem` says `name`; else None."""
    if stem is None:
        return None
    meant = "".join(words(name))
    if "".join(words(stem)) == meant:
        return False, 0
    numbered = NUMBERED.fullmatch(stem)
    number = int(numbered[2] or numbered[3]) if numbered else 0
    if numbered and "".join(words(numbered[1])) == meant:
        return False, number
    said, own = words(stem), words(name)
    for start in range(len(said) - len(own) + 1):
        if said[start : start + len(own)] == own:
            rest = said[:start] + said[start + len(own) :]
            if all(word in ADDED or word in student or re.fullmatch(r"v?\d{1,8}", word) for word in rest):
                return True, number
    return None


def without(file, ending):
    """The name without its ending, however that is spelt; None if it has another."""
    file = file.rstrip()
    for end in (f"{ending}.txt", ending):
        if file.lower().endswith(end):
            return file[: len(file) - len(end)]
    return None


def never(file):
    """Whether a file of this name is a test or a piece of machinery, and nobody's answer to a task."""
    low = file.lower().removesuffix(".txt")
    return low in NEVER or low.startswith("test_") or low.endswith("_test.py")


def lone(files, used):
    found = [path for path in files if without(path, ".py") and not never(path.rpartition("/")[2])]
    return found[0] if len(found) == 1 and found[0] not in used else None


def same(one, other):
    return one.stat().st_size == other.stat().st_size and one.read_bytes() == other.read_bytes()


def instead(files, missing):
    """What came in place of what is missing, and what to do."""
    asked = " and ".join(missing)
    kinds = ((path, INSTEAD.get(PurePosixPath(path).suffix.lower())) for path in files)
    notes = [f"{shown(path)} {kind}. Hand in {asked} itself" for path, kind in kinds if kind]
    sources = [path for path in files if without(path, ".py")]
    if sources and asked.endswith(".py"):
        notes.append(f"Python files that came, none of them called {asked}: {listed(sources)}")
    return notes[-8:]


def listed(paths):
    return ", ".join(map(shown, paths[:5])) + (f" and {len(paths) - 5} more" if len(paths) > 5 else "")


def fingerprint(files):
    """The SHA-256 of names and bytes together: the same for the same files, however they came."""
    whole = hashlib.sha256()
    for name, path in sorted(files.items()):
        content = hashlib.sha256()
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                content.update(block)
        whole.update(f"{content.hexdigest()} {len(name)} {name}\n".encode())
    return whole.hexdigest()
