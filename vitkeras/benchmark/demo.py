"""How soon the page answers: from a question that the browser sends to the whole answer, attention and all."""

import base64
import http.client
import json
import statistics
import time
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from vitkeras.benchmark.measuring import describe_machine, keep

SIDE = 112  # of the drawing that the page sends


def run(options):
    figures = {"command": options.command} | describe_machine("cpu")
    print(f"machine: {figures['machine']}")
    if options.json and not Path(options.json).exists():
        keep(figures, options.json)  # now, so that a wrong path is told before the measuring
    figures |= {"data": "digits and shapes made up on the spot", "milliseconds": measured(options.rounds)}
    show(figures)
    if options.json:
        keep(figures, options.json)
        print(f"figures: {options.json}")


def measured(rounds):
    """Milliseconds of each question in each round; the questions take turns."""
    from vitkeras.demo import answers
    from vitkeras.demo.server import Server

    answers.warm_up([answers.PHOTOS])
    page = Server([answers.PHOTOS])
    asked = questions()
    try:
        found = {name: [] for name in asked}
        for number in range(rounds + 1):
            for name, (path, told) in asked.items():
                milliseconds = milliseconds_of(page.url, path, told)
                if number:  # the first warmed up
                    found[name].append(milliseconds)
        return found
    finally:
        page.close()


def questions():
    chance = np.random.default_rng(1)
    grey = np.zeros((SIDE, SIDE), "uint8")
    grey[20:90, 50:60] = 255
    photo = base64.b64encode(bmp(chance.integers(0, 256, (240, 320, 3), "uint8"))).decode()
    both = [{"kind": "circle", "x": 30, "y": 34, "area": 400, "turn": 0},
            {"kind": "square", "x": 66, "y": 62, "area": 400, "turn": 20}]  # fmt: skip
    pair = {"both": both, "contrast": 60, "noise": 8, "chance": 1}
    return {
        "a digit's stroke": ("digit", {"pixels": base64.b64encode(grey.tobytes()).decode(), "side": SIDE}),
        "a photo, to the model that ships": ("photo", {"content": photo, "name": "a.bmp", "preset": "cifar10_vit"}),
        "two shapes, while one is dragged": ("pair", pair | {"looks": False}),
        "two shapes, let go": ("pair", pair | {"looks": True}),
    }


def bmp(pixels):
    from io import BytesIO

    from PIL import Image

    file = BytesIO()
    Image.fromarray(pixels).save(file, "BMP")
    return file.getvalue()


def milliseconds_of(url, question, told):
    began = time.perf_counter()
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    connection.request(
        "POST", f"/gradio_api/run/{question}", json.dumps({"data": [told]}), {"Content-Type": "application/json"}
    )
    (answer,) = json.loads(connection.getresponse().read())["data"]
    connection.close()
    if "problem" in answer:
        raise RuntimeError(answer["problem"])
    return 1000 * (time.perf_counter() - began)


def show(figures):
    from rich.console import Console
    from rich.table import Table

    rounds = len(next(iter(figures["milliseconds"].values())))
    table = Table(title=f"Milliseconds to the whole answer, of {rounds} questions of each kind")
    for column in ("question", "median", "95 of 100 within", "longest"):
        table.add_column(column, justify="right")
    for row in rows(figures):
        table.add_row(*row)
    Console(width=120).print(table)


def rows(figures):
    for name, values in figures["milliseconds"].items():
        within = float(np.quantile(values, 0.95))
        yield [name, f"{statistics.median(values):.0f}", f"{within:.0f}", f"{max(values):.0f}"]
