"""Ask `transformers` on PyTorch about the tests' models and pictures, and keep its answers in reference.json.

Run:  pip install torch transformers && python tests/pretrained/make_reference.py [FOLDER OF PHOTOS]
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
import transformers
from conftest import FOLDERS, IMAGENET, REFERENCE, pictures, write_hugging_face
from PIL import Image
from transformers import (
    AutoImageProcessor,
    DeiTForImageClassification,
    DeiTForImageClassificationWithTeacher,
    ViTForImageClassification,
)

SIDE = 48  # of the images that the tests' models read
CLASSES = {
    ("vit", 1): ViTForImageClassification,
    ("deit", 1): DeiTForImageClassification,
    ("deit", 2): DeiTForImageClassificationWithTeacher,
}


def ask(folder, model_class, images):
    model = model_class.from_pretrained(folder, attn_implementation="eager").eval()
    processor = AutoImageProcessor.from_pretrained(folder)
    answers = []
    for image in images:
        pixels = processor(images=Image.fromarray(image), return_tensors="pt")["pixel_values"]
        with torch.no_grad():
            output = model(pixels, output_attentions=True)
        attention = np.stack([layer[0].numpy() for layer in output.attentions])  # (layers, heads, tokens, tokens)
        answers.append(
            {
                "pixels": [round(float(x), 6) for x in pixels[0, :, ::7, ::11].permute(1, 2, 0).flatten()[::5]],
                "logits": [round(float(x), 6) for x in output.logits[0]],
                "attention": [round(float(x), 7) for x in attention[:, :, 0, ::5].flatten()],  # of the class token
            }
        )
    return answers


def ask_as_kerashub(folder, family, images):
    """The same model, its pixels prepared as KerasHub's converters do, computed here with NumPy and PyTorch."""
    model = CLASSES[family, 1].from_pretrained(folder, attn_implementation="eager").eval()
    answers = []
    for image in images:
        pixels = torch.tensor(image.astype("float32")).permute(2, 0, 1)[None]  # (1, 3, height, width)
        if family == "vit":
            height, width = image.shape[:2]
            side = min(height, width)
            top, left = (height - side) // 2, (width - side) // 2
            pixels = pixels[:, :, top : top + side, left : left + side]
            pixels = torch.nn.functional.interpolate(pixels, (SIDE, SIDE), mode="bilinear", align_corners=False)
            pixels = pixels / 127.5 - 1
        else:
            resized = np.einsum("ih,jw,hwc->cij", *(cubic(length, SIDE) for length in image.shape[:2]), image)
            mean, deviation = (np.array(IMAGENET[name])[:, None, None] for name in ("image_mean", "image_std"))
            pixels = torch.tensor(((resized / 255 - mean) / deviation)[None], dtype=torch.float32)
        with torch.no_grad():
            logits = model(pixels).logits[0]
        answers.append(
            {
                "pixels": [round(float(x), 6) for x in pixels[0, :, ::7, ::11].permute(1, 2, 0).flatten()[::5]],
                "logits": [round(float(x), 6) for x in logits],
            }
        )
    return answers


def cubic(length, side):
    """(side, length): each of `side` places takes four of `length`, by Keys' cubic (a = -0.5), inside the image."""
    matrix = np.zeros((side, length))
    for place in range(side):
        centre = (place + 0.5) * length / side - 0.5
        first = int(np.floor(centre)) - 1
        for source in range(first, first + 4):
            x = abs(centre - source)
            weight = 1.5 * x**3 - 2.5 * x**2 + 1 if x <= 1 else -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
            if 0 <= source < length:
                matrix[place, source] += weight
    return matrix / matrix.sum(1, keepdims=True)


def main():
    photos = sorted(Path(sys.argv[1]).glob("*.jpg")) if len(sys.argv) > 1 else []
    with tempfile.TemporaryDirectory() as place:
        found = {"made_with": {"torch": torch.__version__, "transformers": transformers.__version__}, "folders": {}}
        for number, (name, (kind, config, _)) in enumerate(FOLDERS.items()):
            folder = write_hugging_face(Path(place, str(number)), name)
            model_class = CLASSES[kind, config.get("heads", 1)]
            found["folders"][name] = {
                "pictures": ask(folder, model_class, pictures()),
                "photos": {
                    path.name: answer["logits"]
                    for path, answer in zip(
                        photos, ask(folder, model_class, [np.asarray(Image.open(path)) for path in photos]), strict=True
                    )
                },
            }
        found["kerashub"] = {
            family: ask_as_kerashub(write_hugging_face(Path(place, family), family), family, pictures())
            for family in ("vit", "deit")
        }
    REFERENCE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
