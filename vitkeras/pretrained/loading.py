"""From a folder or file to a classifier: which of the forms it has, and who reads that form."""

import itertools
import json
from pathlib import Path

import keras

from vitkeras.errors import Misuse, Problem
from vitkeras.options import PRECISIONS
from vitkeras.pretrained import places

MOST = 1 << 20  # of anything that a description counts: layers, widths, pixels of a side
LARGEST_TEXT = 16 << 20  # bytes of a description
LIMITS = {  # the largest ViT there is has 56 layers; what is beyond takes minutes to fail
    "num_layers": 200, "num_hidden_layers": 200, "image_size": 4096, "image_shape": 4096, "num_heads": 256,
    "num_attention_heads": 256,
}  # fmt: skip
COUNTS_NOTHING = ("id2label", "label2id", "parameter_count", "shared_object_id")
HEADS = (keras.layers.Dense, keras.layers.Average)


def load(preset, precision="float32", download=True):
    """The classifier called `preset`, ready to be asked.

    preset: a model that ships with vitkeras (`pretrained.SHIPPED`); a KerasHub preset or the beginning of its name; an
        hf:// or kaggle:// handle; a folder or zip with a preset of KerasHub's or Hugging Face's form; a .keras file
    precision: "float32", "bfloat16" or "float16"; the weights stay in float32
    download: whether the network may be asked
    """
    if precision not in PRECISIONS:
        raise Misuse(f"precision should be one of {', '.join(PRECISIONS)}. Received: {precision!r}")
    image_format = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_last")  # whatever a keras.json in the home folder says
    try:
        with places.on_disk(str(preset), download) as (name, path):
            classifier = read(name, path)
    finally:
        keras.config.set_image_data_format(image_format)
    return in_precision(classifier, PRECISIONS[precision])


def read(name, path):
    try:
        return reader_of(path)(name, path)
    except Problem:
        raise
    except Exception as fault:  # a wrong file fails anywhere inside the libraries: the remedy is the same
        reason = str(fault).strip().splitlines() or [""]
        raise Problem(
            f"{path} holds no classifier that can be loaded here ({type(fault).__name__}: {reason[0][:300]}). "
            "If it came over a network or on a stick, copy it again; if it was made with another version of its "
            "library, make it anew with this one."
        ) from fault


def in_precision(classifier, policy):
    """Every layer computes as `policy` says, whatever the model was kept in; but the head, which gives the logits."""
    layers = classifier.model.layers
    heads = list(itertools.takewhile(lambda layer: isinstance(layer, HEADS), reversed(layers)))
    for layer in classifier.model._flatten_layers(include_self=False):
        if not getattr(layer, "quantization_mode", None):
            layer.dtype_policy = "float32" if any(layer is head for head in heads) else policy
    return classifier


def reader_of(path):
    # Each takes seconds to import, or stands in for a library that does: only what is needed.
    if path.is_file():
        from vitkeras.pretrained import own

        return own.from_file
    if (path / "card.json").is_file():
        from vitkeras.pretrained import own

        return own.from_card
    if not (path / "config.json").is_file():
        there = sorted(child.name for child in path.iterdir())[:8]
        raise Misuse(
            f"{path} holds no preset: there is no config.json in it. There is: {', '.join(there) or 'nothing'}. "
            "A preset's folder has config.json beside model.weights.h5 (KerasHub) or model.safetensors (Hugging Face)."
        )
    config = described(path / "config.json")
    if "model_type" in config:
        from vitkeras.pretrained import hugging_face

        return hugging_face.from_folder
    from vitkeras.pretrained import kerashub

    return kerashub.from_folder


def described(file):
    """A description in JSON, with numbers within reason: they are what arrays are made by."""
    file = Path(file)
    try:
        if file.stat().st_size > LARGEST_TEXT:
            raise ValueError(f"it has more than {LARGEST_TEXT >> 20} MB")
        text = file.read_bytes()
    except (OSError, ValueError) as fault:
        raise Problem(f"{file} cannot be read as the description of a model: {fault}.") from fault
    return within_reason(text, file)


def within_reason(text, file):
    try:
        content = json.loads(text)
        if not isinstance(content, dict):
            raise ValueError("it should be a table")
        too_large = next((number for number in numbers(content) if not abs(number) <= MOST), None)
        if too_large is not None:
            raise ValueError(f"it says {str(too_large)[:30]}, and no model has so much of anything")
    except (ValueError, RecursionError) as fault:
        raise Problem(f"{file} cannot be read as the description of a model: {str(fault)[:300]}.") from fault
    return content


def numbers(content):
    if isinstance(content, dict):
        for name in content.keys() & LIMITS.keys():
            sizes = content[name] if isinstance(content[name], list) else [content[name]]
            for size in sizes:
                if isinstance(size, int) and size > LIMITS[name]:
                    raise ValueError(f"{name} is {str(size)[:30]}, and {LIMITS[name]:,} is the most that is read here")
        content = [value for name, value in content.items() if name not in COUNTS_NOTHING]
    if isinstance(content, list):
        for value in content:
            yield from numbers(value)
    elif isinstance(content, int | float) and not isinstance(content, bool):
        yield content
