"""One table of what was reached from several seeds, out of the records in lessons/results: nothing in it is typed."""

import json
import statistics
from pathlib import Path

# Lessons whose trainings are compared there; the others' numbers stand in the course's first table.
COMPARED = ("10_same_or_different", "15_in_a_tenth_of_the_time", "16_the_homework", "17_cifar10_vit")
HEADINGS = {
    "en": ("lesson", "model", "parameters", "right: mean (lowest to highest)", "seeds", "time each", "data", "date"),
    "pt": ("lição", "modelo", "parâmetros", "acertos: média (mínimo a máximo)", "sementes", "tempo de cada", "dados",
           "data"),
}  # fmt: skip
WORDS = {"en": ("to", "min"), "pt": ("a", "min")}

SHAPES = ("10_same_or_different", "10_same_or_different-vit")  # the three models; the ViT with one thing left out
SCENES = {
    "en": {"model": "model", "as in training": "as in training", "smaller": "smaller", "larger": "larger",
           "fainter": "fainter", "darker": "darker", "noisier": "noisier", "a new kind": "a new kind"},
    "pt": {"model": "modelo", "as in training": "como no treino", "smaller": "menores", "larger": "maiores",
           "fainter": "mais tênues", "darker": "mais escuras", "noisier": "mais ruído", "a new kind": "um tipo novo"},
}  # fmt: skip


def table(results, language="en"):
    """The table as lines of Markdown. `results`: the folder with the records."""
    headings = HEADINGS[language]
    lines = [line(headings), "|" + "---|" * len(headings)]
    for lesson in COMPARED:
        file = Path(results, lesson, "run.json")
        if file.exists():
            record = json.loads(file.read_text(encoding="utf-8"))
            lines += [line(cells) for cells in rows(lesson, record, language)]
    return lines


def scenes(results, language="en"):
    """What the models of lesson 10 make of pictures unlike those of training: % right, the mean of the seeds."""
    names = SCENES[language]
    lines = [line(names.values()), "|" + "---|" * len(names)]
    for file in (Path(results, name, "run.json") for name in SHAPES):
        if file.exists():
            trainings = json.loads(file.read_text(encoding="utf-8"))["results"]["trainings"]
            asked = [row for row in trainings if row["accuracy"]]
            for model in dict.fromkeys(row["training"] for row in asked):
                of_model = [row["accuracy"] for row in asked if row["training"] == model]
                means = [f"{100 * statistics.mean(row[scene] for row in of_model):.1f}" for scene in list(names)[1:]]
                lines.append(line([model, *(map(in_portuguese, means) if language == "pt" else means)]))
    return lines


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
