"""What a classifier does with photos, whatever it was loaded from."""

import functools

import keras
import numpy as np
import pytest

from vitkeras import pretrained
from vitkeras.errors import Misuse, Problem


@pytest.fixture(scope="module")
def classifier(kerashub):
    return pretrained.load(kerashub("deit"))


def test_the_answer_does_not_depend_on_the_company(classifier, photos):
    many = [photos[index % 3] for index in range(21)]
    alone = np.concatenate([classifier.logits([photo]) for photo in photos])
    for batch_size in (8, 2):  # three batches and eleven; the last one is short
        np.testing.assert_allclose(classifier.logits(many, batch_size), alone[np.arange(21) % 3], atol=1e-5)


@pytest.mark.parametrize("preset", ["vit", "deit", "hugging face", "mnist_vit"])
def test_every_way_to_compute_gives_the_same(preset, kerashub, hugging_face, photos):
    folder = {"vit": kerashub("vit"), "deit": kerashub("deit"), "hugging face": hugging_face("deit, two heads")}
    classifier = pretrained.load(folder.get(preset, preset))
    batch = classifier.prepared(photos)
    ways = [classifier.eagerly, functools.partial(classifier.filled_up, classifier.model.predict_on_batch, 4)]
    if classifier.head is not None and keras.backend.backend() == "tensorflow":
        ways.append(functools.partial(classifier.filled_up, classifier.by_blocks, 4))
    assert len(ways) == 2 + (preset != "mnist_vit" and keras.backend.backend() == "tensorflow")
    for way in ways:
        np.testing.assert_allclose(way(batch), classifier.eagerly(batch), atol=1e-5)


def test_no_photos_have_no_logits(classifier):
    assert classifier.logits([]).shape == (0, 7)


def test_the_stream_keeps_the_order_and_goes_on_after_a_fault(classifier, photos):
    def read(number):
        if number % 5 == 3:
            raise Problem(f"{number} is broken")
        return photos[number % 3]

    told = list(classifier.stream(range(30), read, batch_size=3))
    assert [source for source, _, _ in told] == list(range(30))
    assert [source for source, outcome, _ in told if isinstance(outcome, Problem)] == [3, 8, 13, 18, 23, 28]
    np.testing.assert_allclose(told[29][1], classifier.logits([photos[2]])[0], atol=1e-5)


def test_a_stream_that_nobody_reads_to_its_end_reads_no_further(classifier, photos):
    read = []
    stream = classifier.stream(range(500), lambda number: read.append(number) or photos[0], batch_size=4)
    next(stream)
    stream.close()
    assert len(read) < 30


def test_an_answer_that_is_no_number_is_a_fault(hugging_face, photos, tmp_path):
    import shutil

    from safetensors.numpy import load_file, save_file

    folder = shutil.copytree(hugging_face("vit"), tmp_path / "nan")
    arrays = load_file(folder / "model.safetensors")
    arrays["classifier.bias"][2] = np.nan
    save_file(arrays, folder / "model.safetensors")
    with pytest.raises(Problem, match="not finite"):
        pretrained.load(folder).logits(photos)


WRONG = [lambda photo: photo, lambda photo: ["a.png"], lambda photo: [photo / 255], lambda photo: [1]]


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_list_of_photos_is_told(wrong, classifier, photos):
    with pytest.raises(Misuse, match="list of photos"):
        classifier.logits(wrong(photos[0]))


def test_the_logits_of_several_photos_are_no_question_for_top(classifier, photos):
    with pytest.raises(Misuse, match="one photo"):
        classifier.top(classifier.logits(photos))


def test_an_unforeseen_fault_is_not_hidden(classifier):
    with pytest.raises(ZeroDivisionError):
        list(classifier.stream([0], lambda number: 1 / number))


def test_the_likeliest_come_first_and_equal_ones_in_their_order(classifier):
    logits = np.array([0, 2, 1, 2, 0, 0, 0], "float32")
    powers = np.exp(logits)
    top = classifier.top(logits, 3)
    assert [guess.index for guess in top] == [1, 3, 2]
    assert top[0].probability == pytest.approx(powers[1] / powers.sum())
    assert len(classifier.top(logits, 99)) == 7


def test_large_logits_do_not_overflow():
    np.testing.assert_allclose(pretrained.probabilities(np.array([[1e4, 0, -1e4]], "float32")), [[1, 0, 0]])


def test_what_is_shown_is_the_photo_again(classifier):
    photo = np.random.default_rng(0).integers(0, 256, (48, 48, 3), "uint8")  # of the size that the model reads
    np.testing.assert_array_equal(classifier.shown(classifier.prepare(photo)), photo)


def test_the_image_is_resized_in_floats_not_in_bytes(classifier):
    ramp = np.arange(64, dtype="uint8")[None, :, None].repeat(64, 0).repeat(3, 2)
    pixels = classifier.prepare(ramp)[10, :, 0] * 255 * 0.229 + 0.485 * 255
    assert np.abs(pixels - pixels.round()).max() > 0.1


@pytest.mark.parametrize("family", ["vit", "deit"])
def test_attention_is_what_the_backbone_itself_uses(family, kerashub, photos):
    """Mixing the values with the weights that are handed out gives what each attention layer gives."""
    classifier = pretrained.load(kerashub(family))
    weights = classifier.attention(photos[:1])[:, 0]  # (layers, heads, tokens, tokens)
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-5)
    tokens = classifier.backbone.layers[1](classifier.prepared(photos[:1]))
    for block, scores in zip(classifier.backbone.layers[2].encoder_layers, weights, strict=True):
        normed = block.layer_norm_1(tokens)
        values = np.asarray(block.mha.value_dense(normed))[0]  # (tokens, heads, width)
        mixed = np.einsum("hij,jhd->ihd", scores, values)
        np.testing.assert_allclose(
            block.mha.output_dense(mixed[None].astype("float32")), block.mha(normed, normed), atol=1e-5
        )
        output = block(tokens)
        tokens = output[0] if isinstance(output, tuple) else output
    last = classifier.backbone.layers[2].layer_norm(tokens)
    np.testing.assert_allclose(last, classifier.backbone(classifier.prepared(photos[:1])), atol=1e-5)


@pytest.mark.parametrize(("family", "grid"), [("vit", (6, 6)), ("deit", (6, 6))])
def test_the_grid_is_found_behind_the_tokens_before_it(family, grid, kerashub, photos):
    classifier = pretrained.load(kerashub(family))
    assert classifier.grid(classifier.attention(photos[:1])) == grid


def test_shipped_models_attend_as_well(photos):
    classifier = pretrained.load("mnist_vit")
    weights = classifier.attention(photos)
    assert classifier.attends
    assert weights.shape == (4, 3, 8, 49, 49)
    assert classifier.grid(weights) == (7, 7)


def test_a_digit_in_ink_on_paper_is_read_wherever_it_stands():
    """Found, brought to MNIST's place and contrast: small, off the middle, pale blue on cream."""
    from PIL import Image

    from vitkeras.datasets import drawn

    labels = np.arange(40) % 10
    rng = np.random.default_rng(1)
    pages = []
    for digit in drawn.draw(labels, rng)[..., 0]:
        side = int(rng.integers(40, 150))
        down, right = rng.integers(10, 180 - side), rng.integers(10, 290 - side)
        ink = np.zeros((200, 300), "float32")
        ink[down : down + side, right : right + side] = np.asarray(Image.fromarray(digit).resize((side, side))) / 255
        pages.append((np.float32((240, 235, 220)) - ink[..., None] * np.float32((150, 140, 60))).astype("uint8"))
    classifier = pretrained.load("mnist_vit")
    assert (classifier.logits(pages).argmax(-1) == labels).sum() >= 37


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (60, 50), (28, 28)])
def test_an_empty_page_is_answered_too(shape):
    assert np.isfinite(pretrained.load("mnist_vit").logits([np.full((*shape, 3), 200, "uint8")])).all()
