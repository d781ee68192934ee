"""Counting in graphs, taking turns, power laws and crossings."""

import sys

import numpy as np
import pytest
import tensorflow as tf

from vitkeras.benchmark import price


def test_multiply_adds_of_products_worked_out_by_hand():
    a, b, batch = tf.ones((3, 5)), tf.ones((5, 7)), tf.ones((2, 4, 3, 5))

    @tf.function
    def products():
        turned = tf.matmul(b, a, transpose_a=True, transpose_b=True)  # (7, 3), over 5
        return tf.matmul(a, b), turned, tf.matmul(batch, batch, transpose_b=True)  # (2, 4, 3, 3), over 5

    assert price.multiply_adds(products) == 3 * 5 * 7 + 7 * 5 * 3 + 2 * 4 * 3 * 3 * 5


@pytest.mark.parametrize("power", [1, 1.5, 2])
def test_the_exponent_of_an_exact_power_law_is_found(power):
    sizes = np.array([16, 49, 256, 1024])
    assert price.exponent(sizes, 0.3 * sizes**power) == pytest.approx((power, 0.3))


def test_a_curve_overtakes_where_it_meets_the_other():
    sizes = [16, 64, 256, 1024]
    ratio = np.square(sizes) / (100 * np.array(sizes))
    assert price.overtakes(sizes, ratio) == pytest.approx(100)
    assert price.overtakes(sizes, 1e6 * ratio) is None  # ahead from the start
    assert price.overtakes(sizes, 1e-6 * ratio) is None  # never


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak")
def test_the_scores_of_many_tokens_are_seen_in_the_peak_of_memory():
    small = np.ones(2**25)  # 256 MB, which the process of its own must not inherit
    del small
    for few, many in price.peaks_of_attention((64, 2048), 64, 4).values():
        assert many - few > 4 * 4 * 2048**2 / 2**20  # heads, bytes, scores; in megabytes


def test_medians_are_taken_over_the_rounds_of_all_sweeps():
    rows = [
        {"sweep": 1, "tokens": 16, "milliseconds": {"a": [1.0, 2.0], "b": [1.0, 1.0]}},
        {"sweep": 1, "tokens": 64, "milliseconds": {"a": [8.0, 8.0], "b": [2.0, 4.0]}},
        {"sweep": 2, "tokens": 16, "milliseconds": {"a": [30.0], "b": [10.0]}},
    ]
    assert price.median_times(rows) == {"a": [2.0, 8.0], "b": [1.0, 3.0]}
    assert price.median_ratios(rows, "a", "b") == [2.0, 3.0]
