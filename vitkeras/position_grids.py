"""A ViT at another image size: its position embeddings, learned on one grid of patches, are read off on another.

Patches keep their size in pixels, so a larger image has more of them, and places that the table knows no vector for.
The paper (section 3.2) interpolates: the vectors are taken as samples of a smooth function over the image.
"""

import keras
import numpy as np

from vitkeras import backbones
from vitkeras.errors import Misuse


def cubic(distance):
    """Keys's cubic (1981), a = -0.5: through the samples, and exact for straight lines and parabolas."""
    d = np.abs(distance)
    return np.where(d < 1, (1.5 * d - 2.5) * d**2 + 1, np.where(d < 2, ((2.5 - 0.5 * d) * d - 4) * d + 2, 0.0))


KERNELS = {  # how much a sample counts at a distance, in samples
    "nearest": lambda distance: np.where((distance >= -0.5) & (distance < 0.5), 1.0, 0.0),
    "bilinear": lambda distance: np.maximum(1 - np.abs(distance), 0.0),
    "bicubic": cubic,
}


def resized(positions, grid, new_grid, tokens_before=1, interpolation="bicubic"):
    """Position embeddings for another grid of patches, each grid as (rows, columns).

    The first `tokens_before` (class token, DeiT's distillation token) have no place in the image, and stay as they are.

    In:  (tokens_before + rows * columns, D), also with a 1 in front
    Out: the same for the new grid

    A smaller grid is sampled, not averaged: the kernels keep their width (no "antialias"), as is usual for positions.
    They are smooth already, and to a larger grid there is no difference.

    >>> resized(np.array([[9.0], [1.0], [2.0], [3.0], [4.0]]), (1, 4), (1, 8), interpolation="bilinear")[:, 0].tolist()
    [9.0, 1.0, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75, 4.0]
    """
    positions = np.asarray(positions)
    if interpolation not in KERNELS:
        raise Misuse(f"interpolation is one of {', '.join(KERNELS)}, not {interpolation!r}.")
    for name, sides in (("grid", grid), ("new_grid", new_grid)):
        if len(sides) != 2 or min(sides) < 1:
            raise Misuse(f"`{name}` is (rows, columns) of patches, 1 or more of each, not {sides}.")
    needed = tokens_before + grid[0] * grid[1]
    if positions.ndim not in (2, 3) or (positions.ndim == 3 and len(positions) != 1) or positions.shape[-2] != needed:
        raise Misuse(
            f"a grid of {grid[0]} x {grid[1]} patches with {tokens_before} tokens before them has position embeddings "
            f"of shape ({needed}, D) or (1, {needed}, D), but these have {positions.shape}. Do grid, tokens_before and "
            "the model belong together?"
        )
    if tuple(grid) == tuple(new_grid):
        return positions.copy()
    before, places = np.split(positions, [tokens_before], axis=-2)
    places = places.reshape(*grid, -1)  # (rows, columns, D)
    rows, columns = (weights(old, new, KERNELS[interpolation]) for old, new in zip(grid, new_grid, strict=True))
    places = np.einsum("ir,jc,rcd->ijd", rows, columns, places.astype("float64"), optimize=True)
    places = places.astype(positions.dtype).reshape(*positions.shape[:-2], -1, positions.shape[-1])
    return np.concatenate([before, places], axis=-2)


def weights(old, new, kernel):
    """(new, old): how much each of `old` places in a row counts at each of `new` ones over the same length.

    Our own few lines, for `keras.ops.image.resize` is another function on each backend: TensorFlow rounds the distances
    of its cubic to 1/1024, and PyTorch's cubic has a = -0.75.
    """
    centres = (np.arange(new) + 0.5) * old / new - 0.5  # (new,), counted in old places
    shares = kernel(centres[:, None] - np.arange(old))  # (new, old)
    return shares / shares.sum(axis=1, keepdims=True)  # at the border, what is missing is made up for by the others


def with_resolution(backbone, image_size, interpolation="bicubic"):
    """KerasHub's ViTBackbone or DeiTBackbone for images of another size, a number or (height, width).

    A new model: the positions are interpolated, all other weights are equal to the old model's.
    """
    layer, tokens_before = embedding_of(backbone)
    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    patch = tuple(layer.patch_size)
    for side, patch_side in zip((height, width), patch, strict=True):
        refuse_unless_it_fits(side, patch_side)
    channels = (layer.num_channels,)
    last = layer.data_format == "channels_last"
    config = backbone.get_config() | {
        "image_shape": (height, width, *channels) if last else (*channels, height, width),
        "data_format": layer.data_format,
    }
    other = type(backbone).from_config(config)
    grid, new_grid = (
        tuple(side // p for side, p in zip(sides, patch, strict=True)) for sides in (layer.image_size, (height, width))
    )
    its_positions = positions_of(embedding_of(other)[0])
    for variable, learned in zip(other.weights, backbone.weights, strict=True):
        value = keras.ops.convert_to_numpy(learned)
        if variable is its_positions:
            value = resized(value, grid, new_grid, tokens_before, interpolation)
        variable.assign(value)
    for mine, learned in zip(backbones.hidden_layers(other), backbones.hidden_layers(backbone), strict=True):
        mine.activation = learned.activation  # of a Hugging Face model perhaps another than KerasHub's
    return other


def embedding_of(backbone):
    """The layer that has the positions, and how many of these belong to no patch."""
    for layer in getattr(backbone, "layers", ()):
        if layer.name == "vit_patching_and_embedding":
            return layer, int(layer.use_class_token)
        if layer.name == "deit_patching_and_embedding":
            return layer, 2
    raise Misuse(
        f"a ViTBackbone or DeiTBackbone of KerasHub is needed, not a {type(backbone).__name__}. "
        "Of a classifier, give its `backbone`; for position embeddings of another model there is `resized`."
    )


def positions_of(layer):
    table = layer.position_embedding
    return table.embeddings if isinstance(table, keras.layers.Embedding) else table  # ViT's, or DeiT's


def refuse_unless_it_fits(side, patch):
    if side % patch or side < patch:
        below = max(side, 0) // patch * patch
        fitting = f"{below} and {below + patch} are" if below else f"{patch} is the smallest"
        raise Misuse(f"an image side of {side} pixels is no multiple of the patches' {patch}: {fitting}.")
