"""A copy of CIFAR-10 whose images went through JPEG, packed as one npz file of JPEG files laid end to end.

    jpeg_train (bytes,) uint8    all training images, one after the other
    len_train  (50000,)          the length of each, in bytes
    y_train    (50000,)          its label; and the same three for `test`

About 4 seconds for 60,000 images, on one core: such small images leave Python's lock so briefly that two threads took
longer than one, and worker processes would ask every lesson for an `if __name__ == "__main__"`.
"""

import io

import numpy as np
from PIL.JpegImagePlugin import JpegImageFile

from vitkeras.datasets.layout import Broken

TITLE = "JPEG copy of CIFAR-10"
WARNING = (
    "This is a JPEG copy of CIFAR-10: its pixels differ a little from the published ones. Say so beside every result. "
    "To get the published ones: python -m vitkeras.datasets fetch cifar10"
)
NAMES = tuple(f"{kind}_{split}" for split in ("train", "test") for kind in ("jpeg", "len", "y"))
LARGEST = 4096  # bytes an image; 1,124 is the most in the copy that we know


def recognised(names):
    return "jpeg_train" in names


def check_headers(headers, layout, path):
    """Refuse by name, shape and type, before an array is read. Returns the names of the arrays."""
    for name in NAMES:
        kind, split = name.split("_")
        count = getattr(layout, split)
        if name not in headers:
            raise Broken(f"{path} is not what it should be: {name} is missing (found: {', '.join(sorted(headers))}).")
        shape, dtype = headers[name]
        if kind == "jpeg":
            good = dtype == "uint8" and len(shape) == 1 and shape[0] <= count * LARGEST
        else:
            good = dtype.kind in "iu" and shape == (count,)
        if not good:
            expected = f"at most {count * LARGEST:,} bytes" if kind == "jpeg" else f"{(count,)} of whole numbers"
            raise Broken(f"{path} is not what it should be: {name} is {headers[name]}, expected {expected}.")
    return NAMES


def decode(arrays, layout, path):
    """In: the six arrays. Out: x_train, y_train, x_test, y_test as in every data set."""
    decoded = {}
    for split in ("train", "test"):
        files, lengths = arrays[f"jpeg_{split}"].tobytes(), arrays[f"len_{split}"].astype("int64")
        if lengths.min() <= 0 or lengths.sum() != len(files):
            raise Broken(
                f"{path} is not what it should be: len_{split} adds up to {lengths.sum():,} bytes (the least is "
                f"{lengths.min():,}), and jpeg_{split} has {len(files):,}."
            )
        images = decoded[f"x_{split}"] = np.empty((len(lengths), *layout.image), "uint8")
        ends = np.cumsum(lengths)
        for number, (start, end) in enumerate(zip(ends - lengths, ends, strict=True)):
            images[number] = picture(files[start:end], layout.image, f"{path}: image {number} of {split}")
        decoded[f"y_{split}"] = arrays[f"y_{split}"]
    return decoded


def picture(file, shape, name):
    """Out: (height, width, 3) uint8. The size is looked at before a pixel is unpacked."""
    try:
        image = JpegImageFile(io.BytesIO(file))
        if image.size != (shape[1], shape[0]):
            raise Broken(f"{name} is {image.size[0]} by {image.size[1]} pixels, expected {shape[1]} by {shape[0]}.")
        return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
    except (OSError, SyntaxError, ValueError) as fault:
        raise Broken(f"{name} is no JPEG image that can be read: {fault}.") from fault
