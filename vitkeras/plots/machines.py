"""How much sooner several machines are done than one: at best, by what their network carries."""

import numpy as np
from matplotlib.figure import Figure

from vitkeras.plots import look
from vitkeras.plots.look import SERIES


def speed_up(machines, times, title, path):
    """times: {network: how many times as fast, for each number of `machines`}"""
    figure = Figure(figsize=(6.4, 4.2))
    axes = figure.subplots()
    axes.plot(machines, machines, "--", color="black", linewidth=1, label="nothing to wait for")
    for colour, (network, values) in zip(SERIES, times.items(), strict=False):
        axes.plot(machines, np.asarray(values), "o-", color=colour, label=network)
    look.tidy(axes, title=title, xlabel="machines", ylabel="times as fast as one, at best", xticks=machines)
    axes.set(ylim=(0, None))
    axes.legend(frameon=False)
    look.save(figure, path)
