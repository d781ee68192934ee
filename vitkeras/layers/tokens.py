"""From patches to tokens: the projection, the positions, the class token. Together the paper's equation 1."""

import keras
from keras import ops

from vitkeras.layers import checks


@keras.saving.register_keras_serializable(package="vitkeras")
class PositionEmbedding(keras.layers.Layer):
    """Add to the token at place i the i-th row of a learned table: `x[i] + E[i]`.

    The lecture looks the rows up with `layers.Embedding`. Since all rows are wanted, and in order, the look-up gives
    back the table itself, and adding the table is the same thing without the look-up.

    In and out: (batch, positions, width)

    >>> tuple(PositionEmbedding(16)(np.zeros((2, 16, 64), "float32")).shape)
    (2, 16, 64)
    """

    def __init__(self, num_positions, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        (self.num_positions,) = checks.positive("PositionEmbedding", num_positions=num_positions)

    def build(self, input_shape):
        width = self.compute_output_shape(input_shape)[-1]
        self.table = self.add_weight(shape=(self.num_positions, width), initializer="uniform", name="table")

    def call(self, tokens):
        self.compute_output_shape(tokens.shape)
        return tokens + self.table  # (batch, positions, width) + (positions, width)

    def compute_output_shape(self, input_shape):
        shape = checks.axes("PositionEmbedding", "tokens", input_shape, "batch", "positions", "width")
        if shape[1] != self.num_positions:
            raise ValueError(
                f"There is one row in the table for each of {self.num_positions} positions, so the input must have "
                f"as many tokens. Received: {shape[1]} tokens, in an input of shape {shape}"
            )
        return shape

    def get_config(self):
        return {**super().get_config(), "num_positions": self.num_positions}


@keras.saving.register_keras_serializable(package="vitkeras")
class PatchEncoder(keras.layers.Layer):
    """Project each patch linearly to a token and add its learned position: `patch @ W + b + E[i]`.

    In:  (batch, num_patches, values of a patch)
    Out: (batch, num_patches, projection_dim)

    >>> tuple(PatchEncoder(16, 64)(np.zeros((2, 16, 49), "float32")).shape)
    (2, 16, 64)
    """

    def __init__(self, num_patches, projection_dim, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.num_patches, self.projection_dim = checks.positive(
            "PatchEncoder", num_patches=num_patches, projection_dim=projection_dim
        )
        self.projection = keras.layers.Dense(self.projection_dim, name="projection", dtype=self.dtype_policy)
        self.position_embedding = PositionEmbedding(
            self.num_patches, name="position_embedding", dtype=self.dtype_policy
        )

    def build(self, input_shape):
        output_shape = self.compute_output_shape(input_shape)
        self.projection.build(input_shape)
        self.position_embedding.build(output_shape)

    def call(self, patches):
        self.compute_output_shape(patches.shape)
        return self.position_embedding(self.projection(patches))  # (batch, num_patches, projection_dim)

    def compute_output_shape(self, input_shape):
        batch, patches, _ = checks.axes(
            "PatchEncoder", "patches", input_shape, "batch", "num_patches", "values of a patch"
        )
        if patches != self.num_patches:
            raise ValueError(
                f"PatchEncoder(num_patches={self.num_patches}) has a position for each of {self.num_patches} "
                f"patches. Received: {patches} patches, in an input of shape {tuple(input_shape)}"
            )
        return batch, self.num_patches, self.projection_dim

    def get_config(self):
        return {**super().get_config(), "num_patches": self.num_patches, "projection_dim": self.projection_dim}


@keras.saving.register_keras_serializable(package="vitkeras")
class ClassToken(keras.layers.Layer):
    """Put one learned token before the others; what it has gathered after the last block stands for the image.

    In:  (batch, tokens, width)
    Out: (batch, 1 + tokens, width)

    >>> tuple(ClassToken()(np.ones((2, 16, 64), "float32")).shape)
    (2, 17, 64)
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_mask(self, tokens, mask=None):
        if mask is None:
            return None
        return ops.pad(mask, [[0, 0], [1, 0]], constant_values=True)  # the class token may always be looked at

    def build(self, input_shape):
        width = self.compute_output_shape(input_shape)[-1]
        self.token = self.add_weight(shape=(1, 1, width), initializer="zeros", name="token")

    def call(self, tokens):
        batch, _, width = ops.shape(tokens)
        token = ops.broadcast_to(ops.cast(self.token, self.compute_dtype), (batch, 1, width))
        return ops.concatenate([token, ops.cast(tokens, self.compute_dtype)], axis=1)  # (batch, 1 + tokens, width)

    def compute_output_shape(self, input_shape):
        batch, tokens, width = checks.axes("ClassToken", "tokens", input_shape, "batch", "tokens", "width")
        return batch, None if tokens is None else 1 + tokens, width
