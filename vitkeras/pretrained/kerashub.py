"""A preset in KerasHub's form: config.json, weights, and the preprocessing that belongs to it."""

import contextlib
import threading
from pathlib import Path

import keras
import keras_hub
import numpy as np

from vitkeras.errors import Misuse, Problem
from vitkeras.pretrained import catalogue, loading
from vitkeras.pretrained.classifier import Classifier
from vitkeras.pretrained.labels import IMAGENET_CLASSES, imagenet

WITH_ATTENTION = ("ViTBackbone", "DeiTBackbone")
DESCRIPTIONS = ("config.json", "task.json", "preprocessor.json", "image_converter.json")
HEADS = ("task.weights.h5", "task.weights.json")
USUAL_SIDE = 224
LARGE = 30 << 20  # numbers in a photo: as floats they take 120 MB, and that several times over
ONE_LARGE = threading.Lock()


def from_folder(name, folder):
    folder = Path(folder)
    for file in DESCRIPTIONS:
        if (folder / file).is_file():
            loading.described(folder / file)
    from_timm = "architecture" in loading.described(folder / "config.json")  # KerasHub converts some of those
    if not from_timm and not (folder / "task.json").is_file():
        raise Misuse(
            f"{name} is a backbone without a head: it was trained to be fine-tuned, and can name no classes. Lesson 14 "
            "goes on from one; to classify, choose a preset that ends in _imagenet."
        )
    if not from_timm and not any((folder / file).is_file() for file in HEADS):
        raise Problem(
            f"{name} lacks the weights of its head, {HEADS[0]}, and would answer by chance. Copy it again, whole."
        )
    task = keras_hub.models.ImageClassifier.from_preset(str(folder), dtype="float32")
    return from_task(name, task)


def from_task(name, task):
    """Any `keras_hub.models.ImageClassifier`."""
    remarks = []
    if hasattr(task, "output_dense"):
        task.output_dense.activation = keras.activations.linear  # logits, whatever the preset makes of them
    elif getattr(task, "activation", None) not in (None, "linear"):
        raise Problem(f"{name} ends in {task.activation!r}, and its logits cannot be reached.")
    converter = getattr(task.preprocessor, "image_converter", None)
    if converter is None:
        raise Problem(
            f"{name} comes without preprocessing (no image converter), so nobody knows how it wants its pixels. Save "
            "it again with a preprocessor: keras_hub's save_to_preset keeps it."
        )
    if converter.image_size is None:
        side = task.backbone.input_shape[1] or USUAL_SIDE
        converter.image_size = (side, side)
        remarks.append(f"the preset names no image size; photos are brought to {side} x {side} pixels")
    classes = task.output_shape[-1]
    if classes == IMAGENET_CLASSES and "imagenet" not in name:
        remarks.append("with 1,000 classes, they are given ImageNet's names; --labels FILE gives others")
    if classes > IMAGENET_CLASSES:
        remarks.append(
            f"the {classes:,} classes are not ImageNet's 1,000 and have no names here; --labels FILE names them"
        )
    kind = type(task.backbone).__name__
    return Classifier(
        name,
        catalogue.FAMILIES.get(kind.removesuffix("Backbone").lower(), kind.removesuffix("Backbone")),
        keras.Model(task.inputs[0], task.outputs[0]),  # the task itself would prepare again what is prepared
        lambda photo: prepared(converter, photo),
        lambda pixels: shown(converter, pixels),
        imagenet() if classes == IMAGENET_CLASSES else None,
        remarks,
        **({"backbone": task.backbone, "head": head_of(task)} if kind in WITH_ATTENTION else {}),
    )


def head_of(task):
    """What a ViT's or DeiT's classifier does with the tokens of its backbone."""

    def head(tokens):
        pooled = tokens[:, 0] if task.pooling == "token" else keras.ops.mean(tokens, axis=1)  # (batch, width)
        if getattr(task, "intermediate_dim", None) is not None:
            pooled = task.intermediate_layer(pooled)
        return task.output_dense(pooled)

    return head


def prepared(converter, photo):
    """In float32 from the start: of bytes, the resized image would be rounded to bytes."""
    with ONE_LARGE if photo.size > LARGE else contextlib.nullcontext():
        return keras.ops.convert_to_numpy(converter(photo[None].astype("float32")))[0]


def shown(converter, pixels):
    """Undo scale and offset; 0.5 is added so that cutting off rounds."""
    pixels = (pixels.astype("float32") - np.float32(converter.offset or 0)) / np.float32(
        1 if converter.scale is None else converter.scale
    )
    return np.clip(pixels + 0.5, 0, 255).astype("uint8")
