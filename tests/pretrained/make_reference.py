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
from conftest import FOLDERS, REFERENCE, pictures, write_hugging_face
from PIL import Image
from transformers import AutoImageProcessor, DeiTForImageClassification, DeiTForImageClassificationWithTeacher
from transformers import ViTForImageClassification

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
    REFERENCE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
