"""The visible tests of `vit`: a very small model, and the paper's sizes."""

import numpy as np
import pytest

from vitkeras.grading import Different, close, equal

SMALL = {"image_shape": (4, 6, 1), "patch_size": 2, "width": 8, "heads": 2, "mlp_dim": 12, "num_classes": 3}
COUNTED = {  # with one block
    "projection of 2 * 2 * 1 values": 4 * 8 + 8,
    "class token": 8,
    "positions of 6 patches and the class token": 7 * 8,
    "two LayerNorms of the block": 2 * (8 + 8),
    "queries, keys, values and output": 4 * (8 * 8 + 8),
    "MLP": (8 * 12 + 12) + (12 * 8 + 8),
    "last LayerNorm": 8 + 8,
    "head": 8 * 3 + 3,
}


def small_vit(student, rng, blocks):
    """A model with random weights, so that nothing in it is 0 by chance, and three images for it."""
    images = rng.random((3, 4, 6, 1), dtype="float32")
    model = student.vit(**SMALL, blocks=blocks)
    model(images)
    model.set_weights([rng.normal(0, 0.5, np.shape(weight)).astype("float32") for weight in model.get_weights()])
    return model, images


def logits_of(model, images):
    logits = model(images)
    equal(getattr(logits, "shape", None), (len(images), 3), f"the shape of what {len(images)} images give")
    return logits


def differ(logits, what):
    apart = np.ptp(logits, axis=0).max()  # from image to image
    if not apart > 1e-5:
        raise Different(what, "others for each image", f"a difference of {apart:.1e} at most")


@pytest.mark.points(1, hint="Dense(num_classes) comes last, without a softmax.")
def test_there_is_a_logit_for_each_image_and_class(student, rng):
    model, images = small_vit(student, rng, blocks=2)
    logits = logits_of(model, images)
    differ(logits, "the logits of three images")
    if np.allclose(logits.sum(1), 1):
        raise Different("the logits", "any numbers", f"probabilities that sum to 1: {logits}")
    close(logits_of(model, images[:1]), logits[:1], "the logits of the first image, alone and among others", atol=1e-4)


@pytest.mark.points(0.5, hint="What is there, part by part, stands in COUNTED, in the file of this test.")
def test_the_parameters_of_a_small_vit_are_counted(student):
    equal(student.parameters(**SMALL, blocks=1), sum(COUNTED.values()), f"parameters of {SMALL}, with one block")


@pytest.mark.points(
    1, hint="Compare model.summary() with COUNTED, in the file of this test. Embedding outside the model?"
)
def test_the_model_has_just_these_parameters(student, rng):
    model, images = small_vit(student, rng, blocks=1)
    equal(sum(np.size(weight) for weight in model.get_weights()), sum(COUNTED.values()), "the parameters of the model")
    differ(logits_of(model, images), "the logits of three images")


@pytest.mark.points(1, hint="H/14 has 256 patches and one class token. What of the model depends on their number?")
def test_the_models_of_table_1_are_counted(student):
    base = {"blocks": 12, "width": 768, "mlp_dim": 3072, "heads": 12}
    large = {"blocks": 24, "width": 1024, "mlp_dim": 4096, "heads": 16}
    huge = {"blocks": 32, "width": 1280, "mlp_dim": 5120, "heads": 16}
    for name, size, patch_size, count in (
        ("B/16", base, 16, 86_567_656),  # the paper says 86M
        ("B/32", base, 32, 88_224_232),
        ("L/16", large, 16, 304_326_632),
        ("L/32", large, 32, 306_535_400),  # 307M
        ("H/14", huge, 14, 632_045_800),  # 632M
    ):
        got = student.parameters(image_shape=(224, 224, 3), patch_size=patch_size, num_classes=1000, **size)
        equal(got, count, f"the parameters of ViT-{name} with 1000 classes")


@pytest.mark.points(1, hint="Equation 1: a learned vector for each place is added, also to the class token.")
def test_where_a_patch_is_makes_a_difference(student, rng):
    model, images = small_vit(student, rng, blocks=2)
    moved = np.roll(images, 2, axis=2)  # each patch one place to the right, the last one to the front
    difference = np.abs(logits_of(model, moved) - logits_of(model, images)).max()
    if not difference > 1e-5:
        raise Different(
            "the logits, when all patches move", "other logits", f"a difference of {difference:.1e} at most"
        )


@pytest.mark.points(0.5, hint="Equation 4: only token 0 is read. Without blocks, no patch has told it anything.")
def test_without_a_block_the_class_token_has_seen_nothing(student, rng):
    model, images = small_vit(student, rng, blocks=1)
    differ(logits_of(model, images), "the logits of three images, with one block")
    model, images = small_vit(student, rng, blocks=0)
    logits = logits_of(model, images)
    close(logits, np.tile(logits[:1], (3, 1)), "the logits of three images without a block: all alike")
