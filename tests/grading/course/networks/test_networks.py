import numpy as np
import pytest

from vitkeras.grading import close


@pytest.mark.points(2)
def test_a_layer_multiplies_and_adds(student, rng):
    x, kernel, bias = rng.random((2, 3)), rng.random((3, 4)), rng.random(4)
    layer = student.layer(4)
    layer.build([None, 3])
    layer.set_weights([kernel, bias])
    close(layer(x), x @ kernel + bias, "the layer's output")
    _, (by_input,), (by_kernel, _) = student.gradients(layer, x, upstream=np.ones((2, 4)), weights=True)
    close(by_input, np.ones((2, 4)) @ kernel.T, "the gradient by the input")
    close(by_kernel, x.T @ np.ones((2, 4)), "the gradient by the kernel")


@pytest.mark.points(3)
def test_the_model_reads_what_it_is_given(student, rng):
    numbers = rng.random((6, 3), dtype="float32")
    close(student.predict(student.model("model.keras"), numbers), numbers.sum(axis=1, keepdims=True), "the sums")
