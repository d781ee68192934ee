"""Attention that knows how the patches lie to each other."""

import keras
import numpy as np
from keras import ops

from vitkeras.layers import checks
from vitkeras.layers.attention import MyMultiHeadAttention

AROUND = [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)]  # down, right: the eight neighbours
LOWEST = -8.0  # what a look elsewhere costs at most to begin with: exp(-8) is little, yet not nothing


@keras.saving.register_keras_serializable(package="vitkeras")
class GridAttention(MyMultiHeadAttention):
    """Multi-head attention among the patches of a grid, with a learned number for each offset between two of them.

        Attention(Q, K, V) = softmax(Q Kᵀ / √key_dim + B) V       B[head, i, j] = table[head, row of j - row of i,
                                                                                        column of j - column of i]

    The table is one for the whole picture: what a head learns of "one patch to the left" in one corner holds in every
    other (Liu et al., "Swin Transformer", 2021). It begins with zeros, and then nothing differs from plain attention.
    With `local=True` head h begins with a look at the h-th of the eight neighbours, the way the weights of a 3 x 3
    convolution belong to one neighbour each (d'Ascoli et al., "ConViT", 2021); training may turn it elsewhere.

    A class token in front has no place on the grid: it looks, and is looked at, as in plain attention.

    In and out: as `MyMultiHeadAttention`, with rows * columns tokens as targets and as sources, or one more

    >>> tuple(GridAttention(num_heads=8, key_dim=8, grid=(4, 4))(*2 * [np.ones((2, 16, 64), "float32")]).shape)
    (2, 16, 64)
    """

    def __init__(self, num_heads, key_dim, dropout=0.1, *, grid, local=False, **kwargs):
        super().__init__(num_heads, key_dim, dropout, **kwargs)
        self.grid = checks.grid(type(self).__name__, grid)
        self.local = bool(local)

    def build(self, query_shape, value_shape, key_shape=None):
        super().build(query_shape, value_shape, key_shape)
        rows, columns = self.grid
        down, right = np.meshgrid(range(1 - rows, rows), range(1 - columns, columns), indexing="ij")
        self.table = self.add_weight(
            shape=(self.num_heads, down.size),
            initializer=lambda shape, dtype: ops.convert_to_tensor(self.first_look(down, right), dtype),
            name="table",
        )
        # Which of the table's offsets leads from patch i to patch j: (rows * columns squared,)
        row, column = np.divmod(np.arange(rows * columns), columns)
        below, beside = row - row[:, None] + rows - 1, column - column[:, None] + columns - 1
        self.offsets = (below * (2 * columns - 1) + beside).reshape(-1)

    def first_look(self, down, right):
        """The table to begin with: (heads, offsets)."""
        table = np.zeros((self.num_heads, down.size), "float32")
        for head in range(self.num_heads if self.local else 0):
            to_row, to_column = AROUND[head % len(AROUND)]
            table[head] = -((down - to_row) ** 2 + (right - to_column) ** 2).reshape(-1)
        return np.maximum(table, LOWEST)

    def placed(self, scores):
        patches = self.grid[0] * self.grid[1]
        bias = ops.reshape(ops.take(self.table, self.offsets, axis=1), (self.num_heads, patches, patches))
        if scores.shape[-1] > patches:
            bias = ops.pad(bias, [[0, 0], [1, 0], [1, 0]])  # (heads, 1 + patches, 1 + patches)
        return scores + ops.cast(bias, scores.dtype)  # (batch, heads, tokens, tokens)

    def check_shapes(self, query_shape, value_shape, key_shape=None):
        super().check_shapes(query_shape, value_shape, key_shape)
        patches = self.grid[0] * self.grid[1]
        if query_shape[1] != value_shape[1] or value_shape[1] not in (patches, 1 + patches):
            raise ValueError(
                f"GridAttention has a grid of {self.grid[0]} x {self.grid[1]}, so it takes {patches} tokens, one for "
                f"each patch, or {1 + patches} with a class token. "
                f"Received: {query_shape[1]} targets and {value_shape[1]} sources"
            )

    def get_config(self):
        return {**super().get_config(), "grid": self.grid, "local": self.local}
