from vitkeras.grading import equal


def test_the_layer_has_as_many_outputs_as_asked_for(student, rng):
    units = int(rng.integers(5, 50))
    layer = student.layer(units)
    layer.build([None, 2])
    equal([list(weights.shape) for weights in layer.get_weights()], [[2, units], [units]], "the shapes of its weights")
