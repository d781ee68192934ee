"""Where a preset lies on this machine; from the network, if it lies nowhere and there is one."""

import contextlib
import os
import re
from pathlib import Path

from vitkeras.datasets import search
from vitkeras.errors import Interrupted, Misuse, Problem
from vitkeras.pretrained import bundles, catalogue, network
from vitkeras.pretrained.catalogue import HUGGING_FACE, KAGGLE

FOLDER = "presets"  # in each of the places where data sets are looked for
HOSTS = {KAGGLE: "www.kaggle.com", HUGGING_FACE: "huggingface.co"}
WANTED = ("*.json", "*.safetensors", "*.weights.h5")  # of what a hub has: no pickles, no programs, nothing twice


class Unavailable(Problem):
    """A preset is not on this machine, and did not come over the network for a `reason`."""

    def __init__(self, name, reason):
        super().__init__(ways_out(name, reason))
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
    if looks_like_a_path(preset):
        raise Misuse(f"There is no folder or file {preset}. See how it is spelt, and where you are: {Path.cwd()}")
    name, handle = named(preset)
    if found := carried(name) or cached(handle):
        return name, found
    if not download:
        raise Unavailable(name, "A download was not asked for.")
    return name, fetched(name, handle)


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
    name = catalogue.full_name(preset, [*catalogue.SHIPPED, *known])
    return name, known[name].handle


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
    """Whether both a description and weights are there: a download may have been cut off between the two."""
    names = search.names_in(folder)
    return "config.json" in names and any(name.endswith((".weights.h5", ".safetensors")) for name in names)


def fetched(name, handle):
    """Download into the hub's own cache, where KerasHub finds it as well."""
    scheme = HUGGING_FACE if handle.startswith(HUGGING_FACE) else KAGGLE
    offline = "HF_HUB_OFFLINE is set." if scheme == HUGGING_FACE and os.environ.get("HF_HUB_OFFLINE") else None
    if reason := offline or network.why_unreachable(HOSTS[scheme]):
        raise Unavailable(name, reason)
    print(f"downloading {name} from {HOSTS[scheme]} ...", flush=True)
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
        raise Unavailable(name, f"The download from {HOSTS[scheme]} failed: {reason[0][:300]}") from fault
    return Path(folder)


def ways_out(name, reason):
    folder = search.project_folder() / FOLDER
    serves = ", ".join(f"{shipped} ({catalogue.card(shipped)['knows']})" for shipped in catalogue.SHIPPED)
    return "\n".join(
        [
            f"The preset {name} is not on this machine, and it could not be fetched. {reason}",
            "Ways out:",
            f"- on a machine with a network: python -m vitkeras.pretrained fetch {spoken(name)} --zip",
            f"  then carry {name}.zip over here, and put it into {folder}, or name it: --preset {name}.zip",
            f"- files that you have already (config.json with its weights): put them into {folder / name}, "
            "or name their folder: --preset FOLDER",
            f"- without any of this: --preset with a model that comes with vitkeras: {serves}",
        ]
    )


def spoken(name):
    """A handle's name as one would say it to `fetch`."""
    return name if "--" not in name else f"{KAGGLE if name.count('--') >= 3 else HUGGING_FACE}{name.replace('--', '/')}"
