"""The ViT of the cost benchmark in Keras, in a process of its own: built, asked to train, asked to answer, profiled."""

import collections
import re
import tempfile
from pathlib import Path

import numpy as np

from vitkeras.benchmark.measuring import milliseconds_of

# A part of the step, and what the names of its operations have in them; the first that fits.
MARKS = {
    "optimiser": ("adamw", "adam_w", "Optimizer", "optimizer"),
    "matrix products": ("MatMul",),
    "softmax": ("Softmax", "softmax"),
    "biases": ("BiasAdd",),
    "normalisation": ("norm",),
    "activation": ("Gelu", "gelu", "Relu", "relu", "Erf"),
    "heads and scores": ("attention",),
}
OPERATION = re.compile(r"[^:]+:\w+")  # what the profiler calls one: name:type. The rest encloses operations


def vit(variant):
    import keras
    from keras import layers

    from vitkeras import EncoderBlock, LeanBlock, PatchEncoder, Patches

    block = LeanBlock if variant.lean else EncoderBlock
    inputs = keras.Input((28, 28, 1))
    tokens = PatchEncoder(variant.tokens, variant.width)(Patches(variant.patch)(inputs))
    for _ in range(variant.blocks):
        tokens = block(variant.heads, 2 * variant.width, dropout=0.0)(tokens)
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization(epsilon=1e-6)(tokens))
    return keras.Model(inputs, layers.Dense(10, dtype="float32")(x))


def get_ready(variant, precision, device):
    """Build and trace. Returns the weights, an image, its logits, and the multiply-adds of a step of each kind."""
    global steps
    import keras

    from vitkeras import machine
    from vitkeras.benchmark import price

    keras.backend.clear_session()
    machine.prepare(1, device, precision)
    model = vit(variant)
    steps = {"training": training_step(model, variant.batch), "inference": inference_step(model, variant.batch)}
    for step in steps.values():
        step().numpy()
    image = np.random.default_rng(2).random((4, 28, 28, 1), "float32")
    return {
        "weights": model.get_weights(),
        "image": image,
        "logits": np.asarray(model(image, training=False)),
        "costs": {f"{what} multiply-adds": price.multiply_adds(step) for what, step in steps.items()},
    }


def some_images(count):
    import tensorflow as tf

    rng = np.random.default_rng(1)
    return tf.constant(rng.random((count, 28, 28, 1), "float32")), tf.constant(rng.integers(0, 10, count))


def training_step(model, batch):
    """Forward, loss, gradients, AdamW: what `fit` does with a batch that is there already."""
    import keras
    import tensorflow as tf

    images, labels = some_images(batch)
    optimizer = keras.optimizers.AdamW(0.001)
    optimizer.build(model.trainable_variables)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            logits = model(images, training=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
        gradients = tape.gradient(loss, [variable.value for variable in model.trainable_variables])
        optimizer.apply(gradients)
        return loss

    return step


def inference_step(model, batch):
    import tensorflow as tf

    images, _ = some_images(batch)
    return tf.function(lambda: model(images, training=False))


def once(what):
    return milliseconds_of(lambda: steps[what]().numpy())


def peak(side, precision):
    """GFLOP/s of a product of two square matrices."""
    import tensorflow as tf

    kind = {"float32": tf.float32, "bfloat16": tf.bfloat16, "float16": tf.float16}[precision]
    left, right = (tf.cast(tf.random.normal((side, side)), kind) for _ in range(2))
    product = tf.function(lambda: tf.reduce_sum(tf.matmul(left, right)[:1]))
    product().numpy()
    return 2 * side**3 / milliseconds_of(lambda: product().numpy(), seconds=0.2) / 1e6


def where_a_step_goes(variant, precision, device="cpu", steps_profiled=5):
    """Milliseconds of each part of a training step, by TensorFlow's profiler: {"matrix products": …, …}"""
    import tensorflow as tf

    get_ready(variant, precision, device)
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        for _ in range(steps_profiled):
            steps["training"]().numpy()
        tf.profiler.experimental.stop()
        (file,) = Path(folder).rglob("*.xplane.pb")
        return parts_of(file.read_bytes(), steps_profiled)


def parts_of(profile, steps_profiled):
    # TensorFlow's profile is a protocol buffer whose description it ships, at a place that has changed before.
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space = xplane_pb2.XSpace.FromString(profile)
    parts = collections.Counter(dict.fromkeys([*MARKS, "everything else"], 0.0))
    for plane in space.planes:
        for line in plane.lines:
            for event in line.events:
                name = plane.event_metadata[event.metadata_id].name
                if OPERATION.fullmatch(name):
                    parts[part_of(name)] += event.duration_ps / 1e9 / steps_profiled
    return dict(parts)


def part_of(operation):
    """Which part of a step an operation belongs to, by its name.

    >>> part_of("gradient_tape/functional/encoder_block/norm_1/mul:Mul"), part_of("mlp_in/MatMul:_MklMatMul")
    ('normalisation', 'matrix products')
    """
    return next((part for part, marks in MARKS.items() if any(mark in operation for mark in marks)), "everything else")
