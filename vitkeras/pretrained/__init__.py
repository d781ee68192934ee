"""Trained classifiers, wherever they come from: KerasHub's presets, Hugging Face's folders, models of our own.

from vitkeras import pretrained

classifier = pretrained.load("deit_tiny")               # or vit_base, hf://google/vit-base-patch16-224, a folder …
logits = classifier.logits(photos)                      # (photos, classes); uint8 photos, each of its own size
classifier.top(logits[0], 5)                            # [Guess(name="chimpanzee", index=367, probability=0.76), …]
weights = classifier.attention(photos)                  # (layers, photos, heads, tokens, tokens); ViT and DeiT

python -m vitkeras.pretrained                           which there are, and which are here
python -m vitkeras.pretrained fetch NAME …              one to carry to a classroom without a network
"""

import importlib

from vitkeras.pretrained.catalogue import SHIPPED

# Loaded at first use, so that the commands' --help and mistakes need not wait for TensorFlow.
_HOME = {
    "Classifier": "vitkeras.pretrained.classifier",
    "Guess": "vitkeras.pretrained.classifier",
    "load": "vitkeras.pretrained.loading",
    "probabilities": "vitkeras.pretrained.classifier",
}

__all__ = ["SHIPPED", "Classifier", "Guess", "load", "probabilities"]


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module 'vitkeras.pretrained' has no attribute {name!r}. It has: {', '.join(__all__)}")
    return getattr(importlib.import_module(_HOME[name]), name)
