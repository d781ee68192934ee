"""Every form that a preset may have, whole and broken."""

import json
import shutil

import keras
import numpy as np
import pytest

from vitkeras import pretrained
from vitkeras.errors import Misuse, Problem
from vitkeras.pretrained import resizing


@pytest.fixture
def copy(tmp_path):
    def copied(folder):
        return shutil.copytree(folder, tmp_path / "copy")

    return copied


def edit(folder, file="config.json", **changes):
    path = folder / file
    content = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({name: value for name, value in content.items() if value is not ...}))


def test_probabilities_sum_to_one_whatever_the_presets_activation(kerashub, photos):
    plain, softmax = (pretrained.load(kerashub("vit", activation=name)) for name in (None, "softmax"))
    np.testing.assert_allclose(softmax.logits(photos), plain.logits(photos), atol=1e-5)
    np.testing.assert_allclose(pretrained.probabilities(softmax.logits(photos)).sum(-1), 1)


def test_a_thousand_classes_have_imagenets_names_and_others_none(kerashub):
    assert pretrained.load(kerashub("deit", classes=1000)).label(367) == "chimpanzee"
    many = pretrained.load(kerashub("vit", classes=1500))
    assert many.label(367) == "class 367"
    assert "no names" in " ".join(many.remarks)


def test_a_backbone_without_a_head_says_what_it_is_for(tmp_path):
    import keras_hub

    backbone = keras_hub.models.ViTBackbone((16, 16, 3), 8, 1, 1, 4, 4)
    backbone.save_to_preset(str(tmp_path / "vit_imagenet21k"))
    with pytest.raises(Misuse, match="backbone without a head"):
        pretrained.load(tmp_path / "vit_imagenet21k")


def test_a_preset_whose_head_was_forgotten_does_not_answer_by_chance(kerashub, copy):
    folder = copy(kerashub("vit"))
    (folder / "task.weights.h5").unlink()
    with pytest.raises(Problem, match="weights of its head"):
        pretrained.load(folder)


def test_a_keras_file_of_a_kerashub_classifier_is_the_classifier(kerashub, photos, tmp_path):
    import keras_hub

    task = keras_hub.models.ImageClassifier.from_preset(str(kerashub("deit")))
    task.save(tmp_path / "whole.keras")
    expected = pretrained.load(kerashub("deit")).logits(photos)
    np.testing.assert_allclose(pretrained.load(tmp_path / "whole.keras").logits(photos), expected, atol=1e-5)


def test_a_lessons_model_is_taken_with_pixels_from_0_to_1(tmp_path):
    inputs = keras.Input((8, 8, 1))
    keras.Model(inputs, keras.layers.Flatten()(keras.layers.GlobalAveragePooling2D()(inputs))).save(
        tmp_path / "m.keras"
    )
    classifier = pretrained.load(tmp_path / "m.keras")
    assert classifier.logits([np.full((20, 30, 3), 255, "uint8")]).tolist() == [[1]]
    assert "from 0 to 1" in classifier.remarks[0]


def test_a_lessons_model_that_ends_in_softmax_gives_its_probabilities_once(tmp_path):
    inputs = keras.Input((8, 8, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(inputs)
    model = keras.Model(inputs, keras.layers.Dense(3, activation="softmax", bias_initializer="ones")(pooled))
    model.save(tmp_path / "softmax.keras")
    photo = np.full((8, 8, 3), 200, "uint8")
    shares = pretrained.probabilities(pretrained.load(tmp_path / "softmax.keras").logits([photo]))
    np.testing.assert_allclose(shares, model(photo[None] / np.float32(255)), atol=1e-6)


def test_a_keras_json_that_puts_channels_first_changes_nothing(hugging_face, photos):
    expected = pretrained.load(hugging_face("vit")).logits(photos[:1])
    keras.config.set_image_data_format("channels_first")
    try:
        np.testing.assert_array_equal(pretrained.load(hugging_face("vit")).logits(photos[:1]), expected)
    finally:
        keras.config.set_image_data_format("channels_last")


def test_a_keras_file_that_brings_code_is_refused(tmp_path):
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Lambda(lambda x: x[:, 0, 0])])
    model.save(tmp_path / "lambda.keras")
    with pytest.raises(Problem, match="no classifier that can be loaded"):
        pretrained.load(tmp_path / "lambda.keras")


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_weights_in_16_bits_are_read(kind, hugging_face, copy, photos):
    import ml_dtypes
    from safetensors.numpy import load_file, save_file

    folder = copy(hugging_face("vit"))
    dtype = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16}[kind]
    arrays = load_file(folder / "model.safetensors")
    save_file({name: array.astype(dtype) for name, array in arrays.items()}, folder / "model.safetensors")
    whole, halved = (pretrained.load(place).logits(photos) for place in (hugging_face("vit"), folder))
    assert 0 < np.abs(whole - halved).max() < 0.2


def test_weights_in_several_files_are_read(hugging_face, copy, photos):
    from safetensors.numpy import load_file, save_file

    folder = copy(hugging_face("deit, two heads"))
    arrays = load_file(folder / "model.safetensors")
    parts = [dict(list(arrays.items())[start::2]) for start in range(2)]
    for number, part in enumerate(parts):
        save_file(part, folder / f"model-{number}.safetensors")
    names = {name: f"model-{number}.safetensors" for number, part in enumerate(parts) for name in part}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": names}))
    (folder / "model.safetensors").unlink()
    expected = pretrained.load(hugging_face("deit, two heads")).logits(photos)
    np.testing.assert_array_equal(pretrained.load(folder).logits(photos), expected)


def test_names_come_from_config_json_unless_nobody_gave_any(hugging_face):
    assert pretrained.load(hugging_face("vit")).label(2) == "thing 2"
    unnamed = hugging_face("vit", id2label={str(index): f"LABEL_{index}" for index in range(7)})
    assert pretrained.load(unnamed).label(2) == "class 2"


@pytest.mark.parametrize(("family", "grey"), [("vit", 102 / 127.5 - 1), ("deit", (0.4 - 0.485) / 0.229)])
def test_without_a_preprocessor_the_familys_own_is_taken_and_said(family, grey, hugging_face, copy):
    folder = copy(hugging_face(family))
    (folder / "preprocessor_config.json").unlink()
    classifier = pretrained.load(folder)
    assert "no preprocessor_config.json" in classifier.remarks[0]
    pixels = classifier.prepare(np.full((9, 9, 3), 102, "uint8"))
    assert pixels.shape == (48, 48, 3)
    np.testing.assert_allclose(pixels[..., 0], grey, atol=1e-6)


def test_what_a_description_leaves_out_is_as_usual_for_the_processor_that_it_names(hugging_face, copy):
    folder = copy(hugging_face("vit"))
    short = {"feature_extractor_type": "DeiTFeatureExtractor", "size": [54, 54], "crop_size": 48}
    (folder / "preprocessor_config.json").write_text(json.dumps(short))
    steps = resizing.read(short, folder, "vit")
    assert (steps.size, steps.crop, steps.resample, steps.mean) == ((54, 54), (48, 48), 3, resizing.IMAGENET_MEAN)
    assert pretrained.load(folder).classes == 7


def test_the_shortest_edge_is_brought_to_size_and_the_rest_cropped(hugging_face, copy):
    folder = copy(hugging_face("vit"))
    edit(folder, "preprocessor_config.json", size={"shortest_edge": 48}, do_center_crop=True, crop_size=48)
    photo = np.zeros((96, 192, 3), "uint8")
    photo[:, 44:148] = 255  # the middle square, and two pixels more, which bilinear looks at
    assert pretrained.load(folder).prepare(photo).min() == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model_type": "swin"}, "swin"),
        ({"hidden_act": "mish"}, "mish"),
        ({"num_channels": 1}, "3 channels"),
        ({"hidden_size": ...}, "hidden_size"),
        ({"hidden_size": 48}, "asks for"),
        ({"num_hidden_layers": 3}, "lacks the weights"),
        ({"num_hidden_layers": 100_000}, "num_hidden_layers is 100000"),
        ({"hidden_size": 10**9}, "no model has so much"),
        ({"image_size": 64}, "wants 64 x 64|asks for"),
        ({"patch_size": 7}, "divisible"),
        ({"num_attention_heads": 0}, "no classifier that can be loaded"),
        ({"image_size": "large"}, "no classifier that can be loaded"),
    ],
)
def test_a_config_that_does_not_fit_is_told(changes, said, hugging_face, copy):
    folder = copy(hugging_face("vit"))
    edit(folder, **changes)
    with pytest.raises(Problem, match=said):
        pretrained.load(folder)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"size": {"height": 32, "width": 32}}, "wants 48 x 48"),
        ({"size": {"height": "tall"}}, "cannot be followed"),
        ({"size": -1}, "no side of an image"),
        ({"image_std": [0, 1, 1]}, "zero"),
        ({"image_mean": [1, 2]}, "three channels"),
        ({"resample": 99}, "cannot be followed"),
        ({"crop_pct": 0.875}, "crop_pct, which is not done"),
        ({"rescale_factor": float("nan")}, "no finite number|no model has"),
        ({"do_resize": False}, "no certain size"),
    ],
)
def test_a_preprocessor_that_does_not_fit_is_told(changes, said, hugging_face, copy):
    folder = copy(hugging_face("vit"))
    edit(folder, "preprocessor_config.json", **changes)
    with pytest.raises(Problem, match=said):
        pretrained.load(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b'{"a": ' * 5000])
def test_a_description_that_is_none_is_told(content, hugging_face, copy):
    folder = copy(hugging_face("vit"))
    (folder / "config.json").write_bytes(content)
    with pytest.raises(Problem, match="cannot be read as the description"):
        pretrained.load(folder)


def test_a_pickle_is_not_opened(hugging_face, copy):
    folder = copy(hugging_face("vit"))
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(Misuse, match="pickle"):
        pretrained.load(folder)


@pytest.mark.parametrize("family", ["vit", "deit"])
def test_weights_that_were_cut_off_are_told(family, hugging_face, kerashub, copy):
    folder = copy(kerashub("deit") if family == "deit" else hugging_face("vit"))
    file = folder / ("model.weights.h5" if family == "deit" else "model.safetensors")
    file.write_bytes(file.read_bytes()[:-2000])
    with pytest.raises(Problem, match="opy it again"):
        pretrained.load(folder)


def test_a_folder_with_something_else_says_what_a_preset_is(tmp_path):
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(Misuse, match=r"config\.json.*photo\.jpg"):
        pretrained.load(tmp_path)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_mixed_precision_gives_nearly_the_same(precision, hugging_face, kerashub, photos):
    for preset in (hugging_face("vit"), kerashub("deit"), "mnist_vit"):
        classifier = pretrained.load(preset, precision)
        assert classifier.model.layers[-1].compute_dtype == "float32"  # or near classes would come out equal
        exact, mixed = pretrained.load(preset).logits(photos), classifier.logits(photos)
        assert 0 < np.abs(exact - mixed).max() < 0.05 * max(1, np.abs(exact).max())
