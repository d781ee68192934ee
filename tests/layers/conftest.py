import keras
import numpy as np
import pytest


def with_gradients_tensorflow(layer, inputs, cotangent, **call):
    import tensorflow as tf

    tensors = {name: tf.constant(x) for name, x in inputs.items()}
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        output = layer(**tensors, **call)
        loss = tf.reduce_sum(output * cotangent)
    weights = [w.value for w in layer.trainable_variables]
    of_weights, of_inputs = tape.gradient(loss, (weights, tensors))
    return output, of_weights, of_inputs


def with_gradients_jax(layer, inputs, cotangent, **call):
    import jax

    def loss(weights, inputs):
        output, _ = layer.stateless_call(weights, [v.value for v in layer.non_trainable_variables], **inputs, **call)
        return (output * cotangent).sum(), output

    tensors = {name: jax.numpy.asarray(x) for name, x in inputs.items()}
    weights = [w.value for w in layer.trainable_variables]
    (_, output), (of_weights, of_inputs) = jax.value_and_grad(loss, argnums=(0, 1), has_aux=True)(weights, tensors)
    return output, of_weights, of_inputs


@pytest.fixture
def with_gradients():
    """`with_gradients(layer, {"query": x, …}, cotangent)` → output, gradients of the weights, gradients of the inputs.

    The gradients are those of `sum(output * cotangent)`.
    """
    run = {"tensorflow": with_gradients_tensorflow, "jax": with_gradients_jax}[keras.backend.backend()]

    def call(layer, inputs, cotangent, **kwargs):
        layer(**inputs, **kwargs)  # builds it
        output, of_weights, of_inputs = run(layer, inputs, cotangent, **kwargs)
        to_numpy = keras.ops.convert_to_numpy
        return to_numpy(output), [to_numpy(g) for g in of_weights], {k: to_numpy(g) for k, g in of_inputs.items()}

    return call


@pytest.fixture
def rng():
    return np.random.default_rng(20260101)
