"""A solution, for the tests of the grader; the tests make its model."""

import keras


def layer(units):
    return keras.layers.Dense(units)
