"""The paper's models as KerasHub builds them: multiply-adds out of their graphs, and time and memory as a whole."""

import contextlib
import json
import subprocess
import sys

from vitkeras.backbones import embedding_and_encoder
from vitkeras.benchmark import price
from vitkeras.benchmark.measuring import peak_memory, seconds_of
from vitkeras.errors import Problem
from vitkeras.models import PAPER_SIZES


def backbone(size, patch_size, side, blocks=None):
    """A ViT without a head for images of `side` x `side`. size: "B", "L", …;  blocks: fewer than it has"""
    import keras_hub

    size = PAPER_SIZES[size]
    return keras_hub.models.ViTBackbone(
        image_shape=(side, side, 3), patch_size=patch_size, num_layers=blocks or size.blocks, num_heads=size.heads,
        hidden_dim=size.width, mlp_dim=size.mlp_dim,
    )  # fmt: skip


def on_one_image(model):
    import tensorflow as tf

    return tf.function(lambda: model(tf.zeros((1, *model.image_shape)), training=False))


def pieces(model):
    """{"block": a step, "embedding": a step}, each on one image: a model is one embedding and several equal blocks."""
    import tensorflow as tf

    embedding, encoder = embedding_and_encoder(model)
    block = encoder.encoder_layers[0]
    image = tf.random.normal((1, *model.image_shape))
    tokens = embedding(image)  # (1, N + 1, D)
    return {"block": tf.function(lambda: block(tokens)), "embedding": tf.function(lambda: embedding(image))}


def multiply_adds(function):
    """As `price.multiply_adds`, and with what KerasHub's ViT has besides matrix products: einsums and a convolution."""
    total = price.multiply_adds(function)
    for operation in function.get_concrete_function().graph.get_operations():
        if operation.type == "Conv2D":
            height, width, channels, _ = operation.inputs[1].shape
            total += operation.outputs[0].shape.num_elements() * height * width * channels
        elif operation.type == "Einsum":
            inputs = operation.get_attr("equation").decode().split("->")[0].split(",")
            sizes = {}
            for letters, tensor in zip(inputs, operation.inputs, strict=True):
                sizes |= dict(zip(letters, tensor.shape, strict=True))
            product = 1
            for size in sizes.values():  # each index runs through all its values, with all values of the others
                product *= size
            total += product
    return total


def whole_models(variants, rounds, device="auto", precision="float32"):
    """Each of `variants`, {name: (size, patch_size, side, blocks)}, run on one image in a process of its own, in turn.

    {name: {"milliseconds": [one a round], "of_pieces": [the same, its embedding and all its blocks one by one],
    "megabytes": the peak of the process above what it had before the model}}. It is the main memory that is told, on
    Linux; elsewhere None.
    """
    # Not `one_process`: what it spawns would run the lesson's script again, which has no `if __name__ == "__main__"`.
    figures = {}
    with contextlib.ExitStack() as stack:
        processes = {}
        for name, what in variants.items():
            words = [sys.executable, "-m", "vitkeras.benchmark.variants", *map(str, what), device, precision]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "bufsize": 0}
            processes[name] = stack.enter_context(subprocess.Popen(words, **pipes))  # the end of its input ends it
        for name, process in processes.items():
            figures[name] = {"milliseconds": [], "of_pieces": [], "megabytes": answer(process, name)}
        for number in range(rounds + 1):
            for name, process in processes.items():
                whole, of_pieces = answer(process, name, b"again\n")
                if number:  # before the first round, all have waited long for the slowest to be built
                    figures[name]["milliseconds"].append(whole)
                    figures[name]["of_pieces"].append(of_pieces)
    return figures


def answer(process, name, question=b""):
    try:
        process.stdin.write(question)
        return json.loads(process.stdout.readline())
    except (OSError, ValueError):  # it is gone, and has said nothing
        raise Problem(f"the process that measured {name} died. Is there enough memory?") from None


def serve(size, patch_size, side, blocks, device, precision):
    with contextlib.redirect_stdout(sys.stderr):
        from vitkeras import machine

        machine.prepare(1, device, precision)
    import keras_hub

    def ready(step):
        seconds_of(step, 2)  # traces; then the first run proper, which makes itself room
        return step

    ready(on_one_image(keras_hub.models.ViTBackbone((16, 16, 3), 8, 1, 1, 8, 8)))  # what any model brings with it
    before = peak_memory()
    model = backbone(size, patch_size, side, blocks)
    whole = ready(on_one_image(model))
    print(json.dumps(None if before is None else peak_memory() - before), flush=True)
    block, embedding = (ready(step) for step in pieces(model).values())
    for _ in sys.stdin:
        of_pieces = (seconds_of(embedding, 3) + blocks * seconds_of(block, 3)) / 3
        print(json.dumps([1000 * seconds_of(whole, 1), 1000 * of_pieces]), flush=True)


if __name__ == "__main__":
    serve(sys.argv[1], *map(int, sys.argv[2:5]), *sys.argv[5:])
