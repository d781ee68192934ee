"""Exercise 4: the Transformer encoder's block, the paper's equations 2 and 3."""

from keras import layers
from numpy.typing import ArrayLike


class EncoderBlock(layers.Layer):
    """z' = MSA(LN(z)) + z, then z = MLP(LN(z')) + z'"""

    def __init__(self, num_heads: int, key_dim: int, mlp_dim: int, dropout: float = 0.1, **kwargs):
        super().__init__(**kwargs)
        self.num_heads, self.key_dim, self.mlp_dim, self.dropout = num_heads, key_dim, mlp_dim, dropout
        self.norm_1 = layers.LayerNormalization(epsilon=1e-6)
        self.attention = layers.MultiHeadAttention(num_heads, key_dim, dropout=dropout)
        self.norm_2 = layers.LayerNormalization(epsilon=1e-6)
        self.mlp_in = layers.Dense(mlp_dim, activation="gelu")
        self.drop = layers.Dropout(dropout)

    def build(self, tokens_shape: tuple):
        self.mlp_out = layers.Dense(tokens_shape[-1])

    def call(self, tokens: ArrayLike, training: bool = False) -> ArrayLike:
        normed = self.norm_1(tokens)
        tokens = tokens + self.attention(normed, normed, training=training)  # (2)
        hidden = self.drop(self.mlp_in(self.norm_2(tokens)), training=training)  # (batch, tokens, mlp_dim)
        return tokens + self.drop(self.mlp_out(hidden), training=training)  # (3)

    def get_config(self) -> dict:
        own = {"num_heads": self.num_heads, "key_dim": self.key_dim, "mlp_dim": self.mlp_dim, "dropout": self.dropout}
        return {**super().get_config(), **own}


def parameters(width: int, num_heads: int, key_dim: int, mlp_dim: int) -> int:
    """Kernels and biases, and gamma and beta of two LayerNorms."""
    inner = num_heads * key_dim
    attention = 3 * (width * inner + inner) + (inner * width + width)
    mlp = (width * mlp_dim + mlp_dim) + (mlp_dim * width + width)
    return attention + mlp + 2 * 2 * width
