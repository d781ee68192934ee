"""Preprocessing as a Hugging Face folder describes it, step by step: resize, crop, rescale, normalise."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from vitkeras.errors import Problem
from vitkeras.pretrained import loading

FILE = "preprocessor_config.json"
IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALF = (0.5, 0.5, 0.5)
MOST_STRETCHED = 1 << 26  # pixels of a resized image: a photo of 1 x 20,000 would become one of 224 x 4,480,000


@dataclass(frozen=True)
class Steps:
    """Sizes are (height, width), or None for a step that is left out."""

    size: tuple[int, int] | None = None
    shortest: int | None = None  # instead of `size`: this side, and the other one in proportion
    resample: int = Image.Resampling.BILINEAR
    crop: tuple[int, int] | None = None
    scale: float = 1.0
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    deviation: tuple[float, ...] = (1.0, 1.0, 1.0)

    def prepare(self, photo):
        """uint8 (height, width, 3) -> float32 (height, width, 3)"""
        size = self.target(*photo.shape[:2])
        if size != photo.shape[:2]:
            photo = np.asarray(Image.fromarray(photo).resize(size[::-1], self.resample))
        if self.crop:
            photo = middle(photo, *self.crop)
        pixels = photo.astype("float32") * np.float32(self.scale)
        return (pixels - np.float32(self.mean)) / np.float32(self.deviation)

    def target(self, height, width):
        if self.size:
            return self.size
        if not self.shortest:
            return height, width
        short, long = sorted((height, width))
        other = int(self.shortest * long / short)
        if other * self.shortest > MOST_STRETCHED:
            raise Problem(f"a photo of {width} x {height} pixels is too long for its width to be brought to this size")
        return (self.shortest, other) if height <= width else (other, self.shortest)

    def shown(self, pixels):
        pixels = (pixels * np.float32(self.deviation) + np.float32(self.mean)) / np.float32(self.scale)
        return np.clip(pixels + 0.5, 0, 255).astype("uint8")


def middle(photo, height, width):
    """The middle of the photo, with black around where it is smaller."""
    down, right = photo.shape[0] - height, photo.shape[1] - width
    if down < 0 or right < 0:
        above, left = -(min(down, 0) // 2), -(min(right, 0) // 2)
        photo = np.pad(photo, ((above, -min(down, 0) - above), (left, -min(right, 0) - left), (0, 0)))
        down, right = max(down, 0), max(right, 0)
    return photo[down // 2 : down // 2 + height, right // 2 : right // 2 + width]


USUAL = {  # what a description leaves out, by the family of the processor that it names, or else of the model
    "vit": {"size": 224, "resample": 2, "do_center_crop": False, "image_mean": HALF, "image_std": HALF},
    "deit": {
        "size": 256, "resample": 3, "do_center_crop": True,
        "image_mean": IMAGENET_MEAN, "image_std": IMAGENET_DEVIATION,
    },
}  # fmt: skip
FOLLOWED = {"do_resize", "size", "resample", "do_center_crop", "crop_size", "do_rescale", "rescale_factor",
            "do_normalize", "image_mean", "image_std"}  # fmt: skip
OF_NO_EFFECT = {"do_convert_rgb", "data_format", "input_data_format", "device", "disable_grouping", "return_tensors",
                "image_processor_type", "feature_extractor_type", "processor_class", "default_to_square"}  # fmt: skip


def from_folder(folder, kind, side):
    """(prepare, shown, remarks) for a model that reads images of `side` (height, width)."""
    file = Path(folder, FILE)
    if not file.is_file():
        larger = {"height": side[0] * 256 // 224, "width": side[1] * 256 // 224}
        sides = {"height": side[0], "width": side[1]}
        steps = read({"size": larger if kind == "deit" else sides, "crop_size": sides}, file, kind)
        return steps.prepare, steps.shown, [f"there is no {FILE}: pixels are prepared as is usual for this family"]
    steps = read(loading.described(file), file, kind)
    made = steps.crop or steps.size
    if made != tuple(side):
        what = f"images of {' x '.join(map(str, made))}" if made else "images of no certain size"
        raise Problem(
            f"{file} makes {what}, and config.json wants {side[0]} x {side[1]}. Set size, or do_center_crop and "
            "crop_size, so that they agree."
        )
    return steps.prepare, steps.shown, []


def read(config, file, kind):
    """What a `preprocessor_config.json` of any age says. `kind` is the model's: "vit" or "deit"."""
    config = config.get("image_processor", config)
    try:
        named = str(config.get("image_processor_type") or config.get("feature_extractor_type") or kind).lower()
        config = USUAL["deit" if named.startswith("deit") else "vit"] | config
        unknown = sorted(key for key in config.keys() - FOLLOWED - OF_NO_EFFECT if config[key] and key[0] != "_")
        if unknown:
            raise ValueError(f"it asks for {', '.join(unknown)}, which is not done here")
        steps = {}
        if config.get("do_resize", True):
            size = config["size"]
            if isinstance(size, dict) and "shortest_edge" in size:
                steps["shortest"] = whole(size["shortest_edge"])
            else:
                steps["size"] = height_width(size)
            steps["resample"] = Image.Resampling(config["resample"])
        if config["do_center_crop"]:
            steps["crop"] = height_width(config.get("crop_size", 224))
        if config.get("do_rescale", True):
            steps["scale"] = finite(config.get("rescale_factor", 1 / 255))
        if config.get("do_normalize", True):
            steps["mean"] = three(config["image_mean"])
            steps["deviation"] = three(config["image_std"])
            if 0 in np.float32(steps["deviation"]):
                raise ValueError("image_std has a zero")
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as fault:
        raise Problem(f"{file} cannot be followed ({type(fault).__name__}: {fault}).") from fault
    return Steps(**steps)


def height_width(size):
    if isinstance(size, dict):
        size = size["height"], size["width"]
    height, width = size if isinstance(size, list | tuple) else (size, size)
    return whole(height), whole(width)


def whole(number):
    if isinstance(number, bool) or int(number) != number or not 1 <= number <= 4096:
        raise ValueError(f"{number!r} is no side of an image")
    return int(number)


def finite(number):
    if not math.isfinite(number):
        raise ValueError(f"{number} is no finite number")
    return float(number)


def three(values):
    values = tuple(map(finite, values)) if isinstance(values, list | tuple) else (finite(values),) * 3
    if len(values) != 3:
        raise ValueError(f"{len(values)} values for three channels")
    return values
