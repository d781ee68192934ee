"""How fast the shapes are drawn: by one thread, and by one for each processor, round by round."""

import statistics
import time
from pathlib import Path

from vitkeras.benchmark.measuring import describe_machine, keep, spread
from vitkeras.benchmark.processes import one_process
from vitkeras.datasets import shapes
from vitkeras.machine import cores


def run(options):
    with one_process() as call:
        figures = {"command": options.command} | call(describe_machine, "cpu")
    print(f"machine: {figures['machine']}")
    if options.json and not Path(options.json).exists():
        keep(figures, options.json)  # now, so that a wrong path is told before the measuring
    figures |= {"data": f"same or different shapes, recipe {shapes.RECIPE}", "images": options.images}
    figures["threads"] = race(options.images, options.rounds)
    show(figures)
    if options.json:
        keep(figures, options.json)
        print(f"figures: {options.json}")


def race(images, rounds):
    """Seconds that each number of threads takes in each round. They take turns: a slow moment meets all."""
    seconds = {threads: [] for threads in sorted({1, cores()})}
    for number in range(rounds + 1):
        for threads, times in seconds.items():
            began = time.perf_counter()
            shapes.draw(images, seed=number, threads=threads)
            times.append(time.perf_counter() - began)
    return [{"threads": threads, "seconds": times[1:]} for threads, times in seconds.items()]  # the first warmed up


def show(figures):
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Drawing pictures of two shapes, 96 x 96 pixels. Median (range) of the rounds")
    for column in ("images", "threads", "seconds", "images a second", "times as fast as one thread"):
        table.add_column(column, justify="right")
    for row in rows(figures):
        table.add_row(*row)
    Console(width=120).print(table)


def rows(figures):
    """The cells of the table. Each round's time is compared with that of one thread in the same round."""
    one_thread = figures["threads"][0]["seconds"]
    for figure in figures["threads"]:
        seconds = figure["seconds"]
        ratios = [one / own for one, own in zip(one_thread, seconds, strict=True)]
        yield [
            f"{figures['images']:,}",
            str(figure["threads"]),
            spread(seconds),
            f"{figures['images'] / statistics.median(seconds):,.0f}",
            spread(ratios),
        ]
