"""What attention costs against the number of tokens, in log-log: a power law is a straight line there."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

from vitkeras.plots import look

PARTS = {"scores and mix": "N² part: scores, softmax, mix", "mlp": "MLP", "projections": "projections Q, K, V, output"}


def price(times, counted, fits, crossings, fit_from, title, path):
    """Two panels: milliseconds an image as measured, with the fitted power laws; and multiplications as counted.

    times: {part: one a number of tokens};  counted: {tokens: {part: multiplications}};  fits: {part: (power, factor)}
    """
    tokens = np.array(list(counted))
    figure = Figure(figsize=(13, 5.8))
    measured, by_formula = figure.subplots(1, 2)
    curves = {part: np.array([counted[n][part] for n in tokens.tolist()]) / 1e6 for part in PARTS}
    for colour, (part, label) in zip(look.SERIES, PARTS.items(), strict=False):
        power, factor = fits[part]
        at = tokens[tokens >= fit_from]
        measured.plot(tokens, times[part], "o", color=colour, ms=5, label=f"{label}: $N^{{{power:.2f}}}$")
        measured.plot(at, factor * at**power, color=colour, lw=1.8)
        by_formula.plot(tokens, curves[part], "o-", color=colour, ms=4, lw=1.8, label=label)
    mark(measured, tokens, times["scores and mix"], crossings["N² part and MLP"])
    mark(by_formula, tokens, curves["scores and mix"], meet(tokens, curves["scores and mix"], curves["mlp"]))
    for axes, what, unit in (
        (measured, "as measured; lines: fits from N = " + str(fit_from), "milliseconds an image"),
        (by_formula, "as counted", "million multiplications an image"),
    ):
        axes.set(xscale="log", yscale="log")
        look.tidy(axes, title=what, xlabel="tokens N", ylabel=unit)
        axes.xaxis.set_major_locator(FixedLocator([n for n in (16, 49, 144, 256, 576, 1024, 2304) if n <= tokens[-1]]))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter("{x:.0f}")
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.legend(frameon=False, loc="upper left")
    figure.suptitle(f"The price of attention: random tokens, {title}")
    figure.tight_layout()
    look.save(figure, path)


def meet(tokens, costs, others):
    """Where a curve of slope 2 meets one of slope 1, each exact: from any one point of both."""
    return float(tokens[0] * others[0] / costs[0])


def mark(axes, tokens, costs, crossing):
    """A dotted line down from where the N² part overtakes the MLP, if it does."""
    if crossing is None:
        return
    height = np.exp(np.interp(np.log(crossing), np.log(tokens), np.log(costs)))
    axes.plot([crossing] * 2, [0.6 * min(costs), height], ":", color="black", lw=1.3)
    axes.annotate(
        f"N² part overtakes the MLP:\nN = {crossing:.0f}", (crossing, height), xytext=(18, -62),
        textcoords="offset points", fontsize=10, arrowprops={"arrowstyle": "-", "lw": 0.8},
    )  # fmt: skip
