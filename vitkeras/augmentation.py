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


def distorted(images, seed, *, tilt=0.18, shift=1.5, bend=0.7, knots=5):
    """Turn, slant, stretch, shift and bend each image a little, the way handwriting differs.

    Every pixel asks another place for its value, between four pixels. Outside, the pixels of the edge go on.

    tilt: by how many pixels at most a pixel is moved for each one that it lies below the middle, and beside it as well
    shift: pixels, at most, for the whole image
    bend: pixels, standard deviation at `knots` x `knots` places that the rest of the image follows smoothly

    In and out: (batch, height, width, channels), float32
    """
    _, height, width, channels = images.shape
    batch = tf.shape(images)[0]
    middle = tf.constant([(height - 1) / 2, (width - 1) / 2], tf.float32)
    y, x = tf.meshgrid(tf.range(height, dtype=tf.float32), tf.range(width, dtype=tf.float32), indexing="ij")
    pixels = tf.reshape(tf.stack([y, x], axis=-1), (-1, 2)) - middle  # (pixels, 2), from the middle

    chance = tf.random.stateless_uniform((batch, 3, 2), seed, -1.0, 1.0)
    matrices = tf.eye(2) + tilt * chance[:, :2]  # (batch, 2, 2)
    places = pixels @ matrices + shift * chance[:, 2:] + middle  # (batch, pixels, 2)
    if bend:
        moves = bend * tf.random.stateless_normal((batch, knots, knots, 2), tf.random.fold_in(seed, 1))
        places += tf.reshape(tf.image.resize(moves, (height, width), "bicubic"), (batch, -1, 2))
    places = tf.clip_by_value(places, 0.0, tf.constant([height - 1.001, width - 1.001]))

    corners = tf.floor(places)
    down, right = tf.split(places - corners, 2, axis=-1)  # each (batch, pixels, 1)
    corner = tf.cast(corners[..., 0] * width + corners[..., 1], tf.int32)  # (batch, pixels)
    values = tf.reshape(images, (batch, -1, channels))  # (batch, pixels, channels)
    upper_left, upper_right, lower_left, lower_right = (
        tf.gather(values, corner + step, batch_dims=1) for step in (0, 1, width, width + 1)
    )
    upper = upper_left + right * (upper_right - upper_left)
    lower = lower_left + right * (lower_right - lower_left)
    return tf.reshape(upper + down * (lower - upper), (batch, height, width, channels))


def cut_out(images, seed, side):
    """Make a square of `side` pixels grey, anywhere in each image; where it reaches beyond the edge it is smaller."""
    batch, height, width, _ = tf.unstack(tf.shape(images))
    centres = tf.random.stateless_uniform((2, batch, 1), tf.random.fold_in(seed, 201))
    rows = within(tf.range(height), centres[0] * tf.cast(height, tf.float32), side)  # (batch, height)
    columns = within(tf.range(width), centres[1] * tf.cast(width, tf.float32), side)  # (batch, width)
    return tf.where((rows[:, :, None] & columns[:, None, :])[..., None], 0.5, images)


def pasted(images, labels, seed, share):
    """CutMix: in `share` of the batches, every image gets a rectangle of another one, and its label that one's share.

    In and out: images (batch, height, width, channels), labels (batch, classes), each row adding up to one
    """
    _, height, width, _ = tf.unstack(tf.shape(images))
    height, width = tf.cast(height, tf.float32), tf.cast(width, tf.float32)
    happens, part, down, right = tf.unstack(tf.random.stateless_uniform((4,), tf.random.fold_in(seed, 202)))
    side = tf.sqrt(part) * tf.cast(happens < share, tf.float32)  # of the rectangle, as a share of the image's
    rows = within(tf.range(height), down * height, side * height)
    columns = within(tf.range(width), right * width, side * width)
    rectangle = (rows[:, None] & columns[None, :])[..., None]  # (height, width, 1), the same for the whole batch
    of_other = tf.reduce_mean(tf.cast(rectangle, tf.float32))
    others = tf.roll(images, 1, axis=0), tf.roll(labels, 1, axis=0)
    return tf.where(rectangle, others[0], images), (1 - of_other) * labels + of_other * others[1]


def within(places, centre, length):
    return tf.abs(tf.cast(places, tf.float32) + 0.5 - centre) < tf.cast(length, tf.float32) / 2
