"""Exercise 5: a whole Vision Transformer, the paper's equations 1 to 4, and its parameters counted."""

from collections.abc import Sequence

import keras


def vit(
    image_shape: Sequence[int],
    patch_size: int,
    blocks: int,
    width: int,
    heads: int,
    mlp_dim: int,
    num_classes: int,
) -> keras.Model:
    """A ViT with a class token, from images to logits. No pre-training, no softmax at the end.

        z0 = [class token; patches E] + positions     (1)        E: a Dense layer, with a bias
        z' = MSA(LN(z)) + z                           (2)        for each block; a head is width / heads wide
        z  = MLP(LN(z')) + z'                         (3)        MLP: Dense(mlp_dim), exact GELU, Dense(width)
        y  = LN(z)[class token]                       (4)        and Dense(num_classes) upon it

    In:  image_shape is (height, width, channels), as a list or tuple; `patch_size` divides its height and width;
         `blocks` may be 0; `heads` divides `width`
    Out: a model from (batch, height, width, channels) to (batch, num_classes)

    >>> model = vit((28, 28, 1), patch_size=7, blocks=2, width=64, heads=4, mlp_dim=128, num_classes=10)
    >>> model(np.zeros((5, 28, 28, 1), "float32")).shape
    TensorShape([5, 10])
    """
    raise NotImplementedError("vit.py: write vit()")


def parameters(
    image_shape: Sequence[int],
    patch_size: int,
    blocks: int,
    width: int,
    heads: int,
    mlp_dim: int,
    num_classes: int,
) -> int:
    """How many parameters that model has; calculated, without making it.

    In:  the same as for `vit`
    Out: one whole number

    >>> parameters((28, 28, 1), patch_size=7, blocks=2, width=64, heads=4, mlp_dim=128, num_classes=10)
    72074
    """
    raise NotImplementedError("vit.py: write parameters()")
