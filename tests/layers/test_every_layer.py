"""What holds for every layer: precision, saving, shapes, open batches, compiling."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

import vitkeras
from vitkeras import (
    ClassToken,
    EncoderBlock,
    GridAttention,
    ImageFromPatches,
    LeanBlock,
    MyMultiHeadAttention,
    PatchEncoder,
    Patches,
    PositionEmbedding,
)

to_numpy = keras.ops.convert_to_numpy

# name: (how it is made, shapes of its inputs without the batch)
LAYERS = {
    "Patches": (lambda **k: Patches(4, **k), [(8, 12, 3)]),
    "ImageFromPatches": (lambda **k: ImageFromPatches(4, (8, 12), **k), [(6, 48)]),
    "PatchEncoder": (lambda **k: PatchEncoder(6, 10, **k), [(6, 48)]),
    "PositionEmbedding": (lambda **k: PositionEmbedding(6, **k), [(6, 10)]),
    "ClassToken": (lambda **k: ClassToken(**k), [(6, 10)]),
    "MyMultiHeadAttention": (
        lambda **k: MyMultiHeadAttention(2, 4, value_dim=3, seed=1, **k),
        [(6, 10), (5, 10), (5, 8)],
    ),
    "GridAttention": (lambda **k: GridAttention(2, 4, grid=(2, 3), local=True, **k), [(6, 10), (6, 10)]),
    "EncoderBlock": (lambda **k: EncoderBlock(2, 16, dropout=0.2, **k), [(6, 10)]),
    "EncoderBlock on a grid": (lambda **k: EncoderBlock(2, 16, grid=(2, 3), local=True, **k), [(6, 10)]),
    "LeanBlock": (lambda **k: LeanBlock(2, 16, dropout=0.2, grid=(2, 3), **k), [(6, 10)]),
}
every_layer = pytest.mark.parametrize("name", LAYERS)


def make(name, batch=3, **kwargs):
    layer, shapes = LAYERS[name]
    rng = np.random.default_rng(7)
    return layer(**kwargs), [rng.normal(size=(batch, *shape)).astype("float32") for shape in shapes]


def model_of(name, **kwargs):
    layer, arrays = make(name, **kwargs)
    inputs = [keras.Input(array.shape[1:]) for array in arrays]
    return keras.Model(inputs, layer(*inputs)), arrays


def test_no_layer_is_forgotten_here():
    layers = {name for name in vitkeras.__all__ if isinstance(getattr(vitkeras, name), type)}
    assert layers == {name.split()[0] for name in LAYERS}


@every_layer
@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_computes_in_its_precision_and_keeps_float32_weights(name, policy):
    layer, inputs = make(name, dtype=policy)
    exact, _ = make(name)
    expected = to_numpy(exact(*inputs))
    layer(*inputs)
    layer.set_weights(exact.get_weights())
    output = layer(*inputs)
    assert keras.backend.standardize_dtype(output.dtype) == layer.compute_dtype
    assert all(keras.backend.standardize_dtype(w.dtype) == "float32" for w in layer.weights)
    tolerance = {"float32": 0, "float16": 0.02, "bfloat16": 0.1}[layer.compute_dtype]
    np.testing.assert_allclose(to_numpy(keras.ops.cast(output, "float32")), expected, atol=tolerance)


@every_layer
def test_output_shape_is_known_beforehand(name):
    layer, inputs = make(name)
    shapes = [(None, *x.shape[1:]) for x in inputs]
    assert layer.compute_output_shape(*shapes)[1:] == tuple(layer(*inputs).shape)[1:]
    symbolic = layer(*[keras.Input(shape[1:]) for shape in shapes])
    assert symbolic.shape == layer.compute_output_shape(*shapes)


@every_layer
def test_batch_may_stay_open(name):
    model, _ = model_of(name)
    for batch in (1, 4):
        _, arrays = make(name, batch=batch)
        assert model.predict_on_batch(arrays).shape[0] == batch


@every_layer
def test_compiled_by_xla_it_computes_the_same(name):
    model, arrays = model_of(name)
    model.compile(jit_compile=True)
    np.testing.assert_allclose(model.predict_on_batch(arrays), to_numpy(model(arrays)), atol=1e-5)


@pytest.mark.parametrize("name", [name for name in LAYERS if name not in ("Patches", "ImageFromPatches")])
def test_a_training_step_compiled_by_xla_moves_every_weight_and_stays_finite(name):
    model, arrays = model_of(name)
    model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=True)
    before = model.get_weights()
    loss = model.train_on_batch(arrays, np.ones(model.output.shape[1:], "float32")[None].repeat(3, 0))
    assert np.isfinite(loss)
    for path, then, now in zip([w.path for w in model.weights], before, model.get_weights(), strict=True):
        assert np.isfinite(now).all()
        # A bias on the keys adds the same to all scores of a target, and softmax does not see it.
        assert "key/bias" in path or np.abs(now - then).max() > 0, path


@every_layer
def test_made_anew_from_its_config_it_is_the_same_layer(name):
    layer, inputs = make(name)
    expected = to_numpy(layer(*inputs))
    twin = type(layer).from_config(json.loads(json.dumps(layer.get_config())))
    twin(*inputs)
    twin.set_weights(layer.get_weights())
    assert twin.get_config() == layer.get_config()
    np.testing.assert_array_equal(to_numpy(twin(*inputs)), expected)


RELOAD = """
import sys
from pathlib import Path
import keras, numpy as np, vitkeras  # in this order; the other way round it takes vitkeras.layers
for folder in map(Path, sys.argv[1:]):
    arrays = np.load(folder / "arrays.npz", allow_pickle=False)
    inputs = [arrays[f"input_{i}"] for i in range(len(arrays.files) - 1)]
    model = keras.saving.load_model(folder / "model.keras", safe_mode=True)
    output = keras.ops.convert_to_numpy(model(inputs))
    np.testing.assert_allclose(output, arrays["output"], atol=1e-6, err_msg=str(folder))
"""


def test_saved_models_reload_in_a_fresh_process_in_safe_mode(tmp_path):
    folders = []
    for name in LAYERS:
        model, arrays = model_of(name)
        folders.append(tmp_path / name)
        folders[-1].mkdir()
        model.save(folders[-1] / "model.keras")
        inputs = {f"input_{i}": x for i, x in enumerate(arrays)}
        np.savez(folders[-1] / "arrays.npz", output=to_numpy(model(arrays)), **inputs)
    done = subprocess.run(
        [sys.executable, "-c", RELOAD, *map(str, folders)],
        env=os.environ | {"KERAS_BACKEND": keras.backend.backend()},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
