import pytest

from vitkeras.grading import close


@pytest.mark.points(3, hint="All of them.")
def test_the_total_is_that_of_all_numbers(student, rng, picture):
    numbers = rng.random((5, 6))
    picture("numbers", numbers)
    close(student.total(numbers), numbers.sum(), "the total")


@pytest.mark.points(4)
@pytest.mark.parametrize("size", [3, 70])
def test_numbers_below_zero_are_doubled(student, rng, size):
    numbers = -rng.random(size)
    close(student.double(numbers), 2 * numbers, "the numbers")
