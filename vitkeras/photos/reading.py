"""One image, from a file or bytes, as an array: upright, in colour, on white."""

import io
import os
import stat
import threading
import warnings

import numpy as np
from PIL import ExifTags, Image

from vitkeras.errors import Problem
from vitkeras.photos.finding import shown
from vitkeras.photos.unread import SAVE, looks_like

MOST_PIXELS = 64_000_000
LARGEST = 256_000_000  # bytes of a file

Image.init()
# Not all that Pillow knows: what nobody meets is where faults stay unseen. AVIF came with Pillow 11.3.
FORMATS = [name for name in ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "AVIF") if name in Image.OPEN]

SMALLER = f"At most {MOST_PIXELS:,} pixels are read: save it smaller."
TURN = Image.Transpose
TURNS = {  # what Exif's orientation asks for
    2: TURN.FLIP_LEFT_RIGHT, 3: TURN.ROTATE_180, 4: TURN.FLIP_TOP_BOTTOM, 5: TURN.TRANSPOSE, 6: TURN.ROTATE_270,
    7: TURN.TRANSVERSE, 8: TURN.ROTATE_90,
}  # fmt: skip


class Unreadable(Problem):
    """No image that can be read. One line: the name, what is there instead, and what to do."""


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
        raise Unreadable(f"{name} {looks_like(data, fault, FORMATS)}") from fault


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
