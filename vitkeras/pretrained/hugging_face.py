"""A ViT or DeiT in Hugging Face's form: config.json, model.safetensors, preprocessor_config.json.

KerasHub converts such folders as well, but leaves out resize and normalisation, ViT's layer_norm_eps, and the second of
a distilled DeiT's two heads, whose mean with the first is what `transformers` gives. So we carry the weights over.
"""

from pathlib import Path

import keras
import keras_hub
import numpy as np

from vitkeras import backbones
from vitkeras.errors import Misuse, Problem
from vitkeras.pretrained import loading, resizing
from vitkeras.pretrained.catalogue import FAMILIES
from vitkeras.pretrained.classifier import Classifier
from vitkeras.pretrained.labels import IMAGENET_CLASSES, imagenet

ACTIVATIONS = {
    "gelu": keras.activations.gelu,
    "gelu_new": lambda x: keras.activations.gelu(x, approximate=True),
    "gelu_pytorch_tanh": lambda x: keras.activations.gelu(x, approximate=True),
    "relu": keras.activations.relu,
    "silu": keras.activations.silu,
    "swish": keras.activations.silu,
}
SINGLE_HEAD, TWO_HEADS = ("classifier",), ("cls_classifier", "distillation_classifier")


def from_folder(name, folder):
    folder = Path(folder)
    config = loading.described(folder / "config.json")
    kind = config["model_type"]
    if kind not in FAMILIES:
        raise Misuse(
            f"{folder / 'config.json'} describes a model of the type {kind!r}. Read here, in Hugging Face's form: "
            f"{', '.join(FAMILIES)}; other families as KerasHub's presets."
        )
    weights = Weights(folder, kind)
    heads = next((names for names in (TWO_HEADS, SINGLE_HEAD) if f"{names[0]}.weight" in weights.names), None)
    if heads is None:
        raise Misuse(
            f"{folder} holds a {FAMILIES[kind]} without a head for classes: it can be fine-tuned, but names nothing."
        )
    backbone = backbone_of(config, kind)
    weights.give(backbone)
    model, head = with_heads(backbone, heads, weights)
    prepare, shown, remarks = resizing.from_folder(folder, kind, backbone.input_shape[1:3])
    classes = model.output_shape[-1]
    labels = labels_of(config, classes)
    if labels is None and classes == IMAGENET_CLASSES:
        labels = imagenet()
        remarks.append("config.json names no classes; with 1,000 of them, ImageNet's names are taken")
    return Classifier(name, FAMILIES[kind], model, prepare, shown, labels, remarks, backbone, head)


def backbone_of(config, kind):
    """KerasHub's backbone, with weights yet to come."""
    if config.get("num_channels", 3) != 3:
        raise Misuse(f"config.json: photos have 3 channels, and this model reads {config['num_channels']}.")
    activation = config.get("hidden_act", "gelu")
    if activation not in ACTIVATIONS:
        raise Misuse(f"config.json: the activation {activation!r} is not one of {', '.join(ACTIVATIONS)}.")
    mlp_dim = {"vit": "mlp_dim", "deit": "intermediate_dim"}[kind]
    make = {"vit": keras_hub.models.ViTBackbone, "deit": keras_hub.models.DeiTBackbone}[kind]
    try:
        backbone = make(
            image_shape=(*pair(config["image_size"]), 3),
            patch_size=pair(config["patch_size"]),
            num_layers=config["num_hidden_layers"],
            num_heads=config["num_attention_heads"],
            hidden_dim=config["hidden_size"],
            layer_norm_epsilon=config.get("layer_norm_eps", 1e-12),
            dtype="float32",
            **{mlp_dim: config["intermediate_size"]},
        )
    except KeyError as fault:
        raise Problem(f"config.json lacks {fault}, without which the model cannot be built.") from fault
    for dense in backbones.hidden_layers(backbone):
        dense.activation = ACTIVATIONS[activation]
    return backbone


def pair(size):
    return tuple(size) if isinstance(size, list | tuple) else (size, size)


def with_heads(backbone, names, weights):
    """(model, head): one Dense on the class token; a second on the distillation token, and the mean of both."""
    classes = len(weights.get(f"{names[0]}.bias"))
    dense = [keras.layers.Dense(classes, dtype="float32", name=name) for name in names]
    mean = keras.layers.Average(dtype="float32")

    def head(tokens):
        logits = [layer(tokens[:, token]) for token, layer in enumerate(dense)]  # each (batch, classes)
        return mean(logits) if len(logits) > 1 else logits[0]

    model = keras.Model(backbone.input, head(backbone.output))
    for layer in dense:
        weights.put(layer.kernel, f"{layer.name}.weight", np.transpose)
        weights.put(layer.bias, f"{layer.name}.bias")
    return model, head


class Weights:
    """The arrays in a folder's safetensors files, by name."""

    def __init__(self, folder, prefix):
        import safetensors

        self.folder, self.prefix = folder, prefix
        self.files = {}
        for path in self.paths():
            try:
                file = safetensors.safe_open(path, framework="numpy")
            except Exception as fault:  # safetensors has errors of its own kind
                raise Problem(f"{path} cannot be read as safetensors: {fault}. Copy it again.") from fault
            self.files |= dict.fromkeys(file.keys(), file)
        self.names = self.files.keys()

    def paths(self):
        whole, index = self.folder / "model.safetensors", self.folder / "model.safetensors.index.json"
        if whole.is_file():
            return [whole]
        if index.is_file():
            names = sorted(set(loading.described(index)["weight_map"].values()))
            return [self.folder / Path(name).name for name in names]
        pickled = " pytorch_model.bin is a pickle, which may run code, and is not opened." * any(
            self.folder.glob("*.bin")
        )
        raise Misuse(
            f"{self.folder} has no model.safetensors.{pickled} In Python with transformers: "
            "AutoModelForImageClassification.from_pretrained(FOLDER).save_pretrained(FOLDER) writes it."
        )

    def get(self, name):
        if name not in self.files:
            raise Problem(f"{self.folder} lacks the weights {name!r}, which its config.json asks for.")
        try:
            return np.asarray(self.files[name].get_tensor(name), "float32")  # from 16 bits, too
        except Exception as fault:
            raise Problem(f"{self.folder}: the weights {name!r} cannot be read: {fault}.") from fault

    def put(self, variable, name, turn=lambda array: array):
        array, shape = turn(self.get(name)), tuple(variable.shape)
        if array.size != np.prod(shape) or (array.ndim == len(shape) and array.shape != shape):
            raise Problem(f"{self.folder}: the weights {name!r} are {array.shape}, and config.json asks for {shape}.")
        variable.assign(array.reshape(shape))

    def give(self, backbone):
        """All weights of the backbone. PyTorch keeps a matrix as (out, in), Keras as (in, out)."""
        inside = f"{self.prefix}."
        embedding, encoder = backbones.embedding_and_encoder(backbone)
        patches = f"{inside}embeddings.patch_embeddings.projection"
        self.put(embedding.patch_embedding.kernel, f"{patches}.weight", lambda w: w.transpose(2, 3, 1, 0))
        self.put(embedding.patch_embedding.bias, f"{patches}.bias")
        self.put(embedding.class_token, f"{inside}embeddings.cls_token")
        positions = embedding.position_embedding
        self.put(getattr(positions, "embeddings", positions), f"{inside}embeddings.position_embeddings", squeezed)
        if self.prefix == "deit":
            self.put(embedding.distillation_token, f"{inside}embeddings.distillation_token")
        for number, block in enumerate(encoder.encoder_layers):
            self.give_block(block, f"{inside}encoder.layer.{number}.")
        self.norm(encoder.layer_norm, f"{inside}layernorm")

    def give_block(self, block, inside):
        for name, dense in ("query", "query_dense"), ("key", "key_dense"), ("value", "value_dense"):
            dense = getattr(block.mha, dense)
            self.put(dense.kernel, f"{inside}attention.attention.{name}.weight", np.transpose)
            bias = f"{inside}attention.attention.{name}.bias"
            if bias in self.names:
                self.put(dense.bias, bias)
            else:  # config.json's qkv_bias is false
                dense.bias.assign(np.zeros(dense.bias.shape))
        self.dense(block.mha.output_dense, f"{inside}attention.output.dense")
        self.norm(block.layer_norm_1, f"{inside}layernorm_before")
        self.norm(block.layer_norm_2, f"{inside}layernorm_after")
        first, second = (
            (block.mlp.dense_1, block.mlp.dense_2)
            if self.prefix == "vit"
            else (block.mlp.dense, block.output_layer.dense)
        )
        self.dense(first, f"{inside}intermediate.dense")
        self.dense(second, f"{inside}output.dense")

    def dense(self, layer, name):
        self.put(layer.kernel, f"{name}.weight", np.transpose)
        self.put(layer.bias, f"{name}.bias")

    def norm(self, layer, name):
        self.put(layer.gamma, f"{name}.weight")
        self.put(layer.beta, f"{name}.bias")


def squeezed(positions):
    return positions[0] if positions.ndim == 3 else positions


def labels_of(config, classes):
    """The names in `id2label`, unless they are the LABEL_0, LABEL_1 that stand there when nobody named anything."""
    table = config.get("id2label") or {}
    try:
        names = tuple(str(table[str(index)]) for index in range(classes))
    except (KeyError, TypeError):
        return None
    return None if all(name == f"LABEL_{index}" for index, name in enumerate(names)) else names
