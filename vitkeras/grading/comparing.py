"""Whether an answer is what a test expected. If not: both in a few lines, and where they part."""

import numpy as np

from vitkeras.grading.student import Raised


class Different(AssertionError):
    """An answer is not what was expected. `expected` and `got` are short texts for people."""

    def __init__(self, message, expected="", got=""):
        super().__init__(message)
        self.message, self.expected, self.got = message, expected, got


def close(got, expected, what="the result", rtol=1e-4, atol=1e-5):
    """Pass if `got` is an array of the same shape with values that are `expected` up to rounding."""
    expected = np.asarray(expected)
    array = numbers(got, expected, what)
    if np.issubdtype(array.dtype, np.inexact) and not np.isfinite(array).all() and np.isfinite(expected).all():
        count = int((~np.isfinite(array)).sum())
        raise Different(f"{what}: {count} of {array.size} values are NaN or infinite", "numbers", brief(array))
    wrong = ~np.isclose(array.astype("complex128"), expected.astype("complex128"), rtol=rtol, atol=atol, equal_nan=True)
    parted(what, array, expected, wrong)


def equal(got, expected, what="the result"):
    """Pass if `got` is exactly `expected`: number, text, list, or array with the same shape and values."""
    if isinstance(expected, np.ndarray):
        array = numbers(got, expected, what)
        parted(what, array, expected, array != expected)
    elif not alike(listed(got), listed(expected)):
        raise Different(f"{what}: not what was expected", brief(expected), brief(got))


def alike(got, expected):
    """Whether two plain values are the same. True is not 1, and an array is no list; 16.0 is 16."""
    if isinstance(expected, list):
        same = isinstance(got, list) and len(got) == len(expected)
        return same and all(alike(*pair) for pair in zip(got, expected, strict=True))
    if isinstance(expected, dict):
        same = isinstance(got, dict) and got.keys() == expected.keys()
        return same and all(alike(got[key], expected[key]) for key in expected)
    if isinstance(expected, bool | str | None):
        return type(got) is type(expected) and got == expected
    return isinstance(got, int | float) and not isinstance(got, bool) and got == expected


def refuses(kind, call, what="this"):
    """Pass if the student's code raises an exception of this kind in `call()`."""
    try:
        got = call()
    except Raised as fault:
        if kind.__name__ in fault.kinds:
            return
        raise Different(f"{what}: the wrong kind of error", kind.__name__, f"{fault.kind}: {fault.text}") from None
    raise Different(f"{what}: should be refused", f"a {kind.__name__}", brief(got))


def numbers(got, expected, what):
    """`got` as an array of the expected shape, whatever plain numbers it came as."""
    if isinstance(got, np.ndarray):
        array = got
    else:
        try:
            array = np.asarray(listed(got))
        except ValueError:
            array = np.empty(0, object)
    if array.dtype.kind not in "biufc":
        raise Different(f"{what}: not numbers", f"an array of shape {expected.shape}", brief(got))
    if array.shape != expected.shape:
        raise Different(f"{what}: another shape", f"shape {expected.shape}", f"shape {array.shape}")
    return array


def parted(what, array, expected, wrong):
    if not wrong.any():
        return
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    share = f"{int(wrong.sum()):,} of {wrong.size:,} values differ" if wrong.ndim else "another value"
    place = f"; the first at {list(first)}" if first else ""
    around = (*first[:-1], slice(first[-1], first[-1] + 6)) if first else ()
    raise Different(f"{what}: {share}{place}", brief(expected[around]), brief(array[around]))


def brief(value):
    """A value in one short line.

    >>> brief(np.float32([1, 2.5]))
    '[1. 2.5]'
    """
    if isinstance(value, np.ndarray):
        text = np.array2string(value.ravel()[:6], precision=5, suppress_small=True, separator=" ")
        return text if value.ndim <= 1 and value.size <= 6 else f"shape {value.shape}, beginning {text}"
    text = repr(value)
    return text if len(text) <= 300 else text[:300] + "…"


def listed(value):
    """Tuples as lists, for on their way they become lists."""
    if isinstance(value, list | tuple):
        return [listed(item) for item in value]
    return (
        value.item() if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and not value.ndim) else value
    )
