"""The visible tests of `mnist_995`: the report, the model, and the first rungs of the ladder.

Which images the model is asked about stands in the names of the tests: MNIST's, where they are found (data/README.md
says where they are looked for), else digits drawn from fonts, which are not MNIST.
"""

import functools
import re
import weakref

import numpy as np
import pytest

from vitkeras import datasets
from vitkeras.grading import Different, equal

DATA = "MNIST" if datasets.find("mnist") else "drawn digits, not MNIST"
THEMES = (  # what people change to get above 99.50%, in English and Portuguese
    "augment|aumento|distor|deform|shift|desloc|rota|elastic|elástic|cutout|mixup",
    "dropout|stochastic|estocástic",
    "learning rate|taxa de aprend|schedule|warm|cosine|cosseno",
    "weight decay|decaimento|regulari",
    "epoch|época|epoca|batch|lote",
    "patch|conv",
    "smoothing|suaviz",
    "average|média|optimi|otimiz|adam|muon",
    "layer|camada|block|bloco|head|cabeça|width|largura|pooling",
)
answers = weakref.WeakKeyDictionary()  # of each student: what the model said is asked once, not for every rung


@functools.cache
def images_to_read():
    data = datasets.load("mnist", stand_in=True, download=False)
    if (data.title == "MNIST") != (DATA == "MNIST"):
        raise RuntimeError(f"the data that was found is {data.title}: {data.origin}")
    return data.x_test.copy(), data.y_test


def require(percent, student, rng):
    """Pass if the model reads more than so many percent of the test images. They come in an order of chance."""
    if student not in answers:
        images, labels = images_to_read()
        order = rng.permutation(len(images))
        got = student.predict(student.model("model.keras"), images[order] / np.float32(255))
        if getattr(got, "shape", None) != (len(images), 10) or got.dtype.kind != "f" or not np.isfinite(got).all():
            told = f"{got.shape}, {got.dtype}" if isinstance(got, np.ndarray) else repr(got)[:80]
            raise Different(f"{len(images):,} images read", f"finite numbers of shape {(len(images), 10)}", told)
        answers[student] = 100 * (got.argmax(axis=1) == labels[order]).mean()
    if not answers[student] > percent:
        raise Different(f"test images read ({DATA})", f"more than {percent:.2f}% right", f"{answers[student]:.2f}%")


@pytest.mark.points(0.5, hint="Say what you changed, why, and what each change brought. Your instructor reads it, too.")
def test_the_report_tells_what_was_changed(student):
    text = student.text("report.md").lower()
    words = re.findall(r"[^\W\d_]{2,}", text)
    assert len(words) >= 150, f"expected 150 words at least, got {len(words)}"
    assert len(set(words)) >= 70, f"expected a text, got {len(set(words))} different words"
    themes = sum(bool(re.search(theme, text)) for theme in THEMES)
    assert themes >= 3, (
        f"expected to hear of three changes at least, such as augmentation or the schedule; got {themes}"
    )
    assert re.search(r"\d\d[.,]\d+ ?%", text), "expected a result in percent, such as 99.12%"


@pytest.mark.points(0.25, hint="Save the very model that build() gives, after training it: model.save('model.keras').")
def test_the_model_is_a_vit_that_build_makes_and_it_has_learnt_to_read(student, rng):
    kinds = student.layers("model.keras")
    if not any(re.search("attention|encoder|transformer", kind, re.IGNORECASE) for kind in kinds):
        raise Different("no ViT", "a layer whose name says attention, encoder or transformer", ", ".join(kinds))
    handed_in = sorted(weight.shape for weight in student.model("model.keras").get_weights())
    built = sorted(weight.shape for weight in student.build().get_weights())
    equal(built, handed_in, "the shapes of all weights: those of build(), and expected those of model.keras")
    require(90, student, rng)


@pytest.mark.points(0.25, hint="The lecture's program gets here in a few epochs.")
@pytest.mark.parametrize("rung", [97.0, 98.0, 98.7], ids=(DATA + ": {:.2f}%").format)
def test_more_of_the_test_images_are_right_than(student, rng, rung):
    require(rung, student, rng)
