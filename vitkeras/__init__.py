"""A course kit on Vision Transformers: MNIST and CIFAR-10 experiments in Keras and TensorFlow.

>>> from vitkeras import MyMultiHeadAttention, PatchEncoder, Patches
"""

import importlib
import sys

__version__ = "0.1.0"

# Loaded at first use, so that `python -m vitkeras.datasets --help` need not wait for TensorFlow.
_HOME = {
    "ClassToken": "vitkeras.layers",
    "EncoderBlock": "vitkeras.layers",
    "GridAttention": "vitkeras.layers",
    "ImageFromPatches": "vitkeras.layers",
    "LeanBlock": "vitkeras.layers",
    "MyMultiHeadAttention": "vitkeras.layers",
    "PatchEncoder": "vitkeras.layers",
    "Patches": "vitkeras.layers",
    "PositionEmbedding": "vitkeras.layers",
    "copy_attention_weights": "vitkeras.layers",
}

__all__ = sorted(_HOME)


if "keras" in sys.modules:
    # A saved model finds our layers if they are registered: here, or by `import vitkeras.layers`.
    importlib.import_module("vitkeras.layers")


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module 'vitkeras' has no attribute {name!r}. It has: {', '.join(__all__)}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__():
    return [*globals(), *__all__]
