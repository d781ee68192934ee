"""Exercise 2: tell each token its place, and prove that attention is blind to places without it."""

import keras
from numpy.typing import ArrayLike  # a NumPy array, or a tensor of Keras or TensorFlow


class PatchEncoder(keras.layers.Layer):
    """Project each patch to a token, and add the learned vector of its place: `patch @ kernel + bias + table[place]`.

    In:  (batch, num_patches, values of a patch)
    Out: (batch, num_patches, projection_dim)

    Weights: kernel (values of a patch, projection_dim), bias (projection_dim,), table (num_patches, projection_dim)

    >>> PatchEncoder(16, 64)(np.zeros((2, 16, 49), "float32")).shape
    TensorShape([2, 16, 64])
    """

    def __init__(self, num_patches: int, projection_dim: int, **kwargs):
        super().__init__(**kwargs)
        raise NotImplementedError("positions.py: write PatchEncoder.__init__()")

    def call(self, patches: ArrayLike) -> ArrayLike:
        raise NotImplementedError("positions.py: write PatchEncoder.call()")

    def get_config(self) -> dict:
        """All that is needed to make such a layer again: `PatchEncoder(**layer.get_config())`."""
        raise NotImplementedError("positions.py: write PatchEncoder.get_config()")


def attend(tokens: ArrayLike) -> ArrayLike:
    """Self-attention without weights: softmax(T Tᵀ / √D) T, where T are the tokens of an image, and D is their width.

    In and out: (batch, tokens, D)

    >>> attend(np.array([[[5.0, 6.0], [5.0, 6.0]]]))  # tokens that are alike stay what they are
    array([[[5., 6.], [5., 6.]]])
    """
    raise NotImplementedError("positions.py: write attend()")


def reorder(tokens: ArrayLike, order: ArrayLike) -> ArrayLike:
    """Put the token number `order[i]` in place i, in every image of the batch.

    In:  tokens (batch, tokens, D); order: the numbers from 0 to tokens - 1, each once
    Out: (batch, tokens, D)

    >>> reorder(np.array([[[10.0], [20.0], [30.0]]]), [2, 0, 1])
    array([[[30.], [10.], [20.]]])
    """
    raise NotImplementedError("positions.py: write reorder()")


def reordered_then_attended(tokens: ArrayLike, order: ArrayLike, table: ArrayLike | None = None) -> ArrayLike:
    """Reorder the tokens; add to each the row of `table` for its new place, if there is a table; attend.

    In:  tokens (batch, tokens, D), order as in `reorder`, table (tokens, D) or None
    Out: (batch, tokens, D)
    """
    raise NotImplementedError("positions.py: write reordered_then_attended()")


def attended_then_reordered(tokens: ArrayLike, order: ArrayLike, table: ArrayLike | None = None) -> ArrayLike:
    """Add to each token the row of `table` for its old place, if there is a table; attend; reorder what comes out.

    In:  tokens (batch, tokens, D), order as in `reorder`, table (tokens, D) or None
    Out: (batch, tokens, D)
    """
    raise NotImplementedError("positions.py: write attended_then_reordered()")


def witness() -> tuple[ArrayLike, ArrayLike, ArrayLike]:
    """Tokens, an order and a table for which the two functions above differ by 0.1 or more somewhere.

    Out: tokens (1, tokens, D), order (tokens,), table (tokens, D); 2 to 16 tokens, D at most 16, all numbers of
         tokens and table from -3 to 3
    """
    raise NotImplementedError("positions.py: write witness()")
