"""What a file is that could not be read as an image, as far as its first bytes tell, and what to do about it."""

import codecs
from unicodedata import category

from PIL import UnidentifiedImageError

from vitkeras.photos.finding import shown

STARTS = {  # of files that are tried, to say so if they fail
    b"\xff\xd8\xff": "a JPEG image", b"\x89PNG": "a PNG image", b"GIF8": "a GIF image", b"RIFF": "a WebP image",
    b"BM": "a BMP image", b"II*\0": "a TIFF image", b"MM\0*": "a TIFF image", b"P6": "a PPM image",
}  # fmt: skip
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


def looks_like(data, fault, formats):
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
    return f"is in no format that is read here ({', '.join(formats)}). {SAVE}"


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
