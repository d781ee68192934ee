"""Where a preset is found, and what is said where it is not. No test asks the network."""

import json
import zipfile

import pytest

from vitkeras import pretrained
from vitkeras.errors import Misuse, Problem
from vitkeras.pretrained import bundles, catalogue, network, places

VIT = "vit_base_patch16_224_imagenet"


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """No network, empty caches, and nothing in the project's own folder."""
    monkeypatch.setattr(network, "why_unreachable", lambda host: f"{host} cannot be reached: it is cut off.")
    monkeypatch.setattr(places.search, "project_folder", lambda: tmp_path / "data")
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "kaggle"))
    monkeypatch.delenv("VITKERAS_DATA", raising=False)
    monkeypatch.setattr(places, "cached_by_hugging_face", lambda repository: None)


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("deit_tiny", "deit_tiny_distilled_patch16_224_imagenet"),
        ("deit_base", "deit_base_distilled_patch16_224_imagenet"),
        ("vit_base", VIT),
        ("vit_large_patch32", "vit_large_patch32_384_imagenet"),
        ("resnet_50", "resnet_50_imagenet"),
        (VIT, VIT),
    ],
)
def test_the_beginning_of_a_name_does(word, name):
    names = [*catalogue.kerashub()]
    if word == "vit_large_patch32":
        names.remove("vit_large_patch32_224_imagenet21k")
    assert catalogue.full_name(word, names) == name


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("vit_larg", "Did you mean vit_"),
        ("MNIST_VIT", "Did you mean mnist_vit"),
        ("efficientnet", "may be any of"),
        ("zzz", "There is no preset"),
    ],
)
def test_a_name_that_is_none_or_not_clear_is_told(word, said):
    with pytest.raises(Misuse, match=said):
        pretrained.load(word)


@pytest.mark.parametrize("preset", ["s3://a/b", "hf://a/b/c", "kaggle://a/b", "hf://../..", "kaggle://a/b/keras/c/new"])
def test_a_handle_of_another_form_is_told(preset):
    with pytest.raises(Misuse, match="://"):
        pretrained.load(preset)


@pytest.mark.parametrize("preset", ["./nowhere", "no/where", "gone.keras", "gone.zip"])
def test_a_path_that_leads_nowhere_is_told(preset):
    with pytest.raises(Misuse, match="There is no folder or file"):
        pretrained.load(preset)


def test_a_file_that_is_no_preset_is_told(tmp_path):
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(Misuse, match="named by its folder"):
        pretrained.load(tmp_path / "model.safetensors")


@pytest.mark.parametrize(
    "preset", ["vit_base", "hf://google/vit-base-patch16-224", f"kaggle://keras/vit/keras/{VIT}/4"]
)
def test_without_a_network_there_are_three_ways_out(preset, tmp_path):
    with pytest.raises(places.Unavailable) as caught:
        pretrained.load(preset)
    said = str(caught.value)
    assert "cut off" in said
    assert "python -m vitkeras.pretrained fetch " in said
    assert str(tmp_path / "data" / "presets") in said
    assert "mnist_vit" in said


def test_a_presets_folder_or_zip_beside_the_data_is_found(hugging_face, tmp_path):
    target = tmp_path / "data" / "presets" / VIT
    bundles.pack(VIT, hugging_face("vit"), "", target.parent, as_zip=False)
    assert pretrained.load("vit_base").name == VIT
    target.rename(tmp_path / "away")
    bundles.pack(VIT, hugging_face("vit"), "", target.parent, as_zip=True)
    assert pretrained.load("vit_base").name == VIT


def test_a_preset_of_ones_own_beside_the_data_is_found_by_its_name(hugging_face, tmp_path, capsys):
    from vitkeras.pretrained import listing

    bundles.pack("minha_vit", hugging_face("vit"), "", tmp_path / "data" / "presets", as_zip=True)
    assert pretrained.load("minha_vit").name == "minha_vit"
    assert pretrained.load("minha").name == "minha_vit"
    listing.list_presets()
    assert any(
        line.split()[0] == "minha_vit" and "yes" in line for line in capsys.readouterr().out.splitlines() if line
    )


def test_the_beginning_of_a_shipped_models_name_does():
    assert pretrained.load("mnist").name == "mnist_vit"


def kaggle_folder(tmp_path, version):
    return tmp_path / "kaggle" / "models" / "keras" / "vit" / "keras" / VIT / str(version)


def test_kerashubs_own_cache_is_used_if_it_is_whole(kerashub, tmp_path):
    from kagglehub.cache import Cache
    from kagglehub.handle import parse_model_handle

    handle = catalogue.kerashub()[VIT].handle.removeprefix("kaggle://")
    folder = kaggle_folder(tmp_path, handle.rpartition("/")[2])
    folder.parent.mkdir(parents=True)
    for file in kerashub("vit").iterdir():
        (folder / file.name).parent.mkdir(exist_ok=True)
        (folder / file.name).write_bytes(file.read_bytes())
        if file.name != "model.weights.h5":
            Cache().mark_as_complete(parse_model_handle(handle), file.name)
    with pytest.raises(places.Unavailable):  # the weights are still coming
        pretrained.load("vit_base")
    Cache().mark_as_complete(parse_model_handle(handle), "model.weights.h5")
    assert pretrained.load("vit_base").name == VIT
    assert places.cached_by_kaggle(handle.rpartition("/")[0]) == folder


def test_what_was_packed_can_be_loaded_and_says_what_it_is(hugging_face, photos, tmp_path):
    target = bundles.pack("mine", hugging_face("vit"), "hf://a/mine", tmp_path, as_zip=True)
    manifest = json.loads(zipfile.ZipFile(target).read(bundles.MANIFEST))
    assert manifest["handle"] == "hf://a/mine"
    assert set(manifest["files"]) == {"config.json", "model.safetensors", "preprocessor_config.json"}
    expected = pretrained.load(hugging_face("vit")).logits(photos)
    assert (pretrained.load(target).logits(photos) == expected).all()
    with pytest.raises(Misuse, match="there already"):
        bundles.pack("mine", hugging_face("vit"), "", tmp_path, as_zip=True)


def test_programs_and_pickles_are_not_carried_along(hugging_face, tmp_path):
    import shutil

    folder = shutil.copytree(hugging_face("vit"), tmp_path / "model")
    for name in ("modeling_vit.py", "pytorch_model.bin", ".hidden.json"):
        (folder / name).touch()
    packed = bundles.pack("mine", folder, "", tmp_path / "out", as_zip=False)
    assert sorted(path.name for path in packed.iterdir()) == [
        "config.json", "model.safetensors", "preprocessor_config.json", bundles.MANIFEST,
    ]  # fmt: skip


def test_a_changed_or_missing_file_is_told_before_it_is_read(hugging_face, tmp_path):
    folder = bundles.pack("mine", hugging_face("vit"), "", tmp_path, as_zip=False)
    weights = folder / "model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(bundles.Damaged, match="SHA-256"):
        pretrained.load(folder)
    weights.unlink()
    with pytest.raises(bundles.Damaged, match=r"lacks model\.safetensors"):
        pretrained.load(folder)


@pytest.mark.parametrize("name", ["../out.json", "/abs.json", "a\\b.json", "C:x.json"])
def test_a_zip_that_leads_out_of_its_folder_is_not_unpacked(name, tmp_path):
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as bundle:
        bundle.writestr(name, "{}")
    with pytest.raises(bundles.Damaged, match="not unpacked"):
        pretrained.load(tmp_path / "evil.zip")


def test_a_zip_that_is_none_or_was_cut_off_is_told(hugging_face, tmp_path):
    (tmp_path / "text.zip").write_text("no zip")
    target = bundles.pack("mine", hugging_face("vit"), "", tmp_path, as_zip=True)
    target.write_bytes(target.read_bytes()[:-300])
    for name in ("text.zip", "mine.zip"):
        with pytest.raises(bundles.Damaged, match="Copy it again"):
            pretrained.load(tmp_path / name)


def test_a_zip_with_too_much_in_it_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(bundles, "LARGEST", 1000)
    with zipfile.ZipFile(tmp_path / "large.zip", "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("config.json", "0" * 2000)
    with pytest.raises(bundles.Damaged, match="more than"):
        pretrained.load(tmp_path / "large.zip")


def test_a_zip_of_the_folder_instead_of_its_files_is_taken_as_well(hugging_face, tmp_path):
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as bundle:
        for file in hugging_face("vit").iterdir():
            bundle.write(file, f"vit/{file.name}")
    assert pretrained.load(tmp_path / "mine.zip").classes == 7


def test_a_preset_is_not_asked_for_by_nothing():
    with pytest.raises(Misuse, match="empty"):
        pretrained.load("")


def test_weights_in_several_files_are_there_only_if_all_are(tmp_path):
    (tmp_path / "config.json").touch()
    (tmp_path / "model-1.safetensors").touch()
    names = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(names))
    assert not places.complete(tmp_path)
    (tmp_path / "model-2.safetensors").touch()
    assert places.complete(tmp_path)


def test_a_cached_backbone_is_no_classifier(tmp_path):
    folder = tmp_path / VIT / "4"
    folder.mkdir(parents=True)
    for name in ("config.json", "model.weights.h5"):
        (folder / name).touch()
    assert not places.complete(folder)
    (folder / "task.json").touch()
    assert places.complete(folder)


def test_a_bundle_of_a_bundle_is_whole_and_an_empty_one_is_refused(hugging_face, tmp_path):
    from vitkeras.pretrained.__main__ import main

    first = bundles.pack("mine", hugging_face("vit"), "", tmp_path / "a", as_zip=True)
    assert main(["fetch", str(first), "--out", str(tmp_path / "b")]) == 0
    assert pretrained.load(tmp_path / "b" / "mine").classes == 7
    (tmp_path / "empty").mkdir()
    with pytest.raises(Problem, match="no whole preset"):
        bundles.pack("none", tmp_path / "empty", "", tmp_path / "c", as_zip=True)


def test_an_address_that_does_not_answer_is_given_up_soon(monkeypatch):
    monkeypatch.undo()
    for name in network.PROXIES:
        monkeypatch.delenv(name, raising=False)

    def refuse(address, timeout):
        assert timeout == network.PATIENCE
        raise TimeoutError("timed out")

    monkeypatch.setattr(network.socket, "create_connection", refuse)
    assert "timed out" in network.why_unreachable("somewhere.invalid")


def test_behind_a_proxy_the_proxy_is_asked(monkeypatch):
    asked = []
    monkeypatch.undo()
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")
    monkeypatch.setattr(
        network.socket, "create_connection", lambda address, timeout: asked.append(address) or Closing()
    )
    assert network.why_unreachable("huggingface.co") is None
    assert asked == [("proxy.invalid", 3128)]


class Closing:
    def close(self):
        pass
