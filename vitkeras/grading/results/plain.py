"""Text and numbers as they may be shown: whatever a student's code printed, nothing in it can act on who reads it."""

import math
import re

COLOURS = re.compile(r"\x1b\[[0-9;]*m|\x08+")  # a progress bar's paint and its way back: of no use on paper
BREAKS = re.compile(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
CONTROLS = {
    **{code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"},  # NUL becomes ␀, escape ␛
    0x7F: "␡",
    **dict.fromkeys(range(0x80, 0xA0), "\ufffd"),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),  # halves of characters, which no file can hold
    **dict.fromkeys(range(0xFDD0, 0xFDF0), "\ufffd"),
    **dict.fromkeys([plane + end for plane in range(0, 0x110000, 0x10000) for end in (0xFFFE, 0xFFFF)], "\ufffd"),
    # characters that turn the reading direction, so that text is not in the order in which it is read
    **{code: f"⟨U+{code:04X}⟩" for code in (0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))},
    **dict.fromkeys(range(0xE0000, 0xE0080), "\ufffd"),  # letters that nobody sees
}


def shown(text):
    """`text` with every character that could act (escapes, NULs, turned directions) replaced by one that is seen."""
    return BREAKS.sub("\n", COLOURS.sub("", str(text))).translate(CONTROLS)


def on_one_line(text):
    return " ".join(shown(text).split())


def shortened(text, limit):
    """The beginning and the end of a text that is too long, and how much lies between them."""
    if len(text) <= limit:
        return text
    head, tail = text[: limit * 2 // 3], text[len(text) - limit // 3 :]
    return f"{head}\n… {len(text) - len(head) - len(tail)} characters left out …\n{tail}"


def number(value):
    """7.0 → 7, 2.5 → 2.5, at most two digits after the dot.

    >>> number(7.0), number(2.5), number(0.1 + 0.2), number(0)
    ('7', '2.5', '0.3', '0')
    """
    return f"{abs(value) if abs(value) < 0.005 else value:.2f}".rstrip("0").rstrip(".")


def points(parts):
    """The sum of `parts`' points and of what could be had; `parts` are results or tests."""
    return math.fsum(part["points"] for part in parts), math.fsum(part["max_points"] for part in parts)
