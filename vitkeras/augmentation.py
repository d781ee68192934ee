"""Training images changed at random, without changing what they show.

Each function takes a batch and a seed of two numbers, as the input pipeline gives them, and chooses anew for every
image. The same seed gives the same choice, so that a resumed training sees what an undisturbed one would have seen.
"""

import tensorflow as tf


def shifted(images, seed, pixels):
    """Move each image by up to `pixels` along both axes; black comes in from outside.

    In and out: (batch, height, width, channels)
    """
    batch, height, width, _ = tf.unstack(tf.shape(images))
    padded = tf.pad(images, [[0, 0], [pixels, pixels], [pixels, pixels], [0, 0]])
    down, right = tf.unstack(tf.random.stateless_uniform((2, batch, 1), seed, 0, 2 * pixels + 1, tf.int32))
    moved = tf.gather(padded, down + tf.range(height), axis=1, batch_dims=1)  # (batch, height, width + 2 pixels, c)
    moved = tf.gather(moved, right + tf.range(width), axis=2, batch_dims=1)  # (batch, height, width, c)
    return tf.ensure_shape(moved, images.shape)


def mirrored(images, seed):
    """Swap left and right in every other image, on average."""
    return chosen(seed, 0, images, tf.reverse(images, [2]))


def turned(images, seed):
    """Mirror and transpose square images: each of a square's eight positions is as likely."""
    images = chosen(seed, 0, images, tf.reverse(images, [2]))
    images = chosen(seed, 1, images, tf.reverse(images, [1]))
    return chosen(seed, 2, images, tf.transpose(images, [0, 2, 1, 3]))


def chosen(seed, number, images, others):
    """For each place in the batch, toss a coin between two images."""
    coin = tf.random.stateless_uniform((tf.shape(images)[0], 1, 1, 1), tf.random.fold_in(seed, 101 + number)) < 0.5
    return tf.where(coin, images, others)
