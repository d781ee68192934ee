"""Trained classifiers, wherever they come from: KerasHub's presets, Hugging Face's folders, models of our own.

    from vitkeras import pretrained

    classifier = pretrained.load("deit_tiny")               # or vit_base, hf://google/vit-base-patch16-224, a folder …
    logits = classifier.logits(photos)                      # (photos, classes); uint8 photos, each of its own size
    classifier.top(logits[0], 5)                            # [Guess(name="chimpanzee", index=367, probability=0.76), …]
    weights = classifier.attention(photos)                  # (layers, photos, heads, tokens, tokens); ViT and DeiT

    python -m vitkeras.pretrained                           which there are, and which are here
    python -m vitkeras.pretrained fetch NAME …              one to carry to a classroom without a network
"""

from vitkeras.pretrained.catalogue import SHIPPED
from vitkeras.pretrained.classifier import Classifier, Guess, probabilities
from vitkeras.pretrained.loading import load

__all__ = ["SHIPPED", "Classifier", "Guess", "load", "probabilities"]
