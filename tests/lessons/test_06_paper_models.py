"""Lesson 6: the paper's models, counted; its recipe, less one ingredient at a time."""

import keras
import pytest

from vitkeras.models import PAPER_SIZES


@pytest.fixture(scope="module")
def finished(run_lesson, record_of, tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    done = run_lesson("06_paper_models", folder, "--quick", "--data", "drawn")
    assert done.returncode == 0, done.stderr
    return done, folder / "runs" / "06_paper_models", record_of(folder / "runs" / "06_paper_models")


def test_our_models_have_exactly_the_parameters_of_keras_hubs(finished):
    counted = finished[2]["results"]["parameters"]
    assert counted["Ti/16"] == dict.fromkeys(("ours", "keras_hub", "by_hand"), 5_524_416)
    assert counted["S/32"]["ours"] == counted["S/32"]["keras_hub"] == counted["S/32"]["by_hand"]
    assert "all equal" in finished[0].stdout


def test_the_whole_recipe_and_one_without_an_ingredient_were_trained_from_each_seed(finished):
    trainings = finished[2]["results"]["trainings"]
    assert [(row["seed"], row["recipe"]) for row in trainings] == [
        (seed, recipe) for seed in (1, 2) for recipe in ("whole", "no warm-up")
    ]
    of_seed_1 = [row["test_accuracy"] for row in trainings[:2]]
    assert of_seed_1[0] != of_seed_1[1]  # the ingredient does something


def test_the_effect_is_the_mean_of_the_differences_seed_by_seed(finished):
    results = finished[2]["results"]
    whole, without = results["accuracies"]["whole"], results["accuracies"]["no warm-up"]
    middle, low, high = results["effects"]["no warm-up"]
    assert middle == pytest.approx(sum(b - a for a, b in zip(whole, without, strict=True)) / 2)
    assert low <= middle <= high


def test_it_ends_in_the_answer_and_a_picture(finished):
    done, folder, record = finished
    assert done.stdout.splitlines()[-1] == record["results"]["answer"]
    assert (folder / "recipe.png").stat().st_size > 5000


@pytest.mark.parametrize(
    ("name", "patch", "preset"),
    [
        ("B", 16, "vit_base_patch16_224_imagenet"),
        ("B", 32, "vit_base_patch32_224_imagenet21k"),
        ("L", 16, "vit_large_patch16_224_imagenet"),
        ("L", 32, "vit_large_patch32_224_imagenet21k"),
        ("H", 14, "vit_huge_patch14_224_imagenet21k"),
    ],
)
def test_the_table_gives_the_sizes_of_keras_hubs_presets(name, patch, preset):
    """Counted by the formula of the lesson, against the numbers that KerasHub publishes with its presets."""
    from keras_hub.models import ViTBackbone

    size = PAPER_SIZES[name]
    d, m, tokens = size.width, size.mlp_dim, (224 // patch) ** 2 + 1
    count = (
        (3 * patch**2 + 1) * d + d + tokens * d + size.blocks * (4 * d * (d + 1) + 2 * d * m + m + d + 4 * d) + 2 * d
    )
    assert count == ViTBackbone.presets[preset]["metadata"]["params"]


def test_a_model_can_be_counted_without_its_weights():
    """What the lesson relies on: in a stateless scope, Keras knows the shapes and makes no arrays."""
    with keras.StatelessScope(initialize_variables=False):
        layer = keras.layers.Dense(10**6)
        layer.build((None, 10**6))
        assert layer.count_params() == 10**12 + 10**6  # four terabytes, had they been made
    keras.utils.clear_session()
