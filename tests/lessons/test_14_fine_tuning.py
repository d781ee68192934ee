"""Lesson 14: a pretrained model and few images of something else."""

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="module")
def finished(run_lesson, record_of, tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    done = run_lesson("14_fine_tuning", folder, "--quick")
    assert done.returncode == 0, done.stderr
    return done, folder / "runs" / "14_fine_tuning", record_of(folder / "runs" / "14_fine_tuning")


def write_noise(folder, name, colour, count=6):
    """Noise with a tinge, as PNG files."""
    rng = np.random.default_rng(len(name))
    (folder / name).mkdir(parents=True)
    for number in range(count):
        pixels = rng.integers(0, 128, (20, 24, 3)) + np.array(colour)
        Image.fromarray(pixels.astype("uint8")).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    """A ViT of KerasHub's with random weights, saved as KerasHub saves them."""
    from keras_hub import layers, models

    backbone = models.ViTBackbone(
        image_shape=(16, 16, 3), patch_size=8, num_layers=1, num_heads=2, hidden_dim=12, mlp_dim=16
    )
    converter = layers.ViTImageConverter(image_size=(16, 16), scale=1 / 127.5, offset=-1.0)
    classifier = models.ViTImageClassifier(
        backbone=backbone, num_classes=5, preprocessor=models.ViTImageClassifierPreprocessor(converter)
    )
    folder = tmp_path_factory.mktemp("presets") / "my_vit"
    classifier.save_to_preset(str(folder))
    return folder


def test_it_says_first_that_letters_and_a_model_of_digits_stand_in(finished):
    done, folder, record = finished
    beginning = done.stdout[: done.stdout.index("run folder:")]
    assert "stand in for your photos and a model of ImageNet" in beginning
    assert "model: mnist_vit; 257,386 parameters" in beginning
    assert "data: drawn letters (A to J)" in beginning
    assert record["data"]["title"] == "drawn letters (A to J)"
    assert len(list((folder / "letters" / "train" / "A").glob("*.png"))) == 10  # as anybody's own would lie there


def test_each_way_learns_what_it_says(finished):
    """257,386 weights less the 272 averages are 257,114. The stem's 16 + 40 + 80 scales and shifts learn with those."""
    rows = finished[2]["results"]["trainings"]
    assert {row["way"]: row["learning"] for row in rows} == {
        "head only": 80 * 10 + 10,
        "all weights": 257_114 - 2 * (16 + 40 + 80),
        "from scratch": 257_114,
    }
    assert {row["training_images"] for row in rows} == {50}


def test_the_answer_is_what_the_record_says(finished):
    done, folder, record = finished
    answer = record["results"]["answer"]
    for row in record["results"]["trainings"]:
        assert f"{row['way']} {100 * row['test_accuracy']:.1f}%" in answer
    assert done.stdout.splitlines()[-1] == answer
    for picture in ("training_images", "ways", "test"):
        assert (folder / f"{picture}.png").stat().st_size > 5000


def test_own_photos_and_a_preset_of_kerashub(run_lesson, record_of, preset, tmp_path):
    photos = write_noise(write_noise(tmp_path / "photos", "reddish", (127, 0, 0)), "bluish", (0, 0, 127))
    (photos / "reddish" / "broken.png").write_bytes((photos / "reddish" / "0.png").read_bytes()[:100])
    (photos / "bluish" / "again.png").write_bytes((photos / "bluish" / "0.png").read_bytes())
    done = run_lesson("14_fine_tuning", tmp_path, "--quick", "--data", photos, "--model", preset, "--out", "run")
    assert done.returncode == 0, done.stderr
    assert "WARNING: 1 photo that could not be read, left out: reddish/broken.png." in done.stdout
    assert "1 photo left out, since the class has the same picture already: bluish/" in done.stdout
    record = record_of(tmp_path / "run")
    trainings = record["results"]["trainings"]
    assert trainings[0]["learning"] == 12 * 2 + 2
    assert trainings[1]["learning"] == trainings[2]["learning"] > 1000
    assert record["settings"]["mirror"] is True
    assert "photos (your photos), from my_vit" in record["results"]["answer"]
    assert (tmp_path / "run" / "classes.txt").read_text() == "0,bluish\n1,reddish\n"


def test_a_single_class_is_refused(run_lesson, tmp_path):
    photos = write_noise(tmp_path / "photos", "reddish", (127, 0, 0))
    done = run_lesson("14_fine_tuning", tmp_path, "--data", photos, "--model", "mnist_vit")
    assert done.returncode == 2
    assert "has one class only, reddish" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_model_that_is_nowhere_is_refused(run_lesson, tmp_path):
    done = run_lesson("14_fine_tuning", tmp_path, "--model", "./nowhere.keras")
    assert done.returncode == 2
    assert "no folder or file ./nowhere.keras" in done.stderr
    assert "Traceback" not in done.stderr
