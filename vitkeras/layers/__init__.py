"""The layers of a Vision Transformer, in `keras.ops`: they run on TensorFlow, JAX and PyTorch alike."""

from vitkeras.layers.attention import MyMultiHeadAttention, copy_attention_weights
from vitkeras.layers.encoder import EncoderBlock
from vitkeras.layers.patches import ImageFromPatches, Patches
from vitkeras.layers.tokens import ClassToken, PatchEncoder, PositionEmbedding

__all__ = [
    "ClassToken",
    "EncoderBlock",
    "ImageFromPatches",
    "MyMultiHeadAttention",
    "PatchEncoder",
    "Patches",
    "PositionEmbedding",
    "copy_attention_weights",
]
