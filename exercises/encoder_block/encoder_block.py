"""Exercise 4: the Transformer encoder's block, the paper's equations 2 and 3."""

import keras
from numpy.typing import ArrayLike  # a NumPy array, or a tensor of Keras or TensorFlow


class EncoderBlock(keras.layers.Layer):
    """Attention, then an MLP; each behind a LayerNorm, each added to what came in.

        z' = MSA(LN(z)) + z            (2)
        z  = MLP(LN(z')) + z'          (3)        MLP: Dense(mlp_dim), exact GELU, Dense(width)

    `key_dim` is the width of one head. `dropout` is the share of values that are dropped in training, and only there.

    In and out: (batch, tokens, width)

    Weights, in this order:
        the first LayerNorm's gamma, beta
        attention's query kernel, bias, key kernel, bias, value kernel, bias, output kernel, bias
        the second LayerNorm's gamma, beta
        the MLP's first kernel, bias, second kernel, bias

    >>> EncoderBlock(num_heads=4, key_dim=16, mlp_dim=128)(np.ones((2, 16, 64), "float32")).shape
    TensorShape([2, 16, 64])
    """

    def __init__(self, num_heads: int, key_dim: int, mlp_dim: int, dropout: float = 0.1, **kwargs):
        super().__init__(**kwargs)
        raise NotImplementedError("encoder_block.py: write EncoderBlock.__init__()")

    def build(self, tokens_shape: tuple):
        """Here the width of the tokens is known: tokens_shape[-1]. Keras calls this before the first `call`."""
        raise NotImplementedError("encoder_block.py: write EncoderBlock.build()")

    def call(self, tokens: ArrayLike, training: bool = False) -> ArrayLike:
        raise NotImplementedError("encoder_block.py: write EncoderBlock.call()")

    def get_config(self) -> dict:
        """All that is needed to make such a block again: `EncoderBlock(**block.get_config())`."""
        raise NotImplementedError("encoder_block.py: write EncoderBlock.get_config()")


def parameters(width: int, num_heads: int, key_dim: int, mlp_dim: int) -> int:
    """How many parameters such a block has for tokens of this width; calculated, without making it.

    In:  four whole numbers
    Out: one whole number

    >>> parameters(width=64, num_heads=4, key_dim=16, mlp_dim=128)
    33472
    """
    raise NotImplementedError("encoder_block.py: write parameters()")
