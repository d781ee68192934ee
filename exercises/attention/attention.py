"""Exercise 3: attention, from the scaled dot product to the whole layer."""

import keras
from numpy.typing import ArrayLike  # a NumPy array, or a tensor of Keras or TensorFlow


def scaled_dot_product(
    q: ArrayLike, k: ArrayLike, v: ArrayLike, mask: ArrayLike | None = None
) -> tuple[ArrayLike, ArrayLike]:
    """softmax(Q Kᵀ / √d) V, where d is the width of Q and K. In the mask, True means: attend.

    In:  q (batch, heads, targets, d), k (batch, heads, sources, d), v (batch, heads, sources, width of v), and
         mask, boolean, broadcastable to (batch, heads, targets, sources)
    Out: output (batch, heads, targets, width of v), scores (batch, heads, targets, sources): the softmax
         A target that may attend to no source at all has scores of 0, and an output of 0.

    >>> q, k = np.zeros((1, 1, 1, 4), "float32"), np.zeros((1, 1, 2, 4), "float32")
    >>> output, scores = scaled_dot_product(q, k, np.float32([[[[1, 10], [3, 30]]]]))
    >>> scores, output  # both sources fit equally well, so the output is the mean of their values
    ([[[[0.5, 0.5]]]], [[[[2., 20.]]]])
    """
    raise NotImplementedError("attention.py: write scaled_dot_product()")


def split_heads(x: ArrayLike, num_heads: int) -> ArrayLike:
    """Deal the columns out to the heads: the first head gets the first columns.

    In:  (batch, tokens, num_heads * d)
    Out: (batch, num_heads, tokens, d)

    >>> split_heads(np.array([[[1, 2, 3, 4], [5, 6, 7, 8]]]), num_heads=2)
    array([[[[1, 2], [5, 6]], [[3, 4], [7, 8]]]])
    """
    raise NotImplementedError("attention.py: write split_heads()")


def join_heads(x: ArrayLike) -> ArrayLike:
    """Lay the heads side by side again: the way back from `split_heads`.

    In:  (batch, num_heads, tokens, d)
    Out: (batch, tokens, num_heads * d)

    >>> join_heads(np.array([[[[1, 2], [5, 6]], [[3, 4], [7, 8]]]]))
    array([[[1, 2, 3, 4], [5, 6, 7, 8]]])
    """
    raise NotImplementedError("attention.py: write join_heads()")


class MultiHeadAttention(keras.layers.Layer):
    """Project to queries, keys and values, attend in each head, join the heads, and project once more.

    `key_dim` is the width of one head, whatever the width of the tokens. Without `value`, the tokens of `query` attend
    to one another.

    In:  query (batch, targets, query width), value (batch, sources, value width), which makes keys and values,
         attention_mask, boolean, (batch, targets, sources), True means: attend, alike in all heads
    Out: (batch, targets, query width); with `return_scores=True` also the scores (batch, num_heads, targets, sources)

    Weights, in this order; the columns of the first head come first:
        query kernel (query width, num_heads * key_dim), bias
        key kernel (value width, num_heads * key_dim), bias
        value kernel (value width, num_heads * key_dim), bias
        output kernel (num_heads * key_dim, query width), bias

    >>> MultiHeadAttention(num_heads=4, key_dim=16)(np.ones((2, 16, 64), "float32")).shape
    TensorShape([2, 16, 64])
    """

    def __init__(self, num_heads: int, key_dim: int, **kwargs):
        super().__init__(**kwargs)
        raise NotImplementedError("attention.py: write MultiHeadAttention.__init__()")

    def build(self, query_shape: tuple, value_shape: tuple | None = None):
        """Here the width of the query is known: query_shape[-1]. Keras calls this before the first `call`."""
        raise NotImplementedError("attention.py: write MultiHeadAttention.build()")

    def call(
        self,
        query: ArrayLike,
        value: ArrayLike | None = None,
        attention_mask: ArrayLike | None = None,
        return_scores: bool = False,
    ) -> ArrayLike | tuple[ArrayLike, ArrayLike]:
        raise NotImplementedError("attention.py: write MultiHeadAttention.call()")
