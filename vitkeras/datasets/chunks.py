"""Images made in chunks, each with random numbers of its own: by however many threads, they are the same."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from vitkeras.datasets.ranges import require_whole
from vitkeras.machine import cores


def in_chunks(work, count, size, seed, threads=None):
    """Call `work(part, rng)` for each part, a slice of 0..count that is at most `size` long.

    seed: a whole number, or a `np.random.SeedSequence`
    threads: how many work at once; one for each processor, if not said. NumPy lets them run side by side.
    """
    require_whole("threads", 1 if threads is None else threads, 1)
    starts = range(0, count, size)
    pool = ThreadPoolExecutor(min(threads or cores(), len(starts)))
    try:
        parts = [slice(start, min(start + size, count)) for start in starts]
        own = map(generator, children(seed, len(parts)))
        jobs = [pool.submit(work, part, rng) for part, rng in zip(parts, own, strict=True)]
        for job in jobs:
            job.result()
    finally:
        pool.shutdown(cancel_futures=True)  # a fault, or Ctrl-C, does not wait for the chunks that have not begun


def children(seed, count):
    """Seeds that follow from one. Unlike those of `SeedSequence.spawn`, they are the same every time."""
    parent = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    return [np.random.SeedSequence(parent.entropy, spawn_key=(*parent.spawn_key, n)) for n in range(count)]


def generator(seed):
    return np.random.Generator(np.random.SFC64(seed))  # NumPy's fastest source
