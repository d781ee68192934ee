"""Multi-head attention with every step in view."""

import math

import keras
from keras import ops

from vitkeras.layers import checks, masks


@keras.saving.register_keras_serializable(package="vitkeras")
class MyMultiHeadAttention(keras.layers.Layer):
    """What `keras.layers.MultiHeadAttention` does, step by step, and with the same call.

        Attention(Q, K, V) = softmax(Q Kᵀ / √key_dim) V        in each head, with weights of its own

    **In a mask, True means: attend** (as in Keras; the lecture's class has it the other way round). Numbers are taken
    as True unless they are 0. A token that may attend to nothing gets weights of 0, not NaN; so does Keras where it
    hands out scores or has dropout, while its fused way spreads such a token's weights evenly. A `query_mask` marks
    rows of the output that nobody will read, and changes nothing.

    `key_dim` is the width of *one* head, so that Q, K and V are `num_heads * key_dim` wide, whatever the input's width.

    In:  query (batch, targets, query width), value and key (batch, sources, their width), masks broadcastable to
         (batch, targets, sources) or (batch, num_heads, targets, sources)
    Out: (batch, targets, query width); with `return_attention_scores=True` also the weights before dropout,
         (batch, num_heads, targets, sources)

    >>> tokens = np.ones((2, 16, 64), "float32")
    >>> tuple(MyMultiHeadAttention(num_heads=4, key_dim=64)(tokens, tokens).shape)
    (2, 16, 64)
    """

    def __init__(self, num_heads, key_dim, dropout=0.1, *, value_dim=None, use_bias=True, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        value_dim = key_dim if value_dim is None else value_dim
        self.num_heads, self.key_dim, self.value_dim = checks.positive(
            "MyMultiHeadAttention", num_heads=num_heads, key_dim=key_dim, value_dim=value_dim
        )
        (self.dropout,) = checks.rate("MyMultiHeadAttention", dropout=dropout)
        self.use_bias = use_bias
        self.seed = seed

        def projection(width, name):
            return keras.layers.Dense(width, use_bias=use_bias, name=name, dtype=self.dtype_policy)

        self.query_dense = projection(self.num_heads * self.key_dim, "query")
        self.key_dense = projection(self.num_heads * self.key_dim, "key")
        self.value_dense = projection(self.num_heads * self.value_dim, "value")
        self.dropout_layer = keras.layers.Dropout(self.dropout, seed=seed, dtype=self.dtype_policy)

    def build(self, query_shape, value_shape, key_shape=None):
        self.check_shapes(query_shape, value_shape, key_shape)
        self.query_dense.build(query_shape)
        self.key_dense.build(key_shape or value_shape)
        self.value_dense.build(value_shape)
        # As wide as the query, so that the skip connection can add the two: known only now.
        self.output_dense = keras.layers.Dense(
            query_shape[-1], use_bias=self.use_bias, name="attention_output", dtype=self.dtype_policy
        )
        self.output_dense.build((*query_shape[:-1], self.num_heads * self.value_dim))

    def call(
        self,
        query,
        value,
        key=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=None,
        use_causal_mask=False,
    ):
        key = value if key is None else key
        self.check_shapes(query.shape, value.shape, key.shape)

        # 1. Project, and deal the result out to the heads.
        q = self.split_heads(self.query_dense(query))  # (batch, heads, targets, key_dim)
        k = self.split_heads(self.key_dense(key))  # (batch, heads, sources, key_dim)
        v = self.split_heads(self.value_dense(value))  # (batch, heads, sources, value_dim)

        # 2. Compare every target with every source. Dividing Q rather than the product keeps float16 in range.
        k_transposed = ops.transpose(k, (0, 1, 3, 2))  # (batch, heads, key_dim, sources)
        scores = ops.matmul(q / math.sqrt(self.key_dim), k_transposed)  # (batch, heads, targets, sources)
        scores = self.placed(scores)

        # 3. Each target's weights over the sources sum to one.
        mask = masks.merge(scores, value_mask, key_mask, attention_mask, use_causal_mask)
        weights = masks.softmax_where(mask, scores)  # (batch, heads, targets, sources)

        # 4. Mix the values by these weights, head by head.
        mixed = ops.matmul(self.dropout_layer(weights, training=training), v)  # (batch, heads, targets, value_dim)

        # 5. Lay the heads side by side, and let the last projection mix what they have found.
        output = self.output_dense(self.join_heads(mixed))  # (batch, targets, query width)
        return (output, weights) if return_attention_scores else output

    def placed(self, scores):
        """The scores as they are: here places do not count. `GridAttention` adds what it has learned of them."""
        return scores

    def split_heads(self, x):
        batch, tokens, width = ops.shape(x)
        x = ops.reshape(x, (batch, tokens, self.num_heads, width // self.num_heads))
        return ops.transpose(x, (0, 2, 1, 3))  # (batch, heads, tokens, width of a head)

    def join_heads(self, x):
        batch, _, tokens, _ = ops.shape(x)
        x = ops.transpose(x, (0, 2, 1, 3))  # (batch, tokens, heads, width of a head)
        return ops.reshape(x, (batch, tokens, self.num_heads * self.value_dim))

    def check_shapes(self, query_shape, value_shape, key_shape=None):
        layer = "MyMultiHeadAttention"
        key_shape = value_shape if key_shape is None else key_shape
        query_shape = checks.axes(layer, "query", query_shape, "batch", "targets", "width")
        value_shape = checks.axes(layer, "value", value_shape, "batch", "sources", "width")
        key_shape = checks.axes(layer, "key", key_shape, "batch", "sources", "width")
        if None not in (value_shape[1], key_shape[1]) and value_shape[1] != key_shape[1]:
            raise ValueError(
                f"Each key stands for one value, so there must be as many of both. "
                f"Received: {key_shape[1]} keys {key_shape} and {value_shape[1]} values {value_shape}"
            )
        if len({shape[0] for shape in (query_shape, value_shape, key_shape)} - {None}) > 1:
            raise ValueError(
                f"query, value and key must be of one batch. Received: query {query_shape}, value {value_shape}, "
                f"key {key_shape}"
            )

    def compute_output_shape(self, query_shape, value_shape, key_shape=None):
        self.check_shapes(query_shape, value_shape, key_shape)
        return tuple(query_shape)

    def compute_output_spec(
        self,
        query,
        value,
        key=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=None,
        use_causal_mask=False,
    ):
        key_shape = None if key is None else key.shape
        output = keras.KerasTensor(self.compute_output_shape(query.shape, value.shape, key_shape), self.compute_dtype)
        batch, targets, _ = query.shape
        scores = keras.KerasTensor((batch, self.num_heads, targets, value.shape[1]), self.compute_dtype)
        return (output, scores) if return_attention_scores else output

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "dropout": self.dropout,
            "value_dim": self.value_dim,
            "use_bias": self.use_bias,
            "seed": self.seed,
        }
