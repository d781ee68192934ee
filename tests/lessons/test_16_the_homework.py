"""The homework's lesson, run once on a small budget: ViT and CNN, what is asked when, and one thing changed."""

import pytest

from vitkeras import trained


@pytest.fixture(scope="module")
def finished(run_lesson, record_of, tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    done = run_lesson("16_the_homework", folder, "--quick", "--data", "drawn")
    assert done.returncode == 0, done.stderr
    run = folder / "runs" / "16_the_homework"
    return done.stdout, run, record_of(run)


@pytest.fixture(scope="module")
def ablation(run_lesson, record_of, tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    words = ["--quick", "--data", "drawn", "--trainings", "ablation", "--set", "blocks=1", "--set", "local=1"]
    done = run_lesson("16_the_homework", folder, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout, record_of(folder / "runs" / "16_the_homework")["results"]


def test_vit_and_cnn_are_of_about_one_size_and_only_one_attends(finished):
    sizes = {row["training"]: row["parameters"] for row in finished[2]["results"]["trainings"]}
    assert 0.9 < sizes["vit"] / sizes["cnn"] < 1.1
    kinds = {
        name: {type(layer).__name__ for layer in trained.load(folder / "model.keras", (28, 28, 1), 10).layers}
        for name in sizes
        for folder in [finished[1] / f"seed-1_training-{name}"]
    }
    assert "LeanBlock" in kinds["vit"] - kinds["cnn"]


def test_the_answer_is_of_single_views_and_the_five_are_told_apart(finished):
    results = finished[2]["results"]
    vit, cnn = (row["test_accuracy"] for row in results["trainings"])
    assert f"vit {100 * vit:.2f}%, cnn {100 * cnn:.2f}%" in results["answer"]
    assert finished[0].splitlines()[-1] == results["answer"]
    assert all("test_accuracy_in_five_views" in row for row in results["trainings"])


def test_the_ablation_never_asks_the_test_images(ablation):
    for row in ablation[1]["trainings"]:
        assert not [name for name in row if "test" in name]
        assert set(row["held_out"]) == {"last weights", "averaged", "five views"}


def test_the_ablation_has_eleven_trainings_and_where_tokens_are_others_so_is_the_size(ablation):
    names = [row["training"] for row in ablation[1]["trainings"]]
    assert names[0] == "all of it"
    assert len(set(names)) == len(names) == 11
    sizes = {row["training"]: row["parameters"] for row in ablation[1]["trainings"]}
    same = sizes["all of it"]
    assert [name for name in names if sizes[name] != same] == [
        "overlapping patches for convolutions", "patches cut side by side", "class token for the mean",
    ]  # fmt: skip
