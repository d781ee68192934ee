"""Where a preset lies on this machine; from the network, if it lies nowhere and there is one."""

import contextlib
import json
import os
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

from vitkeras.datasets import search
from vitkeras.errors import Interrupted, Misuse, Problem
from vitkeras.pretrained import bundles, catalogue, network
from vitkeras.pretrained.catalogue import HUGGING_FACE, KAGGLE

FOLDER = "presets"  # in each of the places where data sets are looked for
HOSTS = {KAGGLE: "www.kaggle.com", HUGGING_FACE: "huggingface.co"}
WANTED = ("*.json", "*.safetensors", "*.weights.h5")  # of what a hub has: no pickles, no programs, nothing twice


class Unavailable(Problem):
    """A preset is not on this machine, and did not come over the network for a `reason`."""

    def __init__(self, name, handle, reason):
        super().__init__(ways_out(name, handle, reason))
        self.reason = reason


@contextlib.contextmanager
def on_disk(preset, download=True):
    """Give (what its name is in full, the folder or .keras file where it lies). A zip is unpacked as long as needed."""
    name, path = locate(preset, download)
    if path.suffix == ".zip":
        with bundles.unpacked(path) as folder:
            yield name, folder
    else:
        if path.is_dir():
            bundles.verify(path)
        yield name, path


def locate(preset, download=True):
    """(full name, path). The path is that of a folder, a .zip or a .keras file."""
    check_spelling(preset)
    if preset in catalogue.SHIPPED:
        return preset, catalogue.SHIPPED_FOLDER / preset
    path = Path(os.path.expanduser(preset))
    if "://" not in preset and os.path.exists(path):
        if path.is_dir() or path.suffix in (".zip", ".keras"):
            return path.resolve().name.removesuffix(".zip"), path
        raise Misuse(
            f"{preset} is a file, but neither a .keras model nor a zip with a preset. A preset in a folder is named by "
            "its folder."
        )
    if found := re.fullmatch(r"[\w.\-]+", preset) and carried(preset):
        return preset, found
    name, handle = named(preset)
    if name in catalogue.SHIPPED:
        return name, catalogue.SHIPPED_FOLDER / name
    if found := carried(name) or cached(handle):
        return name, found
    if not download:
        raise Unavailable(name, handle, "A download was not asked for.")
    return name, fetched(name, handle)


def check_spelling(preset):
    """What is wrong with it by itself, before a library is loaded that knows more."""
    if not preset:
        raise Misuse("The preset's name is empty. `python -m vitkeras.classify --list-presets` lists what there is.")
    if "://" in preset:
        named(preset)
    elif looks_like_a_path(preset) and not os.path.exists(os.path.expanduser(preset)):
        raise Misuse(f"There is no folder or file {preset}. See how it is spelt, and where you are: {Path.cwd()}")


def looks_like_a_path(preset):
    return "://" not in preset and (
        preset.startswith((".", "~")) or "/" in preset or "\\" in preset or preset.endswith((".keras", ".zip"))
    )


def named(preset):
    """(name, handle) of a preset that has no path: what we look for, and where on the network it would be."""
    scheme = next((known for known in HOSTS if preset.startswith(known)), None)
    if scheme is None and "://" in preset:
        raise Misuse(f"{preset}: known are {' and '.join(HOSTS)}, not {preset.partition('://')[0]}://.")
    if scheme:
        parts = preset.removeprefix(scheme).strip("/").split("/")
        forms = {KAGGLE: "kaggle://owner/model/keras/variation[/version]", HUGGING_FACE: "hf://owner/model"}
        if len(parts) not in {KAGGLE: (4, 5), HUGGING_FACE: (1, 2)}[scheme] or not all(map(plain, parts)):
            raise Misuse(f"{preset} is no handle of the form {forms[scheme]}.")
        if scheme == KAGGLE and len(parts) == 5 and not parts[4].isdecimal():
            raise Misuse(f"{preset} should end in a version's number. The form is {forms[scheme]}.")
        return "--".join(parts), preset
    known = catalogue.kerashub()
    name = catalogue.full_name(preset, [*catalogue.SHIPPED, *own_names(), *known])
    return name, known[name].handle if name in known else ""


def plain(part):
    """Whether a part of a handle may be used in a path."""
    return re.fullmatch(r"[\w][\w.\-]*", part) is not None and ".." not in part


def carried(name):
    """A preset that somebody put into the folder for presets, as a folder or a zip."""
    for place, _ in search.places():
        for path in (place / FOLDER / name, place / FOLDER / f"{name}.zip"):
            if os.path.exists(path):
                return path
    return None


def folder_to_fill():
    """Where to put a preset, so that it is found by its name."""
    return search.project_folder() / FOLDER


def own_names():
    """What lies in the folders for presets, whatever it is called."""
    folders = [place / FOLDER for place, _ in search.places() if place.is_dir()]
    names = {name.removesuffix(".zip") for folder in folders for name in search.names_in(folder)}
    return sorted(name for name in names if not name.startswith("."))


def cached(handle):
    """Where KerasHub's own downloads lie, if this one is there and whole."""
    if handle.startswith(HUGGING_FACE):
        return cached_by_hugging_face(handle.removeprefix(HUGGING_FACE))
    return cached_by_kaggle(handle.removeprefix(KAGGLE))


def cached_by_hugging_face(repository):
    import huggingface_hub

    try:
        folder = Path(huggingface_hub.snapshot_download(repository, local_files_only=True))
    except Exception:  # what it raises differs with the version; all of it means that nothing is there
        return None
    described = any((folder / name).is_file() for name in ("preprocessor_config.json", "task.json"))
    if not described and why_not(HUGGING_FACE) is None:
        return None  # other programs fetch weights alone; the rest can be had
    return folder if complete(folder) else None


def cached_by_kaggle(handle):
    from kagglehub.cache import Cache, get_cached_path
    from kagglehub.handle import parse_model_handle

    asked = parse_model_handle(handle)
    if asked.is_versioned():
        versions = [asked]
    else:
        beside = Path(get_cached_path(asked.with_version(1))).parent
        numbers = sorted((int(name) for name in search.names_in(beside) if name.isdecimal()), reverse=True)
        versions = [asked.with_version(number) for number in numbers]
    for version in versions:
        folder = Path(get_cached_path(version))
        files = [name for name in search.names_in(folder) if (folder / name).is_file()]
        whole = Cache().load_from_cache(version) or all(Cache().load_from_cache(version, name) for name in files)
        if whole and complete(folder):
            return folder
    return None


def is_here(preset):
    """What a list says: "ships", "yes" or nothing."""
    if not preset.handle:
        return "ships with vitkeras"
    return "yes" if carried(preset.name) or cached(preset.handle) else ""


def complete(folder):
    """Whether both a description and all weights are there: a download may have been cut off between two files."""
    names = search.names_in(folder)
    weights = {name for name in names if name.endswith((".weights.h5", ".safetensors"))}
    if "model.safetensors.index.json" in names:
        with contextlib.suppress(ValueError, KeyError, AttributeError, OSError):
            index = json.loads((Path(folder) / "model.safetensors.index.json").read_text(encoding="utf-8"))
            return "config.json" in names and set(index["weight_map"].values()) <= weights
    # A classifier of KerasHub's has its head in files of its own, which are not fetched with the backbone.
    classifier = Path(folder).parent.name.endswith("_imagenet")  # its version's folder lies in that of its name
    headless = classifier and "model.weights.h5" in names and "task.json" not in names
    return "config.json" in names and bool(weights) and not headless


def why_not(scheme):
    """Why a hub cannot be asked; None if it can."""
    if scheme == HUGGING_FACE:
        from huggingface_hub import constants

        if constants.HF_HUB_OFFLINE:
            return "HF_HUB_OFFLINE is set."
        return network.why_unreachable(urlsplit(constants.ENDPOINT).hostname or HOSTS[scheme])
    return network.why_unreachable(HOSTS[scheme])


def fetched(name, handle):
    """Download into the hub's own cache, where KerasHub finds it as well."""
    scheme = HUGGING_FACE if handle.startswith(HUGGING_FACE) else KAGGLE
    if reason := why_not(scheme):
        raise Unavailable(name, handle, reason)
    print(f"downloading {name} from {HOSTS[scheme]} ...", file=sys.stderr, flush=True)  # JSON may come on the other
    try:
        if scheme == HUGGING_FACE:
            import huggingface_hub

            folder = huggingface_hub.snapshot_download(handle.removeprefix(scheme), allow_patterns=list(WANTED))
        else:
            import kagglehub

            folder = kagglehub.model_download(handle.removeprefix(scheme))
    except KeyboardInterrupt:
        raise Interrupted(f"{name} has not been downloaded to the end. The same command goes on.") from None
    except Exception as fault:  # whatever a hub, a proxy or a full disk brings about
        reason = str(fault).strip().splitlines() or [type(fault).__name__]
        raise Unavailable(name, handle, f"The download from {HOSTS[scheme]} failed: {reason[0][:300]}") from fault
    return Path(folder)


def ways_out(name, handle, reason):
    asked = name if name in handle.split("/") else handle  # a preset of KerasHub's is asked for by its name
    folder = folder_to_fill()
    serves = ", ".join(f"{shipped} ({catalogue.card(shipped)['knows']})" for shipped in catalogue.SHIPPED)
    return "\n".join(
        [
            f"The preset {name} is not on this machine, and it could not be fetched. {reason}",
            "Ways out:",
            f"- on a machine with a network: python -m vitkeras.pretrained fetch {asked} --zip",
            f"  then carry {name}.zip over here, and put it into {folder}, or name it: --preset {name}.zip",
            f"- files that you have already (config.json with its weights): put them into {folder / name}, "
            "or name their folder: --preset FOLDER",
            f"- without any of this: --preset with a model that comes with vitkeras: {serves}",
        ]
    )
