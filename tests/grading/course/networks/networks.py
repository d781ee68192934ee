"""A stub, for the tests of the grader."""


def layer(units):
    raise NotImplementedError("networks.py: write layer()")
