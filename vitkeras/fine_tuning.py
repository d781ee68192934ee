"""A trained classifier taken to other classes: all but its head, a new head, and what of it is to learn.

    side, channels = fine_tuning.image_form(classifier)     # of the images that it wants
    body = fine_tuning.without_head(classifier)             # images 0 to 1 -> features (batch, width)
    model = fine_tuning.with_new_head(body, 10, "head")     # only the new head learns
    model = fine_tuning.with_new_head(body, 10, "all")      # everything does

Training changes the body's weights, so who wants to begin twice keeps them: `state`, and `put_back`.
"""

import keras
import numpy as np

from vitkeras.errors import Misuse

LEARNING = ("head", "all", "scratch")
DARK = (0, 50, 100)  # greys to try a classifier's preprocessing with: what is brighter, mnist_vit's would invert
PHOTO = (512, 512, 3)  # of a size that any preprocessing changes


def image_form(classifier):
    """(side, channels) of the images that a classifier's preprocessing makes."""
    height, width, channels = classifier.prepare(np.zeros(PHOTO, "uint8")).shape
    if height != width:
        raise Misuse(f"{classifier.name} reads images of {height} x {width}, and photos are cut to squares here.")
    return height, channels


def without_head(classifier):
    """The classifier up to its last Dense: a model from images (batch, height, width, channels), 0 to 1, to features.

    The first layer does what the classifier does to pixels before its model sees them.
    """
    model = classifier.model
    if isinstance(model.layers[-1], keras.layers.Dense):
        features = model.layers[-1].input  # (batch, width)
    elif classifier.backbone is not None:  # a distilled DeiT with two heads
        features = classifier.backbone.output[:, 0]  # that of the class token
    else:
        raise Misuse(f"{classifier.name} does not end in a Dense layer, so its head cannot be taken off.")
    if len(features.shape) != 2:
        raise Misuse(f"{classifier.name}: features (batch, width) were expected before its head, not {features.shape}.")
    scale, offset = scale_and_offset(classifier)
    side, channels = image_form(classifier)
    inputs = keras.Input((side, side, channels))
    prepared = keras.layers.Rescaling(
        (255 * scale).tolist(), offset.tolist(), dtype="float32", name="as_in_pretraining"
    )(inputs)
    return keras.Model(inputs, keras.Model(model.inputs[0], features)(prepared), name="body")


def scale_and_offset(classifier):
    """Preprocessing as a x pixel + b, with a and b for each channel: found by preparing plain grey images.

    They have the size that the model reads: others would be cropped, or searched for a drawing.
    """
    side, _ = image_form(classifier)
    answers = np.stack(
        [classifier.prepare(np.full((side, side, 3), grey, "uint8")).mean((0, 1)) for grey in DARK]
    )  # (greys, channels)
    offset, scale = answers[0], (answers[2] - answers[0]) / (DARK[2] - DARK[0])
    if not scale.all() or not np.allclose(answers[1], scale * DARK[1] + offset, atol=1e-3):
        raise Misuse(f"{classifier.name} prepares its photos in a way that is more than scaling: it is not read here.")
    return scale, offset


def with_new_head(body, classes, learning):
    """The body, and a new Dense layer of zeros: a model from images, 0 to 1, to logits (batch, classes).

    learning: "head": the body stays as it is; "all": the body learns as well; "scratch": so does it, from new weights
    """
    if learning not in LEARNING:
        raise Misuse(f"learning should be one of {', '.join(LEARNING)}. Received: {learning!r}")
    body.trainable = learning != "head"
    for layer in body._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            # Its averages are of thousands of images, and a small batch of few images knows less: what has learnt keeps
            # them, for Keras lets a layer that is not trainable do as in a test. New weights have no averages yet, and
            # only tens of steps to find them.
            layer.trainable = learning == "scratch"
            if learning == "scratch":
                layer.momentum = 0.9
    if learning == "scratch":
        put_back(body, state(keras.models.clone_model(body, clone_function=anew)))
    head = keras.layers.Dense(classes, kernel_initializer="zeros", dtype="float32", name="head")
    return keras.Model(body.inputs[0], head(body(body.inputs[0])), name=f"learning_{learning}")


def anew(layer):
    """The same layer with new weights; of a model, with each of its layers anew."""
    return layer.__class__.from_config(layer.get_config())


def state(model):
    """Everything that training changes in a model: weights, averages, random generators."""
    return [np.array(variable) for variable in model.variables]


def put_back(model, arrays):
    for variable, array in zip(model.variables, arrays, strict=True):
        variable.assign(array)


def as_seen(classifier, images):
    """Images as the classifier sees them, uint8 again: cropped if it crops, mnist_vit's on a dark ground."""
    channels = images.shape[-1]
    photos = (np.broadcast_to(image, (*image.shape[:2], 3)) for image in images)
    return np.stack([classifier.shown(classifier.prepare(photo))[..., :channels] for photo in photos])


def to_learn_and_to_watch(labels, share):
    """Places of images: of each class the last `share` is to be watched, rounded, but at least one to learn from."""
    learn, watch = [], []
    for label in np.unique(labels):
        places = np.flatnonzero(labels == label)
        at = max(1, len(places) - max(1, round(share * len(places))))
        learn.append(places[:at])
        watch.append(places[at:])
    if not np.concatenate(watch).size:
        raise Misuse("Each class has one image only to learn from, and none to hold out. Add some.")
    return np.sort(np.concatenate(learn)), np.sort(np.concatenate(watch))


def few_of_each(labels, count, seed):
    """Places of `count` images of each class, or of all that it has, by chance, in random order.

    With the same seed, a smaller count gives a part of what a larger one gives.
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    return np.concatenate([order[labels[order] == label][:count] for label in np.unique(labels)])
