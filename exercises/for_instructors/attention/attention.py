"""Exercise 3: attention, from the scaled dot product to the whole layer."""

import math

from keras import layers, ops
from numpy.typing import ArrayLike


def scaled_dot_product(
    q: ArrayLike, k: ArrayLike, v: ArrayLike, mask: ArrayLike | None = None
) -> tuple[ArrayLike, ArrayLike]:
    """softmax(Q Kᵀ / √d) V. In the mask, True means: attend."""
    k_transposed = ops.transpose(k, (0, 1, 3, 2))  # (batch, heads, d, sources)
    affinities = ops.matmul(q, k_transposed) / math.sqrt(q.shape[-1])  # (batch, heads, targets, sources)
    if mask is None:
        scores = ops.softmax(affinities, axis=-1)
    else:
        # A large number rather than infinity: a row of nothing but infinities is NaN after softmax.
        scores = ops.softmax(ops.where(mask, affinities, -1e9), axis=-1)
        scores = ops.where(mask, scores, 0.0)
    return ops.matmul(scores, v), scores  # (batch, heads, targets, width of v), (batch, heads, targets, sources)


def split_heads(x: ArrayLike, num_heads: int) -> ArrayLike:
    """(batch, tokens, num_heads * d) -> (batch, num_heads, tokens, d)"""
    batch, tokens, width = ops.shape(x)
    x = ops.reshape(x, (batch, tokens, num_heads, width // num_heads))
    return ops.transpose(x, (0, 2, 1, 3))


def join_heads(x: ArrayLike) -> ArrayLike:
    """(batch, num_heads, tokens, d) -> (batch, tokens, num_heads * d)"""
    batch, num_heads, tokens, d = ops.shape(x)
    x = ops.transpose(x, (0, 2, 1, 3))  # (batch, tokens, num_heads, d)
    return ops.reshape(x, (batch, tokens, num_heads * d))


class MultiHeadAttention(layers.Layer):
    """Project to queries, keys and values, attend in each head, join the heads, and project once more."""

    def __init__(self, num_heads: int, key_dim: int, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.query_dense = layers.Dense(num_heads * key_dim)
        self.key_dense = layers.Dense(num_heads * key_dim)
        self.value_dense = layers.Dense(num_heads * key_dim)

    def build(self, query_shape: tuple, value_shape: tuple | None = None):
        self.output_dense = layers.Dense(query_shape[-1])

    def call(
        self,
        query: ArrayLike,
        value: ArrayLike | None = None,
        attention_mask: ArrayLike | None = None,
        return_scores: bool = False,
    ) -> ArrayLike | tuple[ArrayLike, ArrayLike]:
        value = query if value is None else value
        q = split_heads(self.query_dense(query), self.num_heads)  # (batch, heads, targets, key_dim)
        k = split_heads(self.key_dense(value), self.num_heads)  # (batch, heads, sources, key_dim)
        v = split_heads(self.value_dense(value), self.num_heads)  # (batch, heads, sources, key_dim)
        if attention_mask is not None:
            attention_mask = ops.expand_dims(attention_mask, 1)  # (batch, 1, targets, sources): the same in all heads
        mixed, scores = scaled_dot_product(q, k, v, attention_mask)
        output = self.output_dense(join_heads(mixed))  # (batch, targets, query width)
        return (output, scores) if return_scores else output
