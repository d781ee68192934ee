"""What a computation costs: multiply-adds counted in its graph, the law that times follow, peak of memory."""

import json
import os
import subprocess
import sys

import numpy as np

from vitkeras.benchmark.measuring import peak_memory
from vitkeras.errors import Problem


def multiply_adds(function):
    """The multiplications in all matrix products of a `tf.function` without arguments, out of the graph it has traced.

    A product of (…, rows, inner) and (…, inner, columns) takes rows * columns * inner of them, and as many additions.
    """
    total = 0
    for operation in function.get_concrete_function().graph.get_operations():
        if operation.type in ("MatMul", "BatchMatMul", "BatchMatMulV2"):
            left = operation.inputs[0].shape
            turned = operation.get_attr("transpose_a" if operation.type == "MatMul" else "adj_x")
            total += operation.outputs[0].shape.num_elements() * left[-2 if turned else -1]
    return total


def median_times(rows):
    """{part: the median time at each number of tokens}, over the rounds of all rows that measured there.

    rows: each {"tokens": N, "milliseconds": {part: one a round}}, as `measuring.in_turn` gives them
    """
    return {part: list(medians(rows, lambda ms, part=part: ms[part])) for part in rows[0]["milliseconds"]}


def median_ratios(rows, part, other):
    """For each number of tokens, how many times as long as `other` a part takes: the median of the rounds' ratios."""
    return list(medians(rows, lambda ms: [a / b for a, b in zip(ms[part], ms[other], strict=True)]))


def medians(rows, figures):
    for tokens in dict.fromkeys(row["tokens"] for row in rows):
        of_all_rounds = [figures(row["milliseconds"]) for row in rows if row["tokens"] == tokens]
        yield float(np.median(np.concatenate(of_all_rounds)))


def exponent(sizes, costs):
    """(exponent, factor) of the power law `factor * size ** exponent` that is nearest, as a line in log-log.

    >>> [round(float(number), 6) for number in exponent([10, 20, 40], [300, 1200, 4800])]
    [2.0, 3.0]
    """
    slope, offset = np.polyfit(np.log(sizes), np.log(costs), 1)
    return float(slope), float(np.exp(offset))


def overtakes(sizes, ratios):
    """The size at which the ratios of two costs pass 1, on straight lines in log-log between those that are given.

    None where they are above 1 from the first size on, or below it up to the last.

    >>> round(overtakes([10, 1000], [0.1, 10]), 6), overtakes([10, 1000], [0.1, 0.9])
    (100.0, None)
    """
    logs = np.log(ratios)  # noise must not turn back what grows: between the highest so far and the lowest to come
    rising = (np.maximum.accumulate(logs) + np.minimum.accumulate(logs[::-1])[::-1]) / 2
    if rising[0] > 0 or rising[-1] < 0:
        return None
    return float(np.exp(np.interp(0, rising, np.log(sizes))))


def peaks_of_attention(tokens, width, num_heads):
    """Megabytes that an attention layer's process needed at most, above what it had before, for an image of N `tokens`.

    {"ours": [one for each N], "keras": …}, or None where the system does not tell: it is Linux that does. A process's
    peak never goes down, so `tokens` must rise. Each layer has a process of its own, on the CPU.
    """
    # Not `one_process`: what it spawns would run the lesson's script again, which has no `if __name__ == "__main__"`.
    words = [sys.executable, "-m", "vitkeras.benchmark.price", str(width), str(num_heads), *map(str, tokens)]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "-1"}
    processes = {
        layer: subprocess.Popen([*words, layer], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for layer in ("ours", "keras")
    }
    answers = {layer: process.communicate()[0] for layer, process in processes.items()}
    for layer, process in processes.items():
        if process.returncode:
            raise Problem(f"measuring the memory of {layer} ended with {process.returncode}. Is there enough memory?")
    return {layer: json.loads(answer) for layer, answer in answers.items()}


def measure_peaks(layer, width, num_heads, tokens):
    import keras
    import tensorflow as tf

    from vitkeras import MyMultiHeadAttention

    maker = {"ours": MyMultiHeadAttention, "keras": keras.layers.MultiHeadAttention}[layer]
    attention = maker(num_heads, width // num_heads, dropout=0.0)

    @tf.function(reduce_retracing=False)
    def attend(x):
        return attention(x, x)

    def peak_after(count):
        attend(tf.random.normal((1, count, width))).numpy()
        return peak_memory()

    before = peak_after(16)
    return None if before is None else [peak_after(count) - before for count in tokens]


if __name__ == "__main__":
    *numbers, layer = sys.argv[1:]
    width, num_heads, *tokens = map(int, numbers)
    print(json.dumps(measure_peaks(layer, width, num_heads, tokens)))
