"""Layers and models of students: they stay behind the walls, and are looked at from outside."""

import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest

from vitkeras.grading import exercise, walls
from vitkeras.grading.student import Handle, Missing, Raised, Student

COURSE = Path(__file__).parent / "course"
SOLUTION = COURSE / "for_instructors/networks/networks.py"


@pytest.fixture(scope="module")
def networks():
    return exercise.read(COURSE / "networks")


@pytest.fixture(scope="module")
def place(networks):
    place = walls.best(networks)
    yield place
    place.close()


@pytest.fixture
def student_with(networks, place, tmp_path):
    """`student_with(model)`: a student who hands in this Keras model."""
    students = []

    def handing_in(model=None, source=None):
        files = {"networks.py": SOLUTION}
        if source:
            files["networks.py"] = tmp_path / "networks.py"
            files["networks.py"].write_text(source)
        if model:
            files["model.keras"] = tmp_path / "model.keras"
            model.save(files["model.keras"])
        students.append(Student(place, networks, files, "a seed"))
        return students[-1]

    yield handing_in
    for student in students:
        student.close()


def test_a_layer_is_built_and_called_from_outside(student_with):
    student = student_with()
    layer = student.layer(2)
    assert isinstance(layer, Handle)
    layer.build([None, 3])
    layer.set_weights([np.ones((3, 2)), np.array([0, 10])])
    np.testing.assert_allclose(layer(np.array([[1.0, 2, 3]])), [[6, 16]])
    assert student.get(layer, "units") == 2


def test_gradients_are_those_of_the_layer(student_with):
    student = student_with()
    layer = student.layer(1)
    layer.build([None, 2])
    layer.set_weights([np.array([[2.0], [3.0]]), np.zeros(1)])
    x, upstream = np.array([[1.0, 5.0]]), np.array([[10.0]])
    output, (by_x,), (by_kernel, by_bias) = student.gradients(layer, x, upstream=upstream, weights=True)
    np.testing.assert_allclose(output, [[17]])
    np.testing.assert_allclose(by_x, [[20, 30]])
    np.testing.assert_allclose(by_kernel, [[10], [50]])
    np.testing.assert_allclose(by_bias, [10])


def test_a_model_is_loaded_and_predicts(student_with):
    inputs = keras.Input((3,))
    student = student_with(keras.Model(inputs, keras.ops.sum(inputs, axis=1, keepdims=True)))
    got = student.predict(student.model("model.keras"), np.array([[1, 2, 3], [4, 5, 6]], "float32"), batch_size=1)
    np.testing.assert_allclose(got, [[6], [15]])


def test_a_model_with_code_in_it_is_not_loaded(student_with):
    inputs = keras.Input((3,))
    student = student_with(keras.Model(inputs, keras.layers.Lambda(lambda x: x * 2)(inputs)))
    with pytest.raises(Raised, match="(?i)lambda"):
        student.model("model.keras")


def test_a_large_model_crosses(student_with):
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(2_000_000)(inputs))  # 32 MB
    student = student_with(model)
    assert student.get(student.model("model.keras"), "name") == model.name
    assert "Dense" in student.layers("model.keras")


def test_a_file_that_is_no_model_is_told(student_with, tmp_path):
    student = student_with()
    (tmp_path / "broken.keras").write_bytes(b"no model")
    student._submitted["model.keras"] = tmp_path / "broken.keras"
    with pytest.raises(Raised, match="model.keras"):
        student.model("model.keras")


def test_a_model_that_was_not_handed_in_is_missed_by_name(student_with):
    with pytest.raises(Missing, match=r"model\.keras was not handed in"):
        student_with().model("model.keras")


def test_the_same_seed_gives_the_same_weights(student_with):
    source = "import keras\ndef layer(units):\n    return keras.layers.Dense(units)\n"
    kernels = []
    for _ in range(2):
        layer = student_with(source=source).layer(4)
        layer.build([None, 4])
        kernels.append(layer.get_weights()[0])
    np.testing.assert_array_equal(*kernels)


@pytest.mark.parametrize("where", ["keras.layers", "tensorflow.keras.layers"])
def test_what_is_forbidden_is_taken_away_wherever_it_is_shown(networks, where, tmp_path):
    (tmp_path / "networks.py").write_text(
        f"import keras, tensorflow\nlayers = {where}\n"
        "def layer(n): return getattr(layers, 'Multi' + 'HeadAttention')(n, n)\n"
        "def other(n): return layers.Dense(n).units\n"
    )
    forbidding = dataclasses.replace(networks, forbidden={"keras.layers.MultiHeadAttention": "write it yourself"})
    walled = walls.best(forbidding)
    student = Student(walled, forbidding, {"networks.py": tmp_path / "networks.py"}, "a seed")
    try:
        assert student.other(3) == 3
        with pytest.raises(Raised, match="write it yourself"):
            student.layer(2)
    finally:
        student.close()
        walled.close()
