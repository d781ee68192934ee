"""The text of a student's Python file, whatever editor wrote it. Nothing is run or compiled here."""

import codecs
import re

BOMS = (  # the longer first: UTF-32 begins as UTF-16 does
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
CODING = re.compile(r"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.ASCII)  # PEP 263
EMPTY = re.compile(r"[ \t\f]*(#.*)?")
NOT_FOR_SOURCES = {  # they make one text of another, or take forever
    "idna", "punycode", "unicode-escape", "raw-unicode-escape", "utf-7", "undefined", "mbcs", "oem",
}  # fmt: skip


def source_text(data, name=""):
    """`data`, the bytes of a file, as UTF-8 that Python reads as it was meant, and notes on what was odd.

    The coding that the file declares is respected, and its line then says utf-8; lines end in a line feed. With `name`
    the notes begin with it.

    >>> source_text("# coding: latin-1\\nname = 'José'".encode("latin-1"))[0].decode()
    "# coding: utf-8\\nname = 'José'"
    """
    notes = []
    text = decoded(data, lambda note: notes.append(f"{name} {note}".strip()))
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")  # as Python itself does
    if "\0" in text:
        notes.append(f"{name} holds zero bytes, which no text has: perhaps it is a file of another kind".strip())
    return declared_utf8(text).encode("utf-8", "replace"), notes


def decoded(data, note):
    for bom, coding in BOMS:
        if data.startswith(bom):
            text = attempt(data[len(bom) :], coding)
            if text is None:
                break
            if coding != "utf-8":
                note(f"is {coding[:6].upper()}, not UTF-8; read as such")
            return text
    for coding, zeros in (("utf-16-le", data[1:400:2]), ("utf-16-be", data[:400:2])):
        if zeros.count(0) > 0.7 * len(zeros) and (text := attempt(data, coding)) is not None:
            note("is UTF-16, not UTF-8; read as such")
            return text

    declared = declaration(data.decode("latin-1").replace("\r\n", "\n").replace("\r", "\n"))
    if declared:
        coding = known(declared[1])
        if coding is None:
            note(f"declares the coding {declared[1][:40]}, which is not read here")
        elif coding == "ascii":
            coding = "utf-8"
        elif (text := attempt(data, coding)) is not None:
            return text
        else:
            note(f"declares the coding {declared[1][:40]}, but has other bytes")
    if (text := attempt(data, "utf-8")) is not None:
        return text
    note("is not UTF-8; read as Latin-1")
    return attempt(data, "cp1252") or data.decode("latin-1")  # what Windows calls Latin-1 has more letters


def attempt(data, coding):
    """The text; None where these bytes are none in this coding."""
    try:
        return data.decode(coding)
    except ValueError:
        return None


def known(name):
    """Python's name of a coding that it has for texts, and that is fit for sources; None for others."""
    name = name.lower().replace("_", "-")
    if name == "utf-8" or name.startswith("utf-8-"):  # -*- coding: utf-8-unix -*-
        return "utf-8"
    if name.startswith(("latin-1-", "iso-8859-1-", "iso-latin-1-")):
        return "iso8859-1"
    try:
        coding = codecs.lookup(name).name
        b"a".decode(coding)  # refuses what is no text: hex, zip, rot13
    except (LookupError, ValueError):
        return None
    return None if coding.replace("_", "-") in NOT_FOR_SOURCES else coding


def declaration(text):
    """The match of the coding that one of the first two lines of `text` declares; None if there is none."""
    start = 0
    for line in text.split("\n", 2)[:2]:
        if found := CODING.match(text, start, start + len(line)):
            return found
        if not EMPTY.fullmatch(line):
            return None
        start += len(line) + 1
    return None


def declared_utf8(text):
    """`text`, with the coding that it declares, if any, called utf-8, which it now is."""
    found = declaration(text)
    return f"{text[: found.start(1)]}utf-8{text[found.end(1) :]}" if found else text
