import ast
import codecs
import random

import pytest

from vitkeras.grading.handed_in.sources import source_text

LINE = 'name = "José — ção"\n'
LATIN = 'name = "José ção"\n'


def read(data, name=""):
    source, notes = source_text(data, name)
    return source.decode("utf-8"), "\n".join(notes)


def test_utf8_passes_as_it_is():
    assert read(LINE.encode()) == (LINE, "")
    assert read(b"") == ("", "")


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
def test_lines_of_windows_and_of_old_macs_end_as_others(ending):
    assert read(f"a = 1{ending}b = 2{ending}".encode()) == ("a = 1\nb = 2\n", "")


def test_a_byte_order_mark_goes():
    assert read(codecs.BOM_UTF8 + LINE.encode()) == (LINE, "")


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf16_is_read_with_a_note(coding):
    text, note = read(LINE.encode(coding))
    assert text == LINE
    assert "not UTF-8" in note


@pytest.mark.parametrize(
    "first",
    [
        "# -*- coding: {} -*-", "#!/usr/bin/python\n# vim: set fileencoding={} :", "\n# coding={}", "# encoding: {}",
        " \t# coding: {}", "#!/usr/bin/python\r\n# coding: {}", "# the old way\r# coding: {}",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "coding", ["latin-1", "ISO-8859-1", "cp1252", "iso-8859-15", "latin-1-unix", "cp850", "Latin_1"]
)
def test_a_declared_coding_is_respected_and_then_says_utf8(first, coding):
    name = "latin-1" if coding == "latin-1-unix" else coding
    text, note = read((first.format(coding) + "\n" + LATIN).encode(name))
    assert text.endswith(LATIN)
    assert text.splitlines() == [*first.format("utf-8").replace("\r\n", "\n").splitlines(), LATIN.strip()]
    assert note == ""


@pytest.mark.parametrize("start", ["x = 1\n# coding: cp850\n", "\n\n# coding: cp850\n", 'x = "# coding: cp850"\n'])
def test_what_python_takes_for_no_declaration_is_none(start):
    text = start + LINE
    assert read(text.encode()) == (text, "")


def test_latin1_without_a_word_is_read_with_a_note():
    assert read(LATIN.encode("latin-1"), "attention.py") == (LATIN, "attention.py is not UTF-8; read as Latin-1")
    assert read("price = '5 €'".encode("cp1252"))[0] == "price = '5 €'"
    assert read(b"\x81\x8d")[0] == "\x81\x8d"  # none of Windows' letters


@pytest.mark.parametrize("declared", ["utf-8", "ascii", "us-ascii"])
def test_a_declaration_that_is_not_true_is_not_believed(declared):
    text, note = read(f"# coding: {declared}\n{LATIN}".encode("latin-1"))
    assert text == f"# coding: utf-8\n{LATIN}"
    assert "Latin-1" in note


@pytest.mark.parametrize(
    "coding",
    ["klingon", "zip", "bz2", "hex", "rot13", "unicode_escape", "raw_unicode_escape", "utf-7", "idna", "punycode"],
)
def test_a_coding_that_is_none_for_sources_is_noted_and_not_used(coding):
    text, note = read(f"# coding: {coding}\n{LINE}".encode())
    assert text == f"# coding: utf-8\n{LINE}"
    assert f"declares the coding {coding}" in note


def test_a_declaration_that_only_appears_when_decoded_does_not_mislead_python():
    text, _ = read(f"# coding: latin-1\n{LINE}".encode("utf-16"))
    assert text == f"# coding: utf-8\n{LINE}"


def test_zero_bytes_are_told():
    assert "zero bytes" in read(b"x = 1\0\n")[1]


def test_python_reads_what_comes_out_as_it_was_meant():
    for coding in ("latin-1", "cp850", "cp1252", "utf-8", "utf-16", "mac-roman"):
        source, _ = source_text(f"# coding: {coding}\n{LATIN}".encode(coding))
        assert ast.literal_eval(ast.parse(source).body[0].value) == "José ção"


def test_no_bytes_raise_and_all_come_out_as_utf8():
    chance = random.Random(0)
    codings = ["utf-16", "cp037", "shift_jis", "gb18030", "utf_7", "hz", "iso2022_jp", "undefined", "mbcs", "x" * 99]
    for _ in range(300):
        start = chance.choice([b"", codecs.BOM_UTF16_LE, codecs.BOM_UTF8, codecs.BOM_UTF32_BE, b"# coding: "])
        data = start + chance.choice(codings).encode() + b"\n" + chance.randbytes(chance.randint(0, 40))
        source, notes = source_text(data)
        source.decode("utf-8")
        assert all(isinstance(note, str) for note in notes)
