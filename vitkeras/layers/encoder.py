"""The Transformer encoder's block: the paper's equations 2 and 3."""

import keras

from vitkeras.layers import checks
from vitkeras.layers.attention import MyMultiHeadAttention
from vitkeras.layers.grid_attention import GridAttention


@keras.saving.register_keras_serializable(package="vitkeras")
class EncoderBlock(keras.layers.Layer):
    """Attention, then an MLP; each behind a LayerNorm, each added to what came in.

        z' = MSA(LN(z)) + z            (2)
        z  = MLP(LN(z')) + z'          (3)        MLP: Dense(mlp_dim), GELU, Dense(width)

    `key_dim` is the width of a head; left out, the heads share the token's width, as in the paper. With `grid`, rows
    and columns of patches, the attention also learns how patches lie to each other, and with `local=True` it begins
    with a look at the neighbours; see `GridAttention`.

    In and out: (batch, tokens, width); with `return_attention_scores=True` also (batch, num_heads, tokens, tokens)

    >>> tuple(EncoderBlock(num_heads=4, mlp_dim=128)(np.ones((2, 16, 64), "float32")).shape)
    (2, 16, 64)
    """

    activation, use_bias = "gelu", True  # of the MLP; of every Dense

    def __init__(self, num_heads, mlp_dim, key_dim=None, dropout=0.1, *, grid=None, local=False, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        own = type(self).__name__
        self.num_heads, self.mlp_dim = checks.positive(own, num_heads=num_heads, mlp_dim=mlp_dim)
        self.key_dim = key_dim if key_dim is None else checks.positive(own, key_dim=key_dim)[0]
        (self.dropout,) = checks.rate(own, dropout=dropout)
        if local and grid is None:
            raise ValueError(f"{own} needs the `grid` of the patches to know which are neighbours: local=True")
        self.grid, self.local = None if grid is None else checks.grid(own, grid), bool(local)
        self.norm_1, self.norm_2 = self.normalization("norm_1"), self.normalization("norm_2")
        self.mlp_in = keras.layers.Dense(
            self.mlp_dim, activation=self.activation, use_bias=self.use_bias, name="mlp_in", dtype=self.dtype_policy
        )
        self.drop = keras.layers.Dropout(self.dropout, name="drop", dtype=self.dtype_policy)

    def normalization(self, name):
        # The lecture's epsilon; Keras's own default, 1e-3, is meant for batch statistics.
        return keras.layers.LayerNormalization(epsilon=1e-6, name=name, dtype=self.dtype_policy)

    def build(self, input_shape):
        batch, tokens, width = self.compute_output_shape(input_shape)
        head = (self.num_heads, self.key_dim or width // self.num_heads, self.dropout)
        own = {"use_bias": self.use_bias, "name": "attention", "dtype": self.dtype_policy}
        if self.grid is None:
            self.attention = MyMultiHeadAttention(*head, **own)
        else:
            self.attention = GridAttention(*head, grid=self.grid, local=self.local, **own)
        self.mlp_out = keras.layers.Dense(width, use_bias=self.use_bias, name="mlp_out", dtype=self.dtype_policy)
        self.norm_1.build(input_shape)
        self.attention.build(input_shape, input_shape)
        self.norm_2.build(input_shape)
        self.mlp_in.build(input_shape)
        self.mlp_out.build((batch, tokens, self.mlp_dim))

    def call(self, tokens, mask=None, training=None, return_attention_scores=False):
        normed = self.norm_1(tokens)  # (batch, tokens, width)
        attended, scores = self.attention(
            normed, normed, value_mask=mask, training=training, return_attention_scores=True
        )  # (batch, tokens, width), (batch, heads, tokens, tokens)
        tokens = tokens + self.drop(attended, training=training)

        hidden = self.drop(self.mlp_in(self.norm_2(tokens)), training=training)  # (batch, tokens, mlp_dim)
        tokens = tokens + self.drop(self.mlp_out(hidden), training=training)  # (batch, tokens, width)
        return (tokens, scores) if return_attention_scores else tokens

    def compute_output_shape(self, input_shape):
        shape = checks.axes(type(self).__name__, "tokens", input_shape, "batch", "tokens", "width")
        if self.key_dim is None and shape[-1] % self.num_heads:
            raise ValueError(
                f"{type(self).__name__} shares the width out among the heads, so it must be a multiple of their "
                f"number; say `key_dim` to choose the width of a head. Received: width={shape[-1]}, "
                f"num_heads={self.num_heads}"
            )
        return shape

    def compute_output_spec(self, tokens, mask=None, training=None, return_attention_scores=False):
        output = keras.KerasTensor(self.compute_output_shape(tokens.shape), self.compute_dtype)
        if not return_attention_scores:
            return output
        batch, count, _ = tokens.shape
        return output, keras.KerasTensor((batch, self.num_heads, count, count), self.compute_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "mlp_dim": self.mlp_dim,
            "key_dim": self.key_dim,
            "dropout": self.dropout,
            "grid": self.grid,
            "local": self.local,
        }


@keras.saving.register_keras_serializable(package="vitkeras")
class LeanBlock(EncoderBlock):
    """The encoder's block without what costs a CPU more time than it brings: called like `EncoderBlock`.

        z' = MSA(RMSNorm(z)) + z
        z  = W2 ReLU(W1 RMSNorm(z')) + z'            no biases, in the attention neither

    Matrix products are less than half of a training step; the rest are passes over memory. RMSNorm divides a token by
    its root mean square and does not subtract its mean (Zhang and Sennrich, 2019), ReLU needs one pass and the exact
    GELU several, and every bias is a pass of its own, forth and back; see `python -m vitkeras.benchmark cost`.

    >>> tuple(LeanBlock(num_heads=8, mlp_dim=128, grid=(4, 4), local=True)(np.ones((2, 16, 64), "float32")).shape)
    (2, 16, 64)
    """

    activation, use_bias = "relu", False

    def normalization(self, name):
        return keras.layers.RMSNormalization(epsilon=1e-6, name=name, dtype=self.dtype_policy)
