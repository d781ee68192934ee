"""Tables of what was reached from several seeds, out of the records in lessons/results: nothing in them is typed."""

import json
import statistics
from pathlib import Path

from vitkeras.datasets.shapes import SCENES

# Lessons whose trainings are compared there; the others' numbers stand in the course's first table.
COMPARED = ("10_same_or_different", "15_in_a_tenth_of_the_time", "16_the_homework", "17_cifar10_vit")
HEADINGS = {
    "en": ("lesson", "model", "parameters", "right: mean (lowest to highest)", "seeds", "time each", "data", "date"),
    "pt": ("lição", "modelo", "parâmetros", "acertos: média (mínimo a máximo)", "sementes", "tempo de cada", "dados",
           "data"),
}  # fmt: skip
WORDS = {"en": ("to", "min"), "pt": ("a", "min")}

SHAPES = ("10_same_or_different", "10_same_or_different-vit")  # the three models; the ViT with one thing left out
SCENES_IN_PORTUGUESE = (
    "como no treino", "menores", "maiores", "mais tênues", "mais escuras", "mais ruído", "um tipo novo",
)  # fmt: skip


def table(results, language="en"):
    """The table as lines of Markdown. `results`: the folder with the records."""
    headings = HEADINGS[language]
    lines = [line(headings), "|" + "---|" * len(headings)]
    for lesson, record in kept(results, COMPARED):
        lines += [line(cells) for cells in rows(lesson, record, language)]
    return lines


def scenes(results, language="en"):
    """What the models of lesson 10 make of pictures unlike those of training: % right, the mean of the seeds."""
    headings = ("modelo", *SCENES_IN_PORTUGUESE) if language == "pt" else ("model", *SCENES)
    lines = [line(headings), "|" + "---|" * len(headings)]
    for _, record in kept(results, SHAPES):
        asked = [row for row in record["results"]["trainings"] if row["accuracy"]]
        for model in dict.fromkeys(row["training"] for row in asked):
            of_model = [row["accuracy"] for row in asked if row["training"] == model]
            means = [f"{100 * statistics.mean(row[scene] for row in of_model):.1f}" for scene in SCENES]
            lines.append(line([model, *(map(in_portuguese, means) if language == "pt" else means)]))
    return lines


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
    to, minutes = WORDS[language]
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
            f"{statistics.mean(right):.2f}% ({min(right):.2f} {to} {max(right):.2f})",
            str(len(right)),
            f"{statistics.median(by_seed.values()) / 60:.0f} {minutes}",
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
