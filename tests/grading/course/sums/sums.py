"""A stub, for the tests of the grader."""


def double(array):
    raise NotImplementedError("sums.py: write double()")


def total(array):
    raise NotImplementedError("sums.py: write total()")
