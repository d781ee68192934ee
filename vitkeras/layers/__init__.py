"""The layers of a Vision Transformer, written in `keras.ops` alone: TensorFlow and JAX run them alike."""

from vitkeras.layers.attention import MyMultiHeadAttention
from vitkeras.layers.encoder import EncoderBlock, LeanBlock
from vitkeras.layers.grid_attention import GridAttention
from vitkeras.layers.patches import ImageFromPatches, Patches
from vitkeras.layers.tokens import ClassToken, PatchEncoder, PositionEmbedding
from vitkeras.layers.transfer import copy_attention_weights

__all__ = [
    "ClassToken",
    "EncoderBlock",
    "GridAttention",
    "ImageFromPatches",
    "LeanBlock",
    "MyMultiHeadAttention",
    "PatchEncoder",
    "Patches",
    "PositionEmbedding",
    "copy_attention_weights",
]
