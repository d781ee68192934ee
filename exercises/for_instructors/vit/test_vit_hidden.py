"""The hidden tests of `vit`: any sizes and weights, and equations 1 to 4 in NumPy (float64)."""

import math

import numpy as np
import pytest

from vitkeras.grading import Different, close, equal

erf = np.vectorize(math.erf)


def some_sizes(rng, blocks):
    """Sizes of a small model, and two images for it, which are not square."""
    patch_size, heads = (int(n) for n in rng.integers(2, 4, 2))
    rows = int(rng.integers(2, 4))
    columns = rows + int(rng.integers(1, 3))
    # As many values in a patch as there are places would make projection and positions look alike.
    channels = int(rng.choice([n for n in (1, 2, 3) if n * patch_size**2 != rows * columns + 1]))
    image_shape = (rows * patch_size, columns * patch_size, channels)
    width, mlp_dim = heads * int(rng.integers(3, 6)), int(rng.integers(16, 24))
    sizes = {"image_shape": image_shape, "patch_size": patch_size, "blocks": blocks, "width": width, "heads": heads}
    return {**sizes, "mlp_dim": mlp_dim, "num_classes": int(rng.integers(3, 8))}, rng.random(
        (2, *image_shape), "float32"
    )


def some_vit(student, rng, blocks):
    """A model with random weights, its sizes, its images and its weights."""
    sizes, images = some_sizes(rng, blocks)
    model = student.vit(**sizes)
    model(images)
    weights = [rng.normal(0, 0.4, np.shape(weight)).astype("float32") for weight in model.get_weights()]
    model.set_weights(weights)
    return model, sizes, images, weights


def counted(image_shape, patch_size, blocks, width, heads, mlp_dim, num_classes):
    """The sizes of all weights, in the order of the equations."""
    patches = image_shape[0] * image_shape[1] // patch_size**2
    values = patch_size**2 * image_shape[2]
    norm, square = [width, width], [width * width, width]
    mlp = [width * mlp_dim, mlp_dim, mlp_dim * width, width]
    start = [values * width, width, width, (patches + 1) * width]
    return start + blocks * (norm + 4 * square + norm + mlp) + norm + [width * num_classes, num_classes]


def in_order(weights, sizes):
    """The weights in the order of the equations. Of the first four, sizes and axes tell which is which."""
    expected = counted(**sizes)
    places = {expected[0]: 0, expected[3]: 2}  # of the kernel and of the positions; between them bias and class token
    first = sorted(weights[:4], key=lambda weight: (places.get(weight.size, 1), weight.ndim))
    weights = [*first, *weights[4:]]
    if [weight.size for weight in weights] != expected:
        what = f"how many numbers each weight has, in the order of the task, for {sizes}"
        raise Different(what, f"{expected}", f"{[weight.size for weight in weights]}")
    return [weight.astype("float64") for weight in weights]


def layer_norm(x, gamma, beta):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-6) * gamma + beta


def attention(x, heads, query, query_bias, key, key_bias, value, value_bias, output, output_bias):
    width = x.shape[-1]
    projections = [(query, query_bias), (key, key_bias), (value, value_bias)]
    projected = [x @ kernel.reshape(width, width) + bias.ravel() for kernel, bias in projections]
    mixed = []
    for q, k, v in zip(*(np.split(each, heads, axis=-1) for each in projected), strict=True):
        scores = q @ k.transpose(0, 2, 1) / math.sqrt(width // heads)
        powers = np.exp(scores - scores.max(-1, keepdims=True))
        mixed.append(powers / powers.sum(-1, keepdims=True) @ v)
    return np.concatenate(mixed, axis=-1) @ output.reshape(width, width) + output_bias


def reference(images, weights, image_shape, patch_size, blocks, width, heads, mlp_dim, num_classes):
    weights = iter(weights)

    def take(count):
        return [next(weights) for _ in range(count)]

    height, wide, _ = image_shape
    corners = [(y, x) for y in range(0, height, patch_size) for x in range(0, wide, patch_size)]
    patches = [images[:, y : y + patch_size, x : x + patch_size].reshape(len(images), -1) for y, x in corners]
    kernel, bias, class_token, table = take(4)
    tokens = np.stack(patches, axis=1) @ kernel.reshape(-1, width) + bias
    class_tokens = np.tile(class_token.reshape(1, 1, width), (len(images), 1, 1))
    tokens = np.concatenate([class_tokens, tokens], axis=1) + table.reshape(-1, width)
    for _ in range(blocks):
        tokens = attention(layer_norm(tokens, *take(2)), heads, *take(8)) + tokens
        normed = layer_norm(tokens, *take(2))
        kernel_1, bias_1, kernel_2, bias_2 = take(4)
        hidden = normed @ kernel_1 + bias_1
        tokens = hidden * (1 + erf(hidden / math.sqrt(2))) / 2 @ kernel_2 + bias_2 + tokens
    read = layer_norm(tokens, *take(2))[:, 0]
    kernel, bias = take(2)
    return read @ kernel + bias


def require_equations(model, images, weights, sizes):
    expected = reference(images.astype("float64"), in_order(weights, sizes), **sizes)
    close(model(images), expected, f"the logits of a ViT with {sizes}", atol=1e-4)


@pytest.mark.points(
    1, hint="Equation by equation, each LayerNorm with an epsilon of 1e-6, weights in the task's order."
)
@pytest.mark.parametrize("blocks", [1, 3])
def test_the_model_is_equations_1_to_4(student, rng, blocks):
    model, sizes, images, weights = some_vit(student, rng, blocks)
    require_equations(model, images, weights, sizes)


@pytest.mark.points(1, hint="Height and width count patches; channels widen them; the number of heads does not matter.")
def test_parameters_are_counted_for_any_sizes(student, rng):
    for blocks in rng.integers(1, 30, 3):
        sizes, _ = some_sizes(rng, int(blocks))
        sizes["width"] *= int(rng.integers(1, 100))
        equal(student.parameters(**sizes), sum(counted(**sizes)), f"parameters of {sizes}")


@pytest.mark.points(
    0.5, hint="Compare model.count_params() with your formula, for images with colours that are not square."
)
def test_a_model_of_any_sizes_has_as_many_parameters(student, rng):
    model, sizes, images, weights = some_vit(student, rng, blocks=2)
    equal(sum(weight.size for weight in weights), sum(counted(**sizes)), f"the parameters of the model of {sizes}")
    logits = model(images)
    equal(getattr(logits, "shape", None), (2, sizes["num_classes"]), f"the shape of what two images give, for {sizes}")
    if not np.ptp(logits, axis=0).max() > 1e-5:
        raise Different(f"the logits of two images, for {sizes}", "others for each image", f"{logits}")


@pytest.mark.points(
    1, hint="A layer that is called on a constant outside the model, or whose result is unused, never learns."
)
def test_every_weight_learns(student, rng):
    model, sizes, images, weights = some_vit(student, rng, blocks=2)
    require_equations(model, images, weights, sizes)
    upstream = rng.normal(size=(2, sizes["num_classes"])).astype("float32")
    _, _, gradients = student.gradients(model, images, upstream=upstream, weights=True)
    equal(len(gradients), len(counted(**sizes)), "the number of trainable weights")
    for weight, gradient in zip(weights, gradients, strict=True):
        equal(np.shape(gradient), weight.shape, "the shape of a weight's gradient")
    largest = np.array([np.abs(gradient).max() for gradient in gradients])
    # A bias of the keys adds the same to all scores of a query, and softmax does not see it: one for each block.
    still = [weight.shape for weight, most in zip(weights, largest, strict=True) if not most > 2e-6]
    if len(still) > 2 or any(math.prod(shape) != sizes["width"] for shape in still):
        raise Different("the weights with a gradient of 0", "none but the biases of the keys", f"shapes {still}")


@pytest.mark.points(
    0.5, hint="In the first block the class token looks at all patches, and none may be cut off before."
)
def test_every_patch_counts(student, rng):
    model, sizes, images, weights = some_vit(student, rng, blocks=2)
    require_equations(model, images, weights, sizes)
    upstream = rng.normal(size=(2, sizes["num_classes"])).astype("float32")
    _, (gradient,) = student.gradients(model, images, upstream=upstream)
    equal(np.shape(gradient), images.shape, "the shape of the gradient of the images")
    size, (height, width, _) = sizes["patch_size"], sizes["image_shape"]
    for top in range(0, height, size):
        for left in range(0, width, size):
            most = np.abs(gradient[:, top : top + size, left : left + size]).max()
            if not most > 1e-6:
                what = f"the gradient of the patch at row {top}, column {left} of images {images.shape}"
                raise Different(what, "not 0", f"{most:.1e} at most")
