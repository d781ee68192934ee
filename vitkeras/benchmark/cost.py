"""How the cost of a small ViT grows with the batch, the patches, the width and the depth; and what eats the time.

Each variant trains and answers in a process for each way (TensorFlow, and PyTorch where it is installed), in turn with
a large matrix product of the same precision. The best that this product has reached is what a step is held against.
"""

import contextlib
import importlib.metadata
import importlib.util
import statistics
from dataclasses import asdict, dataclass, replace

from vitkeras.benchmark import in_keras, in_torch
from vitkeras.benchmark.measuring import describe_machine, keep
from vitkeras.benchmark.processes import one_process

DATA = "random images of 28 x 28 pixels, which are there before the clock starts"
PEAK_SIDE = 2048  # of the square matrices whose product is the yardstick
PARTS = (*in_keras.MARKS, "everything else")


@dataclass(frozen=True)
class Variant:
    """A ViT for 28 x 28 images: patches cut and projected, blocks, the mean of the tokens, ten logits."""

    batch: int = 256
    patch: int = 4
    width: int = 64
    blocks: int = 4
    lean: bool = False  # LeanBlock instead of EncoderBlock

    @property
    def tokens(self):
        return (28 // self.patch) ** 2

    @property
    def heads(self):
        return max(1, self.width // 16)


BASE = Variant()
SIZES = {"batch": (16, 64, 256, 1024), "patch": (14, 7, 4, 2), "width": (32, 64, 128, 256), "blocks": (1, 2, 4, 8)}
LEAN = replace(BASE, lean=True)
VARIANTS = list(
    dict.fromkeys([*(replace(BASE, **{name: size}) for name, sizes in SIZES.items() for size in sizes), LEAN])
)


def run(options):
    with one_process() as call:
        figures = {"command": options.command, "data": DATA} | call(describe_machine, options.device)
    torch = importlib.util.find_spec("torch") is not None
    if torch:
        figures["versions"]["torch"] = importlib.metadata.version("torch")
    print(f"machine: {figures['machine']}")
    print("PyTorch: beside" if torch else "PyTorch: not installed, so there is no column for it")
    figures["precisions"] = {}
    for precision in options.precisions:
        with contextlib.ExitStack() as stack:
            ways = {"keras": stack.enter_context(one_process())}
            if torch:
                ways["torch"] = stack.enter_context(one_process())
            rows = [measured(variant, precision, ways, options) for variant in VARIANTS[: options.variants]]
            parts = {
                kind: ways["keras"](in_keras.where_a_step_goes, variant, precision)
                for kind, variant in (("EncoderBlock", BASE), ("LeanBlock", LEAN))
            }
        figures["precisions"][precision] = {"rows": rows, "parts": parts}
        show(precision, rows, parts)
    if options.json:
        keep(figures, options.json)
        print(f"figures: {options.json}")


def measured(variant, precision, ways, options):
    """What one variant takes: {"keras": {"training": [ms …], "inference": [ms …]}, "torch": …}, and its operations."""
    once = {"keras": in_keras.once, "torch": in_torch.once}
    counted = ways["keras"](in_keras.get_ready, variant, precision, options.device)
    row = {"variant": asdict(variant), "tokens": variant.tokens, **counted["costs"], "peak": [], "milliseconds": {}}
    if variant.lean:
        ways = {"keras": ways["keras"]}  # PyTorch is asked about the plain block alone
    if "torch" in ways:
        logits = ways["torch"](in_torch.get_ready, variant, precision, counted["weights"], counted["image"])
        row["largest difference of logits"] = float(abs(logits - counted["logits"]).max())
    row["milliseconds"] = {way: {"training": [], "inference": []} for way in ways}
    for _ in range(options.rounds):
        row["peak"].append(ways["keras"](in_keras.peak, PEAK_SIDE, precision))
        for way, call in ways.items():
            for what in ("training", "inference"):
                row["milliseconds"][way][what].append(call(once[way], what))
    print(f"{precision}: {told(row)}", flush=True)
    return row


def told(row):
    """One line, as soon as a variant has been measured."""
    training, inference = (statistics.median(row["milliseconds"]["keras"][what]) for what in ("training", "inference"))
    return f"{named(row['variant'])}: {training:.1f} ms a training step, {inference:.1f} ms an answer"


def named(variant):
    sizes = ", ".join(f"{name} {variant[name]}" for name in SIZES)
    return sizes + ", lean" * variant["lean"]


def best(rows):
    """GFLOP/s that the large product has reached, at best."""
    return max(rate for row in rows for rate in row["peak"])


def cells(row, peak):
    """The cells of a variant's line. A multiply-add is two operations; shares are of `peak`, in GFLOP/s."""
    variant = row["variant"]
    line = [str(variant[name]) for name in SIZES]
    line[-1] += " lean" if variant["lean"] else ""
    line.append(str(row["tokens"]))
    for what in ("training", "inference"):
        times = row["milliseconds"]["keras"][what]
        operations = 2 * row[f"{what} multiply-adds"]
        rate = statistics.median(operations / ms / 1e6 for ms in times)  # GFLOP/s
        line += [f"{operations / 1e9:.2f}", f"{statistics.median(times):.1f}", f"{rate:.0f}", f"{rate / peak:.0%}"]
        of_torch = row["milliseconds"].get("torch")
        line.append(f"{ratio(of_torch[what], times):.2f}" if of_torch else "")
    return line


def ratio(ones, others):
    return statistics.median(one / other for one, other in zip(ones, others, strict=True))


def show(precision, rows, parts):
    from rich.console import Console
    from rich.table import Table

    peak = best(rows)
    table = Table(
        title=f"{precision}: a product of {PEAK_SIDE} x {PEAK_SIDE} matrices reaches {peak:.0f} GFLOP/s at best\n"
        "GFLOP counted in the graph; PyTorch's time as a multiple of ours"
    )
    for name in (*SIZES, "tokens"):
        table.add_column(name, justify="right")
    for what in ("train", "answer"):
        for name in (f"{what}: GFLOP", "ms", "GFLOP/s", "of peak", "PyTorch"):
            table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*cells(row, peak))
    console = Console(width=150)
    console.print(table)
    shares = Table(title=f"{precision}: where a training step goes, {named(asdict(BASE))}: ms by the profiler")
    shares.add_column("")
    for kind in parts:
        shares.add_column(kind, justify="right")
    for name in PARTS:
        shares.add_row(name, *[f"{of_kind[name]:.1f}" for of_kind in parts.values()])
    shares.add_row("all", *[f"{sum(of_kind.values()):.1f}" for of_kind in parts.values()])
    console.print(shares)
