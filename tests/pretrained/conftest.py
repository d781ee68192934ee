"""What the tests of pretrained models share: small presets with random weights, in every form, and pictures.

Weights and pictures come from NumPy alone, so that `make_reference.py` can give the same to `transformers`.
"""

import json
from pathlib import Path

import numpy as np
import pytest

CLASSES = 7
WIDTH, MLP_DIM, BLOCKS, HEADS, PATCH_SIZE = 24, 40, 2, 3, 8
REFERENCE = Path(__file__).with_name("reference.json")
PHOTOS = Path(__file__).parents[3] / "shared" / "data" / "photos"

HALF = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}

# What is written, by name: (model_type, changes to config.json, preprocessor_config.json).
FOLDERS = {
    "vit": ("vit", {}, {"size": {"height": 48, "width": 48}, "resample": 2, **HALF}),
    "vit, as files of 2021 were": (
        "vit", {"layer_norm_eps": 1e-3, "qkv_bias": False}, {"size": 48, "resample": 3, "do_normalize": True, **HALF},
    ),
    "vit, tanh": (
        "vit", {"hidden_act": "gelu_pytorch_tanh"},
        {"size": {"height": 48, "width": 48}, "resample": 2, "rescale_factor": 1 / 127.5, "do_normalize": False},
    ),
    "deit": (
        "deit", {"heads": 1},
        {"size": {"height": 54, "width": 54}, "resample": 3, "do_center_crop": True,
         "crop_size": {"height": 48, "width": 48}, **IMAGENET},
    ),
    "deit, two heads": (
        "deit", {"heads": 2},
        {"size": {"height": 48, "width": 48}, "resample": 2, "do_center_crop": False, **IMAGENET},
    ),
}  # fmt: skip


def pictures():
    """Three pictures with soft and hard edges: wide, tall, and small."""
    rng = np.random.default_rng(3)
    made = []
    for height, width in ((90, 150), (200, 61), (20, 20)):
        y, x = np.mgrid[:height, :width]
        waves = [np.sin(x / a + y / b + c) for a, b, c in rng.uniform(3, 20, (3, 3))]
        picture = 127.5 + 90 * np.stack(waves, -1)
        picture[height // 3 : height // 2, width // 4 : width // 2] = rng.uniform(0, 255, 3)
        made.append(np.clip(picture, 0, 255).astype("uint8"))
    return made


def weights(model_type, heads=1, qkv_bias=True, seed=0, **_):
    """Every array of a ViT or DeiT of Hugging Face's, by its name there. Large enough that each of them matters."""
    rng = np.random.default_rng(seed)
    before = {"vit": 1, "deit": 2}[model_type]
    tokens = (48 // PATCH_SIZE) ** 2 + before
    shapes = {
        "embeddings.cls_token": (1, 1, WIDTH),
        "embeddings.position_embeddings": (1, tokens, WIDTH),
        "embeddings.patch_embeddings.projection.weight": (WIDTH, 3, PATCH_SIZE, PATCH_SIZE),
        "embeddings.patch_embeddings.projection.bias": (WIDTH,),
        "layernorm.weight": (WIDTH,),
        "layernorm.bias": (WIDTH,),
    }
    if before == 2:
        shapes["embeddings.distillation_token"] = (1, 1, WIDTH)
    for number in range(BLOCKS):
        block = f"encoder.layer.{number}."
        for name in ("query", "key", "value"):
            shapes[f"{block}attention.attention.{name}.weight"] = (WIDTH, WIDTH)
            if qkv_bias:
                shapes[f"{block}attention.attention.{name}.bias"] = (WIDTH,)
        for name, inward, outward in (
            ("attention.output.dense", WIDTH, WIDTH), ("intermediate.dense", WIDTH, MLP_DIM),
            ("output.dense", MLP_DIM, WIDTH),
        ):  # fmt: skip
            shapes |= {f"{block}{name}.weight": (outward, inward), f"{block}{name}.bias": (outward,)}
        for name in ("layernorm_before", "layernorm_after"):
            shapes |= {f"{block}{name}.weight": (WIDTH,), f"{block}{name}.bias": (WIDTH,)}
    shapes = {f"{model_type}.{name}": shape for name, shape in shapes.items()}
    for name in ("cls_classifier", "distillation_classifier") if heads == 2 else ("classifier",):
        shapes |= {f"{name}.weight": (CLASSES, WIDTH), f"{name}.bias": (CLASSES,)}
    arrays = {name: 0.3 * rng.standard_normal(shape, "float32") for name, shape in sorted(shapes.items())}
    return {name: array + ("norm" in name and name.endswith("weight")) for name, array in arrays.items()}


def write_hugging_face(folder, name, **changes):
    """The folder called `name` in FOLDERS, as somebody would have it from Hugging Face."""
    from safetensors.numpy import save_file

    model_type, config, preprocessor = FOLDERS[name]
    config = {**config, **changes}
    arrays = weights(model_type, **config)
    heads = config.pop("heads", 1)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    kind = {"vit": "ViT", "deit": "DeiT"}[model_type]
    config = {
        "model_type": model_type,
        "architectures": [f"{kind}ForImageClassification{'WithTeacher' * (heads == 2)}"],
        "hidden_size": WIDTH, "num_hidden_layers": BLOCKS, "num_attention_heads": HEADS, "intermediate_size": MLP_DIM,
        "image_size": 48, "patch_size": PATCH_SIZE, "num_channels": 3, "qkv_bias": True, "hidden_act": "gelu",
        "layer_norm_eps": 1e-12, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0,
        "id2label": {str(index): f"thing {index}" for index in range(CLASSES)},
        "label2id": {f"thing {index}": index for index in range(CLASSES)},
        **config,
    }  # fmt: skip
    preprocessor = {
        "image_processor_type": f"{kind}ImageProcessor",
        "do_resize": True,
        "do_rescale": True,
    } | preprocessor
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    save_file(arrays, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def kerashub_classifier(family, side=48, classes=CLASSES, activation=None, like_hugging_face=False):
    """A classifier of KerasHub's with its own preprocessing.

    like_hugging_face: with the weights of the Hugging Face folder of that family that has one head
    """
    import keras
    import keras_hub
    from keras_hub import models

    keras.utils.set_random_seed(0)

    sizes = {"image_shape": (side, side, 3), "patch_size": PATCH_SIZE, "num_layers": BLOCKS, "num_heads": HEADS}
    if family == "vit":
        backbone = models.ViTBackbone(**sizes, hidden_dim=WIDTH, mlp_dim=MLP_DIM)
        converter = keras_hub.layers.ViTImageConverter(image_size=(side, side), scale=1 / 127.5, offset=-1.0)
        classifier = models.ViTImageClassifier(
            backbone=backbone, num_classes=classes, activation=activation,
            preprocessor=models.ViTImageClassifierPreprocessor(converter),
        )  # fmt: skip
        return filled(classifier, family) if like_hugging_face else classifier
    backbone = models.DeiTBackbone(**sizes, hidden_dim=WIDTH, intermediate_dim=MLP_DIM)
    mean, deviation = np.array(IMAGENET["image_mean"]), np.array(IMAGENET["image_std"])
    converter = keras_hub.layers.DeiTImageConverter(
        image_size=(side, side), scale=(1 / 255 / deviation).tolist(), offset=(-mean / deviation).tolist(),
        interpolation="bicubic", crop_to_aspect_ratio=False,
    )  # fmt: skip
    classifier = models.DeiTImageClassifier(
        backbone=backbone, num_classes=classes, activation=activation,
        preprocessor=models.DeiTImageClassifierPreprocessor(converter),
    )  # fmt: skip
    return filled(classifier, family) if like_hugging_face else classifier


def filled(classifier, family):
    """Hugging Face's arrays, put in one by one in the order in which KerasHub keeps its weights."""
    given, prefix = weights(family), f"{family}."
    order = ["embeddings.cls_token"] + ["embeddings.distillation_token"] * (family == "deit")
    order += ["embeddings.position_embeddings"] * (family == "deit")
    order += [f"embeddings.patch_embeddings.projection.{kind}" for kind in ("weight", "bias")]
    order += ["embeddings.position_embeddings"] * (family == "vit")
    for number in range(BLOCKS):
        order += [
            f"encoder.layer.{number}.{name}.{kind}"
            for name in (
                "layernorm_before", "attention.attention.query", "attention.attention.key", "attention.attention.value",
                "attention.output.dense", "layernorm_after", "intermediate.dense", "output.dense",
            )
            for kind in ("weight", "bias")
        ]  # fmt: skip
    order += ["layernorm.weight", "layernorm.bias"]
    arrays = [given[prefix + name] for name in order] + [given["classifier.weight"], given["classifier.bias"]]
    for variable, array in zip(classifier.weights, arrays, strict=True):
        turned = array.transpose(2, 3, 1, 0) if array.ndim == 4 else array.T if array.ndim == 2 else array
        variable.assign(turned.reshape(variable.shape))
    return classifier


@pytest.fixture(scope="session")
def reference():
    return json.loads(REFERENCE.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def hugging_face(tmp_path_factory):
    """`hugging_face("vit")`: the folder of that name, written once. With changes to config.json: a new one."""
    written = {}

    def folder(name, **changes):
        key = (name, json.dumps(changes, sort_keys=True))
        if key not in written:
            written[key] = write_hugging_face(tmp_path_factory.mktemp("hugging_face") / "model", name, **changes)
        return written[key]

    return folder


@pytest.fixture(scope="session")
def kerashub(tmp_path_factory):
    """`kerashub("deit", activation="softmax")`: a preset's folder in KerasHub's form, written once."""
    written = {}

    def folder(family, **options):
        key = (family, *sorted(options.items()))
        if key not in written:
            written[key] = tmp_path_factory.mktemp("kerashub") / f"my_{family}"
            kerashub_classifier(family, **options).save_to_preset(str(written[key]))
        return written[key]

    return folder


@pytest.fixture(scope="session")
def photos():
    """The pictures that stand in for photos: uint8, (height, width, 3), of several sizes."""
    return pictures()
