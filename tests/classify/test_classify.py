"""python -m vitkeras.classify, mostly in this process; as a program where it is the process that matters."""

import csv
import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from vitkeras import machine
from vitkeras.classify import __main__ as program
from vitkeras.pretrained import catalogue, network, places

COMMAND = [sys.executable, "-m", "vitkeras.classify"]


@pytest.fixture
def photo(tmp_path):
    """A drawn three, as somebody might have photographed it: dark on light, in colour."""
    from vitkeras.datasets import drawn

    digit = 255 - drawn.draw([3], np.random.default_rng(1))[0].repeat(3, -1)
    path = tmp_path / "três à mão.png"
    Image.fromarray(digit).resize((90, 90)).save(path)
    return path


@pytest.fixture
def classify(capsys):
    """`classify("a.jpg", "--top", 1)`: (exit code, standard output, standard error)"""

    def run(*words):
        try:
            code = program.main([str(word) for word in words])
        except SystemExit as exit:  # argparse's
            code = exit.code
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def cut_off(monkeypatch, tmp_path):
    monkeypatch.setattr(network, "why_unreachable", lambda host: f"{host} cannot be reached: it is cut off.")
    monkeypatch.setattr(places, "carried", lambda name: None)
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "cache"))


def test_the_answer_has_the_lectures_form(classify, photo):
    code, out, _ = classify(photo, "--preset", "mnist_vit", "--top", 2)
    assert code == 0
    lines = out.splitlines()
    assert lines[0].startswith("preset: mnist_vit")
    assert lines[-3] == str(photo)
    assert lines[-2].startswith("1. 3 (3): 0.")
    assert lines[-1].startswith("2. ")


def test_json_holds_what_the_text_says_and_nothing_else(classify, photo):
    code, out, err = classify(photo, "--preset", "mnist_vit", "--json", "--plot", photo.parent / "bars.png")
    found = json.loads(out)
    assert code == 0
    assert found["preset"] == "mnist_vit"
    guesses = found["results"][0]["guesses"]
    assert guesses[0]["name"] == "3"
    assert sum(guess["probability"] for guess in guesses) <= 1
    assert "preset: mnist_vit" in err
    assert "picture: " in err


def test_csv_names_what_could_not_be_read_and_the_rest_goes_on(classify, photo, tmp_path):
    (tmp_path / "text.jpg").write_text("no photo")
    words = (photo, tmp_path / "text.jpg", photo, "gone.png", "--preset", "mnist_vit", "--csv", "--top", 1)
    code, out, err = classify(*words)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 1
    assert [row["name"] for row in rows] == ["3", "", ""]
    assert "text file" in rows[1]["error"]
    assert "2 of 3 images could not be read" in err


def test_all_probabilities_sum_to_one(classify, photo):
    _, out, _ = classify(photo, "--preset", "mnist_vit", "--json", "--top", 10)
    assert sum(g["probability"] for g in json.loads(out)["results"][0]["guesses"]) == pytest.approx(1)


def test_labels_in_the_lectures_form_name_the_classes(classify, photo, tmp_path):
    (tmp_path / "names.txt").write_text("3,três, o número\n\n4,quatro\n", encoding="utf-8")
    _, out, _ = classify(photo, "--preset", "mnist_vit", "--labels", tmp_path / "names.txt", "--json", "--top", 10)
    names = {g["index"]: g["name"] for g in json.loads(out)["results"][0]["guesses"]}
    assert names[3] == "três, o número"
    assert names[5] == "5"  # the model's own


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("three", "line 1"),
        ("3,a\n3,b", "line 2"),
        ("10,x", "classes 0 to 9"),
        ("", "names no class"),
        ("-1,x", "line 1"),
    ],
)
def test_labels_that_do_not_fit_are_told(text, said, classify, photo, tmp_path):
    (tmp_path / "names.txt").write_text(text)
    code, _, err = classify(photo, "--preset", "mnist_vit", "--labels", tmp_path / "names.txt")
    assert code == 2
    assert said in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name an image"),
        (["a.jpg", "--top", "0"], "whole number"),
        (["a.jpg", "--json", "--csv"], "not allowed"),
        (["a.jpg", "--heads"], "--attention"),
        (["a.jpg", "b.jpg", "--plot", "one.png"], "Name a folder"),
        (["a.jpg", "--labels", "gone.txt"], "index,name"),
        (["no*such.jpg"], "no*such.jpg"),
        (["a.png", "--plot", "a.png"], "write over"),
        (["a.png", "--plot", "o", "--attention", "o"], "one would write over the other"),
    ],
)
def test_wrong_use_is_told_before_anything_is_loaded(words, said, classify, monkeypatch):
    monkeypatch.setattr(machine, "wake_tensorflow", lambda: pytest.fail("TensorFlow was loaded"))
    code, _, err = classify(*words)
    assert code == 2
    assert said in err


def test_pictures_are_drawn_one_for_each_image(classify, photo, tmp_path):
    twin = tmp_path / "twin" / photo.name
    twin.parent.mkdir()
    Image.open(photo).rotate(90).save(twin)
    out = tmp_path / "pictures"
    code, _, _ = classify(photo, twin, "--preset", "mnist_vit", "--attention", out, "--heads")
    assert code == 0
    for path in (out / "três à mão.png", out / "três à mão-2.png"):
        with Image.open(path) as picture:
            assert picture.width > 500


def test_a_model_without_attention_says_so(classify, photo, tmp_path):
    import keras

    inputs = keras.Input((8, 8, 3))
    keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(inputs)).save(tmp_path / "plain.keras")
    code, _, err = classify(photo, "--preset", tmp_path / "plain.keras", "--attention", tmp_path / "a.png")
    assert code == 2
    assert "no attention" in err


def test_without_a_network_the_default_ends_with_the_ways_out(cut_off, classify, photo):
    code, out, err = classify(photo)
    assert code == 1
    assert out == ""
    for said in (*catalogue.DEFAULTS, "cut off", "pretrained fetch", "data/presets".replace("/", os.sep), "mnist_vit"):
        assert said in err


def test_a_second_preset_in_place_of_the_first_is_said_in_the_first_line(cut_off, classify, photo, monkeypatch):
    second = catalogue.DEFAULTS[1]
    folder = catalogue.SHIPPED_FOLDER / "mnist_vit"
    monkeypatch.setattr(places, "carried", lambda name: folder if name == second else None)
    code, out, _ = classify(photo)
    assert code == 0
    assert out.splitlines()[0].startswith(f"WARNING: {catalogue.DEFAULTS[0]} cannot be had")
    assert out.splitlines()[1].startswith(f"preset: {second}")


def test_the_list_tells_what_is_here(cut_off, classify):
    code, out, _ = classify("--list-presets")
    lines = {line.split()[0]: line for line in out.splitlines() if line}
    assert code == 0
    assert "ships with vitkeras" in lines["mnist_vit"]
    assert "86,567,656" not in out  # parameters are the backbone's
    assert lines["vit_base_patch16_384_imagenet"].split()[1:] == ["ViT", "86,090,496", "384", "x", "384"]
    assert all(name in lines for name in catalogue.DEFAULTS)


def test_names_of_files_cannot_move_the_cursor(classify, photo):
    evil = photo.rename(photo.with_name("\x1b[2Jgone :dog: $x.png"))
    _, out, _ = classify(evil, "--preset", "mnist_vit", "--plot", photo.parent / "a plot.png")
    assert "\x1b" not in out
    assert "gone :dog: $x.png" in out


def test_as_a_program_it_reads_standard_input_and_holds_tensorflows_tongue(photo):
    words = [*COMMAND, "-", "--preset", "mnist_vit", "--top", "1"]
    done = subprocess.run(words, input=photo.read_bytes(), capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    lines = done.stdout.decode().splitlines()
    assert lines[-2] == "standard input"
    assert lines[-1].startswith("1. 3 (3)")
