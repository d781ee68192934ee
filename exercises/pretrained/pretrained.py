"""Exercise 9: the five most likely classes of a picture, by a KerasHub classifier."""

import keras_hub
from numpy.typing import ArrayLike  # a NumPy array, or a tensor of Keras or TensorFlow

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


def preprocess(image: ArrayLike, size: int, family: str) -> ArrayLike:
    """Make of a picture what a classifier of this family was trained on. ValueError for another family.

    In:  uint8: (height, width) and (height, width, 1) are grey, (height, width, 3) is RGB, (height, width, 4) is RGB
         with alpha; family is "vit" or "deit"
    Out: float32, (size, size, 3)
    """
    raise NotImplementedError("pretrained.py: write preprocess()")


def softmax(logits: ArrayLike) -> ArrayLike:
    """Probabilities of logits, along the last axis. Logits of a thousand are no reason for NaN.

    In and out: (..., classes)
    """
    raise NotImplementedError("pretrained.py: write softmax()")


def top_k(probabilities: ArrayLike, names, k: int):
    """The k most likely classes, the likeliest first; of equally likely ones the smaller index comes first.

    In:  (classes,); `names` is a list with a name for each class; k from 1 to the number of classes, else ValueError
    Out: a list of k tuples (name, index, probability)

    >>> top_k(np.array([0.2, 0.5, 0.3]), ["cat", "dog", "rabbit"], 2)
    [('dog', 1, 0.5), ('rabbit', 2, 0.3)]
    """
    raise NotImplementedError("pretrained.py: write top_k()")


def classify(classifier, family: str, image: ArrayLike, names, k: int = 5):
    """The k most likely classes of one picture, as `top_k` gives them.

    In:  a classifier of `tiny_classifier`, and its family; one uint8 picture, in any form that `preprocess` takes
    Out: a list of k tuples (name, index, probability)
    """
    raise NotImplementedError("pretrained.py: write classify()")
