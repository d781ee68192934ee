"""Small pictures of arrays for feedback pages: the answer, and beside it what was expected."""

import base64
import io

import numpy as np
from PIL import Image

WIDTH = 240  # pixels on the page, at least
LOW, HIGH = np.array([253, 231, 208]), np.array([38, 52, 110])  # of a heat map, light to dark


def side_by_side(title, array, expected=None):
    """[{"title", "png"}] of an array, and of the expected one in the same colours. Nothing for what is no picture."""
    arrays = [(title, array)] + ([(f"{title}, as expected", expected)] if expected is not None else [])
    arrays = [(name, np.asarray(values)) for name, values in arrays]
    arrays = [(name, values) for name, values in arrays if drawable(values)]
    if not arrays:
        return []
    last = arrays[-1][1].astype("float64")  # the expected one rules the colours
    finite = last[np.isfinite(last)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    return [{"title": name, "png": png(values, low, high)} for name, values in arrays]


def drawable(array):
    shape = array.shape
    good = len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3))
    return good and array.dtype.kind in "biuf" and array.size > 0 and max(shape) <= 1024


def png(array, low, high):
    values = array.astype("float64")
    shares = np.clip((np.nan_to_num(values, nan=low) - low) / ((high - low) or 1), 0, 1)
    if array.ndim == 2:
        pixels = LOW + shares[..., None] * (HIGH - LOW)
        pixels[~np.isfinite(values)] = (220, 30, 30)
    else:
        pixels = np.broadcast_to(255 * shares, (*shares.shape[:2], 3))
    image = Image.fromarray(pixels.astype("uint8"))
    times = max(1, -(-WIDTH // max(image.size)))
    image = image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)
    held = io.BytesIO()
    image.save(held, "PNG", optimize=True)
    return base64.b64encode(held.getvalue()).decode()
