"""What passes for an answer, and what is said of one that does not."""

import numpy as np
import pytest

from vitkeras.grading import Different, Raised, close, equal, refuses


def test_close_takes_any_plain_numbers_of_the_right_shape():
    close([[1, 2], [3, 4]], np.array([[1.0, 2], [3, 4]]))
    close(np.float32([1 / 3]), np.array([1 / 3]))
    close(2, np.float64(2))


@pytest.mark.parametrize(
    ("got", "said"),
    [
        (np.zeros(3), "2 of 3 values differ; the first at"),
        (np.array([0, np.nan, 2.0]), "1 of 3 values are NaN"),
        (np.zeros((3, 1)), "another shape"),
        (5, "another shape"),
        ("abc", "not numbers"),
        (None, "not numbers"),
        ([[1, 2], [3]], "not numbers"),
        ({"a": 1}, "not numbers"),
        (True, "another shape"),
    ],
)
def test_close_says_what_is_wrong(got, said):
    with pytest.raises(Different, match=said) as fault:
        close(got, np.array([0, 1.0, 2]), "the numbers")
    assert fault.value.expected
    assert fault.value.got
    assert str(fault.value).startswith("the numbers: ")


def test_the_first_difference_is_shown_with_what_is_around_it():
    with pytest.raises(Different) as fault:
        close(np.array([[1, 2, 3], [4, 50, 6]]), np.array([[1, 2, 3], [4, 5, 6]]))
    assert "[1, 1]" in str(fault.value)
    assert (fault.value.expected, fault.value.got) == ("[5 6]", "[50  6]")


def test_equal_is_exact():
    equal(np.array([1, 2]), np.array([1, 2]))
    equal([[1, 2], [3]], [(1, 2), [3]])
    equal("a", "a")
    equal(16, 16)
    for got in (np.array([1, 2]), [np.array([1, 2]), 3], {"a": np.ones(2)}):
        with pytest.raises(Different):
            equal(got, [[1, 2], 3])
    for got, expected in ((1.0000001, 1.0), ([1, 2], [1, 3]), ("a", "b"), (True, 1), (1, True), (None, 0), ("16", 16)):
        with pytest.raises(Different):
            equal(got, expected)


def test_refuses_wants_an_error_of_the_kind():
    def raising(*kinds):
        def call():
            raise Raised({"kinds": list(kinds), "message": "no"})

        return call

    refuses(ValueError, raising("ValueError", "Exception"))
    refuses(ValueError, raising("UnicodeError", "ValueError", "Exception"))
    with pytest.raises(Different, match="wrong kind"):
        refuses(ValueError, raising("NotImplementedError", "RuntimeError", "Exception"))
    with pytest.raises(Different, match="should be refused"):
        refuses(ValueError, lambda: 5)
