"""The lecture's tr02c as it was published, kept to be measured against: same operations, in our own words.

Patches come from `tf.image.extract_patches`, positions from an Embedding, attention from Keras; training takes arrays
straight into `fit`. The lecture's own attention, its class C, is here too, for the comparison of layers.
"""

import keras
import tensorflow as tf
from keras import layers


class PublishedPatches(layers.Layer):
    """In: (batch, 28, 28, 1)  Out: (batch, 16, 49)"""

    def call(self, images):
        cut = tf.image.extract_patches(images, [1, 7, 7, 1], [1, 7, 7, 1], [1, 1, 1, 1], "VALID")  # (batch, 4, 4, 49)
        return tf.reshape(cut, (tf.shape(images)[0], 16, 49))


class PublishedEncoder(layers.Layer):
    """In: (batch, 16, 49)  Out: (batch, 16, 64)"""

    def __init__(self):
        super().__init__()
        self.projection = layers.Dense(64)
        self.positions = layers.Embedding(16, 64)

    def call(self, patches):
        return self.projection(patches) + self.positions(tf.range(16))


class PublishedAttention(layers.Layer):
    """The lecture's class C, without its mask, whose 1 means: block.  In and out: (batch, tokens, width)"""

    def __init__(self, num_heads, key_dim, dropout=0.1):
        super().__init__()
        self.num_heads, self.key_dim = num_heads, key_dim
        self.q, self.k, self.v = (layers.Dense(num_heads * key_dim) for _ in "qkv")
        self.drop = layers.Dropout(dropout)

    def build(self, query_shape, value_shape):
        self.out = layers.Dense(query_shape[-1])

    def heads(self, x, batch):
        x = tf.reshape(x, (batch, -1, self.num_heads, self.key_dim))
        return tf.transpose(x, (0, 2, 1, 3))  # (batch, heads, tokens, key_dim)

    def call(self, query, value, training=False):
        batch = tf.shape(query)[0]
        q, k, v = (self.heads(dense(x), batch) for dense, x in ((self.q, query), (self.k, value), (self.v, value)))
        scores = tf.matmul(q, k, transpose_b=True) / tf.sqrt(tf.cast(self.key_dim, q.dtype))
        weights = self.drop(tf.nn.softmax(scores), training=training)  # (batch, heads, tokens, tokens)
        mixed = tf.transpose(tf.matmul(weights, v), (0, 2, 1, 3))  # (batch, tokens, heads, key_dim)
        return self.out(tf.reshape(mixed, (batch, tf.shape(query)[1], self.num_heads * self.key_dim)))

    def compute_output_shape(self, query_shape, value_shape):
        return query_shape


def published_tr02c():
    inputs = layers.Input((28, 28, 1))
    tokens = PublishedEncoder()(PublishedPatches()(inputs))
    for _ in range(4):
        x = layers.LayerNormalization(epsilon=1e-6)(tokens)
        x = layers.MultiHeadAttention(num_heads=4, key_dim=64, dropout=0.1)(x, x)
        tokens = layers.Add()([x, tokens])
        x = layers.LayerNormalization(epsilon=1e-6)(tokens)
        for units in (128, 64):
            x = layers.Dropout(0.1)(layers.Dense(units, activation=tf.nn.gelu)(x))
        tokens = layers.Add()([x, tokens])
    x = layers.Dropout(0.5)(layers.Flatten()(layers.LayerNormalization(epsilon=1e-6)(tokens)))
    for units in (2048, 1024):
        x = layers.Dropout(0.5)(layers.Dense(units, activation=tf.nn.gelu)(x))
    return keras.Model(inputs, layers.Dense(10)(x))
