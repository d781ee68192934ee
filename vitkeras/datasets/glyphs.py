"""The digits and letters of matplotlib's fonts, each as a map of distances to its outline.

A picture of a digit says only "ink" or "no ink". A *distance map* says how far each place is from the edge of the
stroke, positive inside and negative outside. From it a pen of any width and softness is one comparison away:

    distance > 0        the digit as the font has it
    distance > -0.5     the same digit, every stroke half a pixel thicker on either side
    distance > +0.5     ... thinner

and a bent map is still smooth, where a bent picture shows its pixels. `drawn.py` bends these maps and inks them.
"""

from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageFont

from vitkeras.errors import Problem

# Every font of matplotlib's that has lining digits 0..9. They come with matplotlib, so that no download is needed.
FONTS = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique",
    "DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSansMono-Oblique", "DejaVuSansMono-BoldOblique",
    "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic", "DejaVuSerif-BoldItalic",
    "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta",
    "cmr10", "cmb10", "cmti10", "cmss10", "cmtt10",
)  # fmt: skip

DIGITS = "0123456789"
SIDE = 28  # of an image, in pixels
CELLS = 2  # cells of a distance map along one pixel of an image
SHEET = 36  # pixels that a distance map covers: the image, and a margin that turning and shifting bring into view
MAP = SHEET * CELLS  # cells along one side of a distance map
BOX = 20  # MNIST fits each digit into a box of 20 x 20 pixels
FINE = 2  # cells of the first, coarse-edged drawing along one cell of the map
REACH = 4  # pixels; no pen reaches farther, so that larger distances need not be told apart


@cache
def distance_maps(characters=DIGITS):
    """Distances to the outline of every character in every font, in pixels: float32, (fonts, characters, MAP, MAP)."""
    return distances(np.stack([[drawing(font, character) for character in characters] for font in FONTS]))


@cache
def half_widths(characters=DIGITS):
    """Half the width of the stroke of every character in every font, in pixels: float32, (fonts, characters)."""
    return half_width(distance_maps(characters))


def drawing(font, character):
    """One character, as large as the box and with its centre of mass in the middle: bool, (MAP * FINE, MAP * FINE)."""
    side, box = MAP * FINE, BOX * CELLS * FINE
    glyph = font_file(font, size=200).getmask(character, mode="L")
    picture = Image.frombytes("L", glyph.size, bytes(glyph))
    picture = picture.crop(picture.getbbox())
    scale = box / max(picture.size)
    picture = picture.resize([round(length * scale) for length in picture.size], Image.Resampling.BOX)

    ink = np.asarray(picture) > 127  # (height, width)
    rows, columns = np.nonzero(ink)
    canvas = Image.new("L", (side, side))
    canvas.paste(picture, (round(side / 2 - columns.mean()), round(side / 2 - rows.mean())))
    return np.asarray(canvas) > 127


def font_file(name, size):
    path = Path(matplotlib.get_data_path(), "fonts", "ttf", f"{name}.ttf")
    try:
        return ImageFont.truetype(path, size)
    except OSError as fault:
        raise Problem(
            f"{path} could not be read ({fault}). matplotlib brings this font, and the drawn digits need it: "
            "`python -m pip install --force-reinstall matplotlib` puts it back."
        ) from fault


def distances(drawings):
    """Distance to the outline, positive in the ink: (..., MAP * FINE, MAP * FINE) -> (..., MAP, MAP), in pixels."""
    to_blank, to_ink = distance_to(~drawings), distance_to(drawings)
    signed = np.where(drawings, to_blank - 0.5, 0.5 - to_ink)  # the outline runs between two cells, not through one
    blocks = signed.reshape(*drawings.shape[:-2], MAP, FINE, MAP, FINE)
    return blocks.mean(axis=(-3, -1), dtype="float32") / (CELLS * FINE)


def distance_to(mask):
    """How far each cell is from the nearest one that is True, in cells, at most REACH pixels: (..., rows, columns).

    By Pythagoras the two directions can be taken one after the other: the squared distance along the rows first,
    and then, for every step up or down, what is found there plus that step squared. `np.roll` joins opposite edges,
    which the empty margin of the sheet keeps out of reach of each other.
    """
    reach = REACH * CELLS * FINE
    square = np.where(mask, 0, reach**2).astype("uint16")
    for axis in (-1, -2):
        nearest = square
        for step in range(1, reach):
            for way in (step, -step):
                nearest = np.minimum(nearest, np.roll(square, way, axis) + np.uint16(step**2))
        square = nearest
    return np.sqrt(square, dtype="float32")


def half_width(maps):
    """Half the width of the strokes on each map: (..., MAP, MAP) -> (...).

    From the edge of a stroke to its middle the distance rises evenly from 0 to half the width, so that its mean over
    the ink is a quarter of the width. Half the width is twice that mean.
    """
    inside = maps > 0
    return 2 * np.where(inside, maps, 0).sum(axis=(-2, -1)) / inside.sum(axis=(-2, -1), dtype="float32")
