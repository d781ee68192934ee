"""Tables of what was reached from several seeds, out of the records in lessons/results: nothing in them is typed."""

import json
import statistics
from pathlib import Path

from vitkeras.datasets.shapes import SCENES

# Lessons whose trainings are compared there; the others' numbers stand in the course's first table.
COMPARED = ("10_same_or_different", "15_in_a_tenth_of_the_time", "16_the_homework", "17_cifar10_vit")
HEADINGS = {
    "en": (
        "lesson", "model", "parameters", "right: mean (lowest to highest)", "seeds", "time each (median)", "data",
        "date",
    ),
    "pt": (
        "lição", "modelo", "parâmetros", "acertos: média (mínimo a máximo)", "sementes", "tempo de cada (mediana)",
        "dados", "data",
    ),
}  # fmt: skip
TO = {"en": "to", "pt": "a"}  # what stands between the lowest and the highest

SHAPES = "10_same_or_different"
ABLATIONS = ("10_same_or_different-vit", "16_the_homework-ablation")  # one model, and what one change does to it
CHANGES = {
    "en": ("what is changed", "right: mean (lowest to highest)", "points against the first"),
    "pt": ("o que muda", "acertos: média (mínimo a máximo)", "pontos em relação ao primeiro"),
}
IN_PORTUGUESE = {
    "as in training": "como no treino", "smaller": "menores", "larger": "maiores", "fainter": "mais tênues",
    "darker": "mais escuras", "noisier": "mais ruído", "a new kind": "um tipo novo",
    "vit": "nada", "vit, neighbours not first": "sem olhar primeiro os vizinhos",
    "vit, no offsets": "sem números por deslocamento", "vit, no easy pictures": "sem figuras fáceis no início",
    "vit, 16,000 pictures": "16.000 figuras que se repetem", "vit, patches of 12": "patches de 12",
    "all of it": "nada", "shifts for distortions": "deslocamentos em vez de distorções",
    "no augmentation": "sem aumento de dados",
    "overlapping patches for convolutions": "patches sobrepostos em vez de convoluções",
    "patches cut side by side": "patches cortados lado a lado",
    "class token for the mean": "token de classe em vez da média",
    "neighbours not first": "sem olhar primeiro os vizinhos",
    "AdamW for Muon, its rate, clipped": "AdamW em vez de Muon, com a sua taxa e clipping",
    "a rate that does not fall": "uma taxa que não cai", "labels not smoothed": "rótulos não suavizados",
    "drawn digits as well": "também dígitos desenhados",
}  # fmt: skip


def table(results, language="en"):
    """The table as lines of Markdown. `results`: the folder with the records."""
    headings = HEADINGS[language]
    lines = [line(headings), "|" + "---|" * len(headings)]
    for lesson, record in kept(results, COMPARED):
        lines += [line(cells) for cells in rows(lesson, record, language)]
    return lines


def scenes(results, language="en"):
    """What the models of lesson 10 make of pictures unlike those of training: % right, the mean of the seeds."""
    headings = ("modelo", *map(IN_PORTUGUESE.get, SCENES)) if language == "pt" else ("model", *SCENES)
    lines = [line(headings), "|" + "---|" * len(headings)]
    for _, record in kept(results, [SHAPES]):
        asked = [row for row in record["results"]["trainings"] if row["accuracy"]]
        for model in dict.fromkeys(row["training"] for row in asked):
            of_model = [row["accuracy"] for row in asked if row["training"] == model]
            means = [f"{100 * statistics.mean(row[scene] for row in of_model):.1f}" for scene in SCENES]
            lines.append(line([model, *(map(in_portuguese, means) if language == "pt" else means)]))
    return lines


def changes(results, name, language="en"):
    """What one change does to a model: of held-out images of lesson 16, of fresh pictures of lesson 10.

    No lines come of a record that is not there.
    """
    lines = []
    for _, record in kept(results, [name]):
        lines += [line(CHANGES[language]), "|" + "---|" * len(CHANGES[language])]
        right = {}
        for row in record["results"]["trainings"]:
            share = row["held_out"]["averaged"] if "held_out" in row else row["accuracy"].get("as in training")
            right.setdefault(row["training"], []).extend([] if share is None else [100 * share])
        whole = statistics.mean(next(iter(right.values())))
        for number, (change, values) in enumerate(right.items()):
            cells = [mean_and_range(values, language), f"{statistics.mean(values) - whole:+.2f}" if number else ""]
            if language == "pt":
                lines.append(line([IN_PORTUGUESE[change], *map(in_portuguese, cells)]))
            else:
                lines.append(line([change.removeprefix("vit, ") if number else "nothing", *cells]))
    return lines


def mean_and_range(values, language):
    return f"{statistics.mean(values):.2f}% ({min(values):.2f} {TO[language]} {max(values):.2f})"


def kept(results, names):
    """Those of the records that there are, with their names."""
    for name in names:
        file = Path(results, name, "run.json")
        if file.exists():
            yield name, json.loads(file.read_text(encoding="utf-8"))


def line(cells):
    return "| " + " | ".join(cells) + " |"


def rows(lesson, record, language):
    """The cells of each model that the record has trained."""
    trainings = record["results"]["trainings"]
    for model in dict.fromkeys(row.get("training", "vit") for row in trainings):
        of_model = [row for row in trainings if row.get("training", "vit") == model]
        right = [100 * value for row in of_model for value in [accuracy(row)] if value is not None]
        by_seed = {row["seed"]: 0 for row in of_model}
        for row in of_model:
            by_seed[row["seed"]] += row["seconds"]  # of both stages, where there are two
        cells = [
            f"[{lesson}](results/{lesson}/run.json)",
            model,
            f"{of_model[-1]['parameters']:,}",
            mean_and_range(right, language),
            str(len(right)),
            f"{statistics.median(by_seed.values()) / 60:.0f} min",
            record["data"]["title"],
            record["started"][:10],
        ]
        if language == "pt":
            cells[2:4] = map(in_portuguese, cells[2:4])
        yield cells


def accuracy(row):
    """Of test images, or of fresh pictures like those of training; None for a stage that was not asked."""
    return row["test_accuracy"] if "test_accuracy" in row else row["accuracy"].get("as in training")


def in_portuguese(number):
    """
    >>> in_portuguese("1,234.5%")
    '1.234,5%'
    """
    return number.translate(str.maketrans(",.", ".,"))
