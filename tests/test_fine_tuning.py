"""A classifier without its head, with a new one, and with some of its weights frozen."""

import keras
import numpy as np
import pytest
from keras import layers

from vitkeras import fine_tuning, pretrained
from vitkeras.errors import Misuse
from vitkeras.pretrained.classifier import Classifier


def classifier_of(model, scale=1 / 255, offset=0, side=(4, 4)):
    """Its preprocessing takes a pixel here and there."""
    channels = model.input_shape[-1]

    def prepare(photo):
        height, width = (length // to for length, to in zip(photo.shape, side, strict=False))
        pixels = photo[::height, ::width, :channels][: side[0], : side[1]].astype("float32")
        return pixels * scale + offset

    def shown(pixels):
        return np.broadcast_to(np.round((pixels - offset) / scale).astype("uint8"), (*side, 3))

    return Classifier("small", "vitkeras", model, prepare, shown)


@pytest.fixture
def model():
    """A network with averages to keep and with dropout, from 4 x 4 grey pixels to three classes."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((4, 4, 1))
    x = layers.Conv2D(5, 3)(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.5)(x)
    return keras.Model(inputs, layers.Dense(3)(x))


@pytest.fixture
def images():
    return np.random.default_rng(0).random((6, 4, 4, 1), dtype="float32")


def test_the_features_are_what_the_old_head_saw(model, images):
    features = fine_tuning.without_head(classifier_of(model))(images)
    head = model.layers[-1]
    np.testing.assert_allclose(head(features), model(images), atol=1e-6)


@pytest.mark.parametrize("name", pretrained.SHIPPED)
def test_what_ships_says_the_same_with_its_own_head_put_back(name):
    classifier = pretrained.load(name)
    body, head = fine_tuning.without_head(classifier), classifier.model.layers[-1]
    side, channels = fine_tuning.image_form(classifier)
    images = np.random.default_rng(0).integers(0, 100, (2, side, side, channels), "uint8")
    photos = np.broadcast_to(images, (2, side, side, 3))
    np.testing.assert_allclose(head(body(images / np.float32(255))), classifier.logits(photos), atol=1e-4)


def test_images_from_0_to_1_meet_the_same_preprocessing_as_bytes(model):
    """Here each channel is scaled and moved in a way of its own, as DeiT's are."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4, 4, 3))
    model = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(inputs)))  # its features are the pixels, as prepared
    scale, offset = np.float32([0.02, 0.01, 0.03]), np.float32([-2, -1.5, 0.5])
    body = fine_tuning.without_head(classifier_of(model, scale, offset))
    photo = np.random.default_rng(0).integers(0, 256, (4, 4, 3), "uint8")
    np.testing.assert_allclose(body(photo[None] / np.float32(255))[0], (photo * scale + offset).ravel(), atol=1e-5)


def test_preprocessing_that_does_more_than_scale_is_refused(model):
    classifier = classifier_of(model)
    scaled = classifier.prepare
    classifier.prepare = lambda photo: scaled(photo) ** 2
    with pytest.raises(Misuse, match="more than scaling"):
        fine_tuning.without_head(classifier)


def test_a_classifier_of_oblong_images_is_refused(model):
    with pytest.raises(Misuse, match="4 x 6"):
        fine_tuning.image_form(classifier_of(model, side=(4, 6)))


def test_a_model_that_ends_otherwise_is_refused(images):
    inputs = keras.Input((4, 4, 1))
    with pytest.raises(Misuse, match="does not end in a Dense layer"):
        fine_tuning.without_head(classifier_of(keras.Model(inputs, layers.GlobalAveragePooling2D()(inputs))))


def test_a_new_head_knows_nothing(model, images):
    new = fine_tuning.with_new_head(fine_tuning.without_head(classifier_of(model)), 4, "head")
    np.testing.assert_array_equal(new(images), np.zeros((6, 4)))


def two_steps(model, images):
    model.compile(
        optimizer=keras.optimizers.SGD(0.5), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    for _ in range(2):  # a head of zeros gives no gradient to what is below
        model.train_on_batch(images, np.arange(len(images)) % 4)


def test_with_the_head_alone_learning_the_body_stays_as_it_was(model, images):
    body = fine_tuning.without_head(classifier_of(model))
    before, features = [np.array(weights) for weights in body.weights], np.array(body(images))
    new = fine_tuning.with_new_head(body, 4, "head")
    assert sum(int(np.prod(weights.shape)) for weights in new.trainable_weights) == 5 * 4 + 4
    two_steps(new, images)
    for was, weights in zip(before, body.weights, strict=True):  # and the averages, which are among them
        np.testing.assert_array_equal(was, weights)
    head = new.layers[-1]
    assert np.abs(head.kernel).max() > 0
    np.testing.assert_allclose(new(images), features @ head.kernel + head.bias, atol=1e-5)


def test_with_all_weights_learning_the_averages_stay(model, images):
    body = fine_tuning.without_head(classifier_of(model))
    convolution, normalization = body.layers[-1].layers[1:3]
    before = [np.array(variable) for variable in (convolution.kernel, *normalization.variables)]
    two_steps(fine_tuning.with_new_head(body, 4, "all"), images)
    assert np.abs(convolution.kernel - before[0]).max() > 0
    for was, variable in zip(before[1:], normalization.variables, strict=True):
        np.testing.assert_array_equal(was, variable)


def test_from_scratch_all_weights_are_new_and_all_averages_move(model, images):
    body = fine_tuning.without_head(classifier_of(model))
    convolution, normalization = body.layers[-1].layers[1:3]
    before = np.array(convolution.kernel)
    new = fine_tuning.with_new_head(body, 4, "scratch")
    assert np.abs(convolution.kernel - before).min() > 0
    np.testing.assert_array_equal(normalization.moving_mean, np.zeros(5))
    two_steps(new, images)
    assert np.abs(normalization.moving_mean).min() > 0


def test_what_was_learnt_can_be_undone(model, images):
    body = fine_tuning.without_head(classifier_of(model))
    before, features = fine_tuning.state(body), np.array(body(images))
    two_steps(fine_tuning.with_new_head(body, 4, "scratch"), images)
    fine_tuning.put_back(body, before)
    np.testing.assert_array_equal(body(images), features)


def test_an_unknown_way_to_learn_is_refused(model):
    with pytest.raises(Misuse, match="'some'"):
        fine_tuning.with_new_head(fine_tuning.without_head(classifier_of(model)), 4, "some")


def test_images_are_seen_as_the_classifier_sees_them(model):
    classifier = classifier_of(model)
    scaled = classifier.prepare
    classifier.prepare = lambda photo: 1 - scaled(photo)
    images = np.arange(32, dtype="uint8").reshape(2, 4, 4, 1)
    np.testing.assert_array_equal(fine_tuning.as_seen(classifier, images), 255 - images)


def test_of_each_class_a_share_is_held_out_but_never_all():
    labels = np.array([0] * 8 + [1] * 4 + [2] * 2 + [3])
    learn, watch = fine_tuning.to_learn_and_to_watch(labels, 0.25)
    assert sorted([*learn, *watch]) == list(range(15))
    assert np.bincount(labels[learn]).tolist() == [6, 3, 1, 1]
    assert np.bincount(labels[watch], minlength=4).tolist() == [2, 1, 1, 0]


def test_few_of_each_class_are_a_part_of_more_of_them():
    labels = np.random.default_rng(0).integers(0, 3, 40)
    three, five = (fine_tuning.few_of_each(labels, count, seed=4) for count in (3, 5))
    assert np.bincount(labels[three]).tolist() == [3, 3, 3]
    assert set(three) < set(five)
    assert set(three) != set(fine_tuning.few_of_each(labels, 3, seed=5))
    assert len(fine_tuning.few_of_each(labels, 100, seed=4)) == 40
