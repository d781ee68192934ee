"""What a second node brings: the same tasks handed to one node and to two, in turn, each node with one core.

A task is a run of lesson 1 on its small budget: a process that is started, loads TensorFlow, computes little and writes
its pictures. What is not spent in tasks is overhead: packing, placing, waiting, bringing home.
"""

import platform
import statistics
import time
from pathlib import Path

from vitkeras.benchmark.measuring import describe_machine, keep, spread
from vitkeras.benchmark.nodes import Nodes
from vitkeras.benchmark.processes import one_process
from vitkeras.errors import Problem
from vitkeras.farm import Farm, Lost, loaded
from vitkeras.lessons import catalogue
from vitkeras.sweep import work

LESSON = "01_patches"
NODES = (1, 2)


def run(options):
    ray = loaded()
    with one_process() as call:
        figures = {"command": options.command} | call(describe_machine, "cpu")
    figures["versions"] |= {"ray": ray.__version__}
    print(f"machine: {figures['machine']} ({platform.system()})")
    if options.json and not Path(options.json).exists():
        keep(figures, options.json)  # now, so that a wrong path is told before the measuring
    figures |= {"data": "drawn digits (not MNIST)", "task": f"{LESSON} --quick", "tasks": options.tasks, "rounds": []}
    for number in range(options.rounds):
        order = NODES if number % 2 == 0 else NODES[::-1]
        figures["rounds"].append({str(nodes): measured(nodes, options.tasks) for nodes in order})
        print(f"round {number + 1} of {options.rounds}: {told(figures['rounds'][-1])}", flush=True)
    show(figures)
    if options.json:
        keep(figures, options.json)
        print(f"figures: {options.json}")


def measured(nodes, tasks):
    """Seconds for all tasks, and for each of them by itself. A first task on each node has its worker started."""
    (lesson,) = catalogue.choose(catalogue.find(), [LESSON])
    words = ("--quick", "--data", "drawn")
    arguments = {"script": lesson.path.read_text(encoding="utf-8"), "name": lesson.name, "words": words, "threads": 1}
    arguments |= {"gpus": 0, "data": ""}
    with Nodes(nodes) as cluster, Farm(cluster.address) as farm:
        list(farm.done(dict.fromkeys(range(nodes), (work.run, arguments))))
        began = time.perf_counter()
        outcomes = [outcome for _, outcome in farm.done(dict.fromkeys(range(tasks), (work.run, arguments)))]
        lost = [outcome for outcome in outcomes if isinstance(outcome, Lost) or outcome["code"]]
        if lost:
            raise Problem(f"a task failed, so there is nothing to compare: {lost[0]}")
        return {"seconds": time.perf_counter() - began, "tasks": [outcome["seconds"] for outcome in outcomes]}


def told(one):
    return f"1 node {one['1']['seconds']:.0f} s, 2 nodes {one['2']['seconds']:.0f} s"


def show(figures):
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{figures['tasks']} tasks, a core each. Median (range) of the rounds")
    for column in (
        "nodes",
        "tasks a minute",
        "seconds of a task",
        "overhead of a task, s",
        "times as fast as one node",
    ):
        table.add_column(column, justify="right")
    for row in rows(figures):
        table.add_row(*row)
    Console(width=120).print(table)


def rows(figures):
    for nodes in NODES:
        found = [one[str(nodes)] for one in figures["rounds"]]
        ratios = [one["1"]["seconds"] / one[str(nodes)]["seconds"] for one in figures["rounds"]]
        overhead = [(nodes * one["seconds"] - sum(one["tasks"])) / figures["tasks"] for one in found]
        yield [
            str(nodes),
            spread([60 * figures["tasks"] / one["seconds"] for one in found]),
            spread([statistics.mean(one["tasks"]) for one in found]),
            spread(overhead),
            spread(ratios),
        ]
