"""Names that strangers chose: of students, of files, of what lies inside a zip."""

import hashlib
import re
import unicodedata

UNSEEN = {"Cf", "Cs", "Co", "Cn"}  # marks that turn the writing round, zero-width ones, halves of letters
BREAKS = {"Cc", "Zl", "Zp"}
DRIVE = re.compile(r"[A-Za-z]:")
DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(\..*)?", re.IGNORECASE)
SKIPPED = {
    "__macosx", "__pycache__", "site-packages", "node_modules", "thumbs.db", "desktop.ini", "$recycle.bin",
    "system volume information",
}  # fmt: skip
LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "ð": "d"})

LONGEST_PART = 200
LONGEST_NAME = 500
DEEPEST = 30


class Refused(Exception):
    """Why one file is left out. The text goes on after the file's name: "is a link; ..."."""


def clean(text):
    """`text` in its usual spelling (NFC) on one line, without what cannot be seen."""
    if not (text.isascii() and text.isprintable()):
        text = re.sub("[\udc80-\udcff]", lambda found: chr(ord(found[0]) & 0xFF), text)  # a byte that was no UTF-8
        kinds = ((letter, unicodedata.category(letter)) for letter in unicodedata.normalize("NFC", text))
        text = "".join(" " if kind in BREAKS else letter for letter, kind in kinds if kind not in UNSEEN)
    return " ".join(text.split())


def shown(text, longest=80):
    """`text`, clean and short, for a person to read."""
    text = clean(text)
    return (text if len(text) <= longest else f"{text[: longest - 1]}…") or "(no name)"


def words(text):
    """The words of a name, in small ASCII letters: "Cópia de attention-1" -> copia, de, attention, 1."""
    plain = unicodedata.normalize("NFKD", clean(text).casefold().translate(LETTERS))
    return re.findall(r"[a-z0-9]+", plain.encode("ascii", "ignore").decode())


def slug(name):
    """A file's name for a student: small ASCII letters, digits and dashes; the same each time."""
    short = "-".join(words(name))[:60].strip("-")
    if not short:  # a name in letters other than Latin ones
        return "student-" + hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:8]
    return f"student-{short}" if DEVICE.fullmatch(short) else short


def inner_name(raw):
    """The name of a file within a submission, `/` between folders. Refuses names that lead elsewhere."""
    name = clean(raw).replace("\\", "/")
    parts = [part for part in map(str.strip, name.split("/")) if part not in ("", ".")]
    if name.startswith("/") or any(map(DRIVE.match, parts)):
        raise Refused("has an absolute name; only names inside the submission are read")
    if any(set(part) <= {".", " "} for part in parts):
        raise Refused("has a name that leads out of the submission (..); it was left out")
    if not parts:
        raise Refused("is a file without a name; it was left out")
    if len(name) > LONGEST_NAME or max(map(len, parts)) > LONGEST_PART:
        raise Refused(f"has a name of {len(name)} characters, too long for many systems; give it a short one")
    if len(parts) > DEEPEST:
        raise Refused("lies too deep in folders; it was left out")
    if any(map(DEVICE.fullmatch, parts)):
        raise Refused("has a name that Windows keeps for a device; rename it")
    return "/".join(parts)


def skipped(part):
    """Whether a file or folder of this name is what a system or a tool leaves behind, and nobody's work."""
    return part.startswith(".") or part.lower() in SKIPPED
