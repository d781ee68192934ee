"""Which presets there are, and what a short name stands for."""

import difflib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from vitkeras import machine
from vitkeras.errors import Misuse

SHIPPED_FOLDER = Path(__file__).parent / "shipped"
SHIPPED = tuple(sorted(card.parent.name for card in SHIPPED_FOLDER.glob("*/card.json")))
DEFAULTS = ("deit_base_distilled_patch16_224_imagenet", "vit_base_patch16_224_imagenet")  # the lecture's two

KAGGLE, HUGGING_FACE = "kaggle://", "hf://"


@dataclass(frozen=True)
class Preset:
    """One that can be asked for by its name alone."""

    name: str
    family: str
    parameters: int | None  # of the backbone, as KerasHub counts them
    side: int | None  # of the images that it reads, in pixels; None where the name does not tell
    handle: str  # kaggle://…, or "" for one that we ship


def presets():
    """All that have a name: ours first, then KerasHub's image classifiers, transformers before the others."""
    order = list(FAMILIES.values())
    others = sorted(
        kerashub().values(),
        key=lambda preset: (order.index(preset.family) if preset.family in order else 9, preset.family, preset.name),
    )
    return [*map(shipped, SHIPPED), *others]


def shipped(name):
    about = card(name)
    return Preset(name, "vitkeras", about["parameters"], about["image_shape"][0], "")


def card(name):
    """What is known of a model that ships."""
    return json.loads((SHIPPED_FOLDER / name / "card.json").read_text(encoding="utf-8"))


def kerashub():
    with machine.chatter_held_back():
        import keras_hub

    found = {}
    for name, entry in keras_hub.models.ImageClassifier.presets.items():
        about = entry.get("metadata", {})
        family = FAMILIES.get(name.split("_")[0], about.get("path", "?"))
        found[name] = Preset(name, family, about.get("params"), side(name), entry["kaggle_handle"])
    return found


FAMILIES = {"vit": "ViT", "deit": "DeiT"}


def side(name):
    """The side of the images, if the name tells it. What counts layers (resnet_101) is no multiple of 16.

    >>> side("deit_base_distilled_patch16_384_imagenet"), side("efficientnet_b1_ra4_e3600_r240_imagenet")
    (384, 240)
    >>> side("resnet_101_imagenet")
    """
    sides = [int(number) for number in re.findall(r"_r?(\d{3,4})(?=_|$)", name) if int(number) % 16 == 0]
    return sides[0] if sides else None


def full_name(word, names):
    """The preset that `word` names: in full, or by its beginning.

    Of several with this beginning, the ViT or DeiT for ImageNet's 1,000 classes and 224 pixels is meant, if it is one.

    >>> full_name("vit_base", ["vit_base_patch16_224_imagenet", "vit_base_patch16_384_imagenet"])
    'vit_base_patch16_224_imagenet'
    """
    if word in names:
        return word
    begun = list(dict.fromkeys(name for name in names if name.startswith(f"{word}_")))
    usual = [name for name in begun if re.search(r"_patch\d+_224_imagenet$", name)]
    for found in (begun, usual):
        if len(found) == 1:
            return found[0]
    if begun:
        raise Misuse(f"{word!r} may be any of {', '.join(begun)}. Say which.")
    like = difflib.get_close_matches(word.lower(), names, 3) or [name for name in names if word in name][:3]
    meant = f" Did you mean {', '.join(like)}?" if like else ""
    raise Misuse(
        f"There is no preset {word!r}, nor a folder or file of this name.{meant} A preset is one of those that "
        "`python -m vitkeras.classify --list-presets` lists, or the beginning of its name; an hf://owner/model or "
        "kaggle://owner/model/keras/variation; a folder or zip with a preset in it; or a model's .keras file."
    )
