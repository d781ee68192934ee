"""Photos as people have them: found by name, and read into arrays of one form.

    read("holiday.jpg")                    # uint8, (height, width, 3): upright, in colour, on white
    find(["photos", "birds/*.png"])        # the files that these words name, in natural order

What cannot be read becomes an `Unreadable`: one line that names the file, says what it is and what to do about it.
"""

from vitkeras.photos.finding import FROM_STDIN, SUFFIXES, counted, entries, find, shown, sort_out
from vitkeras.photos.reading import FORMATS, LARGEST, MOST_PIXELS, Unreadable, contents, decode, read
from vitkeras.photos.square import square

__all__ = [
    "FORMATS",
    "FROM_STDIN",
    "LARGEST",
    "MOST_PIXELS",
    "SUFFIXES",
    "Unreadable",
    "contents",
    "counted",
    "decode",
    "entries",
    "find",
    "read",
    "shown",
    "sort_out",
    "square",
]
