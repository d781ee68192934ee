"""What came out of a sweep: a line for each combination of settings, with mean, spread and interval over its seeds."""

import csv
import json
import statistics
from pathlib import Path

from vitkeras.files import written_whole
from vitkeras.sweep.plan import settings_in_words

CONFIDENCE = 0.95


def numbers(record):
    """{name: value} of all results of a run that are numbers.

    Of a lesson's several trainings each has its name before its numbers; of one training with several seeds, the mean.

    >>> numbers({"results": {"test_accuracy": 0.97, "answer": "97%"}})
    {'test_accuracy': 0.97}
    >>> rows = [{"model": "cnn", "seed": s, "accuracy": {"fainter": a}} for s, a in ((1, 0.5), (2, 0.75))]
    >>> numbers({"results": {"axes": ["model", "seed"], "trainings": rows}})
    {'model cnn: accuracy, fainter': 0.625}
    """
    results = record.get("results", {})
    found = {name: [value] for name, value in flat(results).items()}
    for row in results.get("trainings", ()):
        axes = [name for name in results.get("axes", ()) if name != "seed"]
        label = ", ".join(f"{name} {row[name]}" for name in axes)
        for name, value in flat({name: value for name, value in row.items() if name not in ("seed", *axes)}).items():
            found.setdefault(f"{label}: {name}" if label else name, []).append(value)
    return {name: statistics.mean(values) for name, values in found.items()}


def flat(results):
    """The numbers among some results, and those in a table among them; not the course of a training."""
    found = {name: value for name, value in results.items() if is_number(value)}
    for name, table in results.items():
        if isinstance(table, dict) and name != "history":
            found |= {f"{name}, {key}": value for key, value in table.items() if is_number(value)}
    return found


def is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def chosen_measure(known, asked):
    """The measure asked for; else the first that is an accuracy, else the first. None if there is no such number."""
    if asked:
        return asked if asked in known else None
    return next((name for name in known if "accuracy" in name), next(iter(known), None))


def record_of(folder):
    """What a run has recorded in `folder`, if it came to its end."""
    try:
        record = json.loads(Path(folder, "run.json").read_text(encoding="utf-8"))
        return record if "finished" in record else None
    except (OSError, ValueError, TypeError):
        return None


def interval(values):
    """Half the width of the interval in which the mean lies with 95% confidence; None for one value alone.

    >>> round(interval([1.0, 2.0, 3.0]), 3)
    2.484
    """
    if len(values) < 2:
        return None
    from scipy import stats

    return float(stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1) * statistics.stdev(values) / len(values) ** 0.5)


def rows(runs, records, failed, measure):
    """For each combination: (its settings in words, the values of its seeds, what became of the others)."""
    for settings in {json.dumps(run.settings, default=str): run.settings for run in runs}.values():
        of_these = [run for run in runs if run.settings == settings]
        values = [numbers(records[run.name]).get(measure) for run in of_these if run.name in records]
        troubles = [f"seed {run.seed}: {failed[run.name]}" for run in of_these if run.name in failed]
        yield ", ".join(settings_in_words(settings)) or "as it is", [v for v in values if v is not None], troubles


def show(found, measure):
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("settings", title=f"{measure}, over seeds")
    for heading in ("runs", "mean", "deviation", "95% interval", "lowest", "highest", "failed"):
        table.add_column(heading, justify="right")
    for settings, values, troubles in found:
        table.add_row(Text(settings), *cells(values), str(len(troubles) or ""))
    console = Console(width=None if Console().is_terminal else 120)
    console.print(table)
    for settings, _, troubles in found:
        for trouble in troubles:
            console.print(Text(f"failed: {settings}, {trouble}", style="red"), soft_wrap=True)


def summary(values):
    """How many, mean, deviation, the interval's two ends, lowest, highest; None for what so few values do not tell.

    >>> summary([0.5])
    (1, 0.5, None, None, None, 0.5, 0.5)
    """
    mean = statistics.mean(values) if values else None
    deviation, half = (statistics.stdev(values), interval(values)) if len(values) > 1 else (None, None)
    ends = (None, None) if half is None else (mean - half, mean + half)
    return len(values), mean, deviation, *ends, min(values, default=None), max(values, default=None)


def cells(values):
    count, mean, deviation, *others = summary(values)
    low, high, lowest, highest = ("" if value is None else f"{value:.4g}" for value in others)
    around = f"{low} to {high}" if low else ""
    in_words = ["" if mean is None else f"{mean:.4g}", "" if deviation is None else f"{deviation:.2g}"]
    return [str(count), *in_words, around, lowest, highest]


def write(out, runs, records, failed):
    """runs.csv: a line for each run, with its settings and every number that it gave."""
    settings = list(dict.fromkeys(name for run in runs for name in run.settings))
    measures = list(dict.fromkeys(name for run in runs for name in numbers(records.get(run.name, {}))))
    with written_whole(Path(out, "runs.csv")) as path, path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow([*settings, "seed", *measures, "seconds", "data", "state"])
        for run in runs:
            record = records.get(run.name, {})
            given, state = numbers(record), failed.get(run.name, "finished" if record else "not run")
            title = record.get("data", {}).get("title", "")
            values = [given.get(name, "") for name in measures]
            own = [run.settings.get(name, "") for name in settings]
            lines.writerow([*own, run.seed, *values, record.get("seconds", ""), title, state])


def write_summary(out, found, measure):
    """summary.csv: a line for each combination, as the table has it."""
    with written_whole(Path(out, "summary.csv")) as path, path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(
            ["settings", "measure", "runs", "mean", "deviation", "from", "to", "lowest", "highest", "failed"]
        )
        for settings, values, troubles in found:
            lines.writerow([settings, measure, *summary(values), len(troubles)])


def draw(out, found, measure, title):
    groups = {settings: values for settings, values, _ in found if values}
    if groups:
        from vitkeras import machine

        with machine.chatter_held_back():
            from vitkeras import plots
        plots.dots(groups, measure, title, Path(out, "sweep.png"), "mean {:.4g}")
