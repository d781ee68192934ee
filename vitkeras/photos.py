"""Photos as people have them: found by name, and read into arrays of one form.

    read("holiday.jpg")                    # uint8, (height, width, 3): upright, in colour, on white
    find(["photos", "birds/*.png"])        # the files that these words name, in natural order

What cannot be read becomes an `Unreadable`: one line that names the file, says what it is and what to do about it.
"""

import codecs
import glob
import io
import os
import re
import stat
import threading
import warnings
from collections import Counter
from pathlib import Path
from unicodedata import category

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from vitkeras.errors import Misuse, Problem

FROM_STDIN = "-"
SUFFIXES = {
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".gif", ".webp", ".avif", ".bmp", ".tif", ".tiff",
    ".ppm", ".pgm", ".pbm", ".pnm",
}  # fmt: skip
TOLD = {".heic", ".heif"}  # photos that are not read, and would be missed if nobody said so
MOST_PIXELS = 64_000_000
LARGEST = 256_000_000  # bytes of a file

Image.init()
# Not all that Pillow knows: what nobody meets is where faults stay unseen. AVIF came with Pillow 11.3.
FORMATS = [name for name in ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "AVIF") if name in Image.OPEN]

STARTS = {  # of files that are tried, to say so if they fail
    b"\xff\xd8\xff": "a JPEG image", b"\x89PNG": "a PNG image", b"GIF8": "a GIF image", b"RIFF": "a WebP image",
    b"BM": "a BMP image", b"II*\0": "a TIFF image", b"MM\0*": "a TIFF image", b"P6": "a PPM image",
}  # fmt: skip
SMALLER = f"At most {MOST_PIXELS:,} pixels are read: save it smaller."
SAVE = "Open it in an image program and save it as JPEG or PNG."
DAMAGED = "is truncated or damaged, or of a rare kind"
AGAIN = "Copy or download it again; or open it in an image program and save it as JPEG or PNG."
OTHERS = {
    b"%PDF-": f"a PDF document, not an image. {SAVE}",
    b"8BPS": f"a Photoshop file. {SAVE}",
    b"PK\3\4": "a ZIP archive, or a document that is packed as one. Unpack it, and name the images in it.",
    b"version https://git-lfs": "a pointer of Git LFS, not the image itself. Get the image with: git lfs pull",
}
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
TURN = Image.Transpose
TURNS = {  # what Exif's orientation asks for
    2: TURN.FLIP_LEFT_RIGHT, 3: TURN.ROTATE_180, 4: TURN.FLIP_TOP_BOTTOM, 5: TURN.TRANSPOSE, 6: TURN.ROTATE_270,
    7: TURN.TRANSVERSE, 8: TURN.ROTATE_90,
}  # fmt: skip


class Unreadable(Problem):
    """No image that can be read. One line: the name, what is there instead, and what to do."""


def find(words):
    """The files that words of a command line name: a list of paths, each once; `FROM_STDIN` stays as it is.

    A word is a file, taken whatever its name; a folder, which stands for the images directly in it; or a pattern
    (`*`, `?`, `[abc]`, and `**` for folders of any depth), which stands for all files that it matches, for shells that
    do not expand patterns. A file that is not there stays in the list, and beside others so does a folder without
    images: `read` says so when its turn comes.
    """
    found = {}
    words = [words] if isinstance(words, str | os.PathLike) else list(words)
    for word in words:
        for path in [word] if word == FROM_STDIN else named_by(word, alone=len(words) == 1):
            found.setdefault(os.path.normcase(os.path.abspath(path)) if path != FROM_STDIN else path, path)
    return list(found.values())


def named_by(word, alone):
    word = os.fspath(word)
    if not word:
        raise Misuse("The name of an image is empty text. Name a file, a folder or a pattern.")
    if os.path.isdir(word):
        images, others = sort_out(word, SUFFIXES | TOLD)
        if not images and not alone:
            return [Path(word)]
        if not images:
            there = f"It has {counted(others) or 'nothing at all'}."
            raise Misuse(f"{shown(word)} has no images directly in it. {there} Known are {' '.join(sorted(SUFFIXES))}.")
        return images
    if os.path.lexists(word) or not glob.has_magic(word):
        return [Path(word)]
    matches = [Path(match) for match in glob.glob(word, recursive=True) if not os.path.isdir(match)]
    if not matches:
        raise Misuse(f"No file matches {shown(word)}. See whether the folder and the suffix are right.")
    return sorted(matches, key=natural_order)


def sort_out(folder, suffixes=SUFFIXES):
    """The images directly in a folder, by suffix, in natural order; and what else is there. Hidden files do not count.

    Out: a list of paths, and a Counter of suffixes, with "folder" for folders.
    """
    images, others = [], Counter()
    for path in entries(folder):
        if os.path.isdir(path):
            others["folder"] += 1
        elif path.suffix.lower() in suffixes:
            images.append(path)
        else:
            others[path.suffix.lower() or "without a suffix"] += 1
    return images, others


def entries(folder):
    """What is in a folder, in natural order, without what is hidden."""
    try:
        names = [name for name in os.listdir(folder) if not name.startswith(".")]
    except OSError as fault:
        raise Problem(f"{shown(folder)} cannot be looked into: {fault.strerror}. See who may read it.") from fault
    return sorted((Path(folder, name) for name in names), key=natural_order)


def natural_order(path):
    """A key to sort by: photo 2 comes before photo 10."""
    parts = re.split(r"(\d+)", str(path).casefold())
    parts[1::2] = map(int, parts[1::2])
    return parts, str(path)


def counted(others):
    """As text: .heic: 3, folder: 1"""
    return ", ".join(f"{shown(kind)}: {count}" for kind, count in sorted(others.items()))


def shown(path):
    """A name as it can be printed anywhere, in one line: bytes that are no text, and line breaks, are spelled out."""
    return "".join(ascii(c)[1:-1] if category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in os.fsdecode(path))


def read(source):
    """The image in a file (a path), or in bytes that came through standard input: uint8, (height, width, 3).

    It is turned upright as its Exif says. What is transparent lies on white. Of several frames or pages, the first.
    """
    if isinstance(source, bytes):
        return decode(source, "standard input")
    return decode(contents(source), shown(source))


def contents(path):
    """The bytes of a file. It is looked at before it is opened: opening a pipe would wait for somebody to write."""
    name = shown(path)
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise Unreadable(f"{name} is a folder, and an image file was expected. Name an image in it.")
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable(f"{name} is a pipe, a socket or a device, and an image file was expected. Name a file.")
        check_size(status.st_size, name)
        with open(path, "rb") as file:
            return file.read(LARGEST + 1)
    except FileNotFoundError as fault:
        what = "is a link to a file that is not there" if os.path.islink(path) else "is not there"
        raise Unreadable(f"{name} {what}. See whether the name and the folder are right.") from fault
    except (OSError, ValueError) as fault:  # ValueError: no system takes such a name
        reason = getattr(fault, "strerror", None) or fault
        raise Unreadable(f"{name} cannot be opened: {reason}. See who may read it.") from fault


def check_size(size, name):
    if not size:
        raise Unreadable(f"{name} is empty: 0 bytes, where an image was expected. Copy or download it again.")
    if size > LARGEST:
        raise Unreadable(f"{name} is too large: {size:,} bytes; {LARGEST:,} are the most. Save it as JPEG, or smaller.")


def decode(data, name):
    """The image in these bytes: uint8, (height, width, 3). `name` is what a fault calls it."""
    check_size(len(data), name)
    try:
        with QUIET, Image.open(io.BytesIO(data), formats=FORMATS) as image:
            check_header(image, name)
            image.load()
            return np.array(upright(in_colour(image), image))
    except Unreadable:
        raise
    except Image.DecompressionBombError as fault:  # far more than we take, so that Pillow itself refuses
        raise Unreadable(f"{name} is too large. {SMALLER}") from fault
    except MemoryError as fault:
        raise Unreadable(f"{name} needs more memory than there is. Save it smaller.") from fault
    except Exception as fault:  # there is nothing that a decoder does not raise at a broken file
        raise Unreadable(f"{name} {looks_like(data, fault)}") from fault


def check_header(image, name):
    """Before a pixel is unpacked."""
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise Unreadable(f"{name} is too large: {width:,} x {height:,} pixels. {SMALLER}")
    if image.format == "TIFF" and image.tag_v2.get(ExifTags.Base.NewSubfileType, 0) & 1:
        raise Unreadable(f"{name} begins with a mere preview, as raw files of cameras do. {SAVE}")
    if image.mode == "F" or (image.mode == "I" and image.format == "TIFF"):  # where are black and white?
        raise Unreadable(f"{name} has fractions or 32-bit numbers for pixels. Scale them to 0 ... 255, save it as PNG.")


def in_colour(image):
    """Any of Pillow's modes → RGB."""
    if image.mode == "I" or image.mode.startswith("I;16"):
        image = eight_bits(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        ground.alpha_composite(image)
        image = ground
    return image.convert("RGB")


def eight_bits(image):
    """16-bit grey → 8-bit grey, scaled. Pillow itself would clip it."""
    tags = getattr(image, "tag_v2", {})  # of a TIFF image
    most = 2 ** tags.get(ExifTags.Base.BitsPerSample, (16,))[0] - 1
    table = np.rint(np.arange(most + 1) * (255 / most)).astype("uint8")
    if tags.get(ExifTags.Base.PhotometricInterpretation) == 0:  # white is zero
        table = table[::-1]
    return Image.fromarray(table[np.clip(np.asarray(image), 0, most)])


def upright(picture, image):
    """`picture` turned as the Exif of `image`, from which it was made, says."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # broken Exif, in every way there is. A good picture is shown as it lies, as viewers do
        orientation = None
    return picture.transpose(TURNS[orientation]) if orientation in TURNS else picture


def looks_like(data, fault):
    """What bytes are that could not be decoded, as far as their beginning tells, and what to do."""
    for start, what in OTHERS.items():
        if data.startswith(start):
            return f"is {what}"
    if data[4:8] == b"ftyp":
        return looks_like_a_box(data[8:12], fault)
    text = beginning_of_text(data)
    if text is not None:
        if "<svg" in text:
            return f"is an SVG drawing, not an image of pixels. {SAVE}"
        if "<html" in text.lower() or "<!doctype html" in text.lower():
            return "is a web page, not an image. Open the page, and save the image that it shows."
        return "is a text file, not an image. Name the image file itself."
    for start, what in STARTS.items():
        if data.startswith(start):
            return f"begins as {what}, but {DAMAGED}{because(fault)}. {AGAIN}"
    return f"is in no format that is read here ({', '.join(FORMATS)}). {SAVE}"


def looks_like_a_box(brand, fault):
    """Photos of iPhones, AVIF and videos all begin alike, and then name their brand."""
    if brand in HEIC_BRANDS:
        return f"is a HEIC photo, as iPhones take them, which is not read here. {SAVE}"
    if brand in (b"avif", b"avis"):
        return f"begins as an AVIF image, but {DAMAGED}, or this Pillow is too old for it{because(fault)}. {AGAIN}"
    return "is a video, or something else that is no image. Save a frame of it as JPEG or PNG."


def beginning_of_text(data):
    """The first characters, or None if the bytes are no text."""
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(data[:1000])  # the cut may run through a character
    except UnicodeDecodeError:
        return None
    return None if any(category(c) == "Cc" and not c.isspace() for c in text) else text


def because(fault):
    """The decoder's own words, if they tell anything."""
    words = "" if isinstance(fault, UnidentifiedImageError) else shown(" ".join(str(fault).split()))[:200]
    return f" ({words})" if words else ""


class Quiet:
    """Pillow's warnings held back. `warnings.catch_warnings` alone mixes up the filters of several threads."""

    def __init__(self):
        self.lock, self.inside = threading.Lock(), 0

    def __enter__(self):
        with self.lock:
            if not self.inside:
                self.filters = warnings.catch_warnings()
                self.filters.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\.")
            self.inside += 1

    def __exit__(self, *_):
        with self.lock:
            self.inside -= 1
            if not self.inside:
                self.filters.__exit__(None, None, None)


QUIET = Quiet()
