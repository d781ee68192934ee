"""Exercise 9: the five most likely classes of a picture, by a KerasHub classifier."""

import keras
import keras_hub
import numpy as np

MEAN = (0.485, 0.456, 0.406)  # of ImageNet's red, green and blue, where white is 1
DEVIATION = (0.229, 0.224, 0.225)


def tiny_classifier(family: str, size: int, classes: int):
    """Given, and not to be changed: a classifier for pictures of size x size, too small to know much.

    The tests put their own weights into it. It has no preprocessor: it gets what `preprocess` makes.
    """
    sizes = {"image_shape": (size, size, 3), "patch_size": 8, "num_layers": 1, "num_heads": 2, "hidden_dim": 16}
    if family == "vit":
        backbone = keras_hub.models.ViTBackbone(**sizes, mlp_dim=32)
        return keras_hub.models.ViTImageClassifier(backbone=backbone, num_classes=classes)
    backbone = keras_hub.models.DeiTBackbone(**sizes, intermediate_dim=32)
    return keras_hub.models.DeiTImageClassifier(backbone=backbone, num_classes=classes)


def preprocess(image, size, family):
    """-> float32, (size, size, 3)"""
    if family not in ("vit", "deit"):
        raise ValueError(f'family should be "vit" or "deit". Received: {family!r}')
    image = in_colour(np.asarray(image)).astype("float32")  # before resizing, which would round bytes to bytes
    if family == "vit":
        image = middle_square(image)
    image = keras.ops.convert_to_numpy(keras.ops.image.resize(image, (size, size), interpolation="bilinear"))
    if family == "vit":
        return image / np.float32(127.5) - 1  # from -1 to 1
    return (image / 255 - np.float32(MEAN)) / np.float32(DEVIATION)


def in_colour(image):
    """Grey, RGB or RGB with alpha -> (height, width, 3)"""
    if image.ndim == 2:
        image = image[..., None]
    return np.repeat(image, 3, axis=-1) if image.shape[-1] == 1 else image[..., :3]


def middle_square(image):
    height, width, _ = image.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return image[top : top + side, left : left + side]


def softmax(logits):
    """(..., classes) -> (..., classes)"""
    powers = np.exp(logits - np.max(logits, axis=-1, keepdims=True))  # the largest is exp(0)
    return powers / powers.sum(axis=-1, keepdims=True)


def top_k(probabilities, names, k):
    """-> [(name, index, probability), ...]"""
    if not 1 <= k <= len(probabilities):
        raise ValueError(f"k should be from 1 to {len(probabilities)}, the number of classes. Received: {k}")
    order = np.argsort(-np.asarray(probabilities), kind="stable")[:k]  # stable: what is equal keeps its order
    return [(names[index], int(index), float(probabilities[index])) for index in order]


def classify(classifier, family, image, names, k=5):
    """-> [(name, index, probability), ...]"""
    size = classifier.backbone.image_shape[0]
    batch = preprocess(image, size, family)[None]  # (1, size, size, 3)
    logits = keras.ops.convert_to_numpy(classifier(batch))[0]  # (classes,)
    return top_k(softmax(logits), names, k)
