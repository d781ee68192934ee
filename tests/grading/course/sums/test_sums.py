import numpy as np
import pytest

from vitkeras.grading import close, equal, refuses


@pytest.mark.points(2, hint="Twice as much.")
def test_every_number_is_doubled(student, rng):
    numbers = rng.random((3, 4), dtype="float32")
    close(student.double(numbers), 2 * numbers, "the numbers")


@pytest.mark.points(1)
def test_a_text_is_refused(student):
    equal(student.total(np.ones(3)), 3.0, "the total of three ones")
    refuses(TypeError, lambda: student.total("three"), "a text")
