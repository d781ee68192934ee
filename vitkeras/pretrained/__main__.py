"""Which trained classifiers there are, and which are on this machine; or fetch some, to carry to another.

python -m vitkeras.pretrained                               the list
python -m vitkeras.pretrained fetch deit_base --zip         presets/deit_base_….zip: put it on a stick
"""

import argparse
import os
import sys

from vitkeras.errors import Interrupted, Problem, report, speak_plainly

COMMAND = "python -m vitkeras.pretrained"


def main(arguments=None):
    """Returns the exit code."""
    speak_plainly()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    options = read_options(arguments)
    from vitkeras.pretrained import listing

    try:
        if options.command == "fetch":
            return fetch_all(dict.fromkeys(options.names), options.out, options.zip)
        return listing.list_presets()
    except Problem as problem:
        return report(problem)
    except KeyboardInterrupt:
        return report(Interrupted("what was packed is whole; the same command goes on with the rest."))


def read_options(arguments):
    parser = argparse.ArgumentParser(
        prog=COMMAND, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", metavar="fetch", title="instead of the list")
    fetch = commands.add_parser("fetch", help="download presets, and pack them to be carried")
    fetch.add_argument(
        "names", nargs="+", metavar="NAME", help="a preset's name or its beginning, hf://… or kaggle://…"
    )
    fetch.add_argument("--out", metavar="FOLDER", default="presets", help="where to put them (default presets)")
    fetch.add_argument("--zip", action="store_true", help="a zip for each, instead of a folder")
    return parser.parse_args(arguments)


def fetch_all(names, out, as_zip):
    """One that cannot be had is told, and does not keep the others from coming."""
    from vitkeras.pretrained import bundles, places

    code = 0
    for preset in names:
        try:
            with places.on_disk(preset) as (name, path):  # whole, or it is not packed
                packed = bundles.pack(name, path, preset, out, as_zip)
            print(f"{packed}: to be named after --preset, or put into {places.folder_to_fill()}")
        except Interrupted:
            raise
        except Problem as problem:
            code = max(code, report(problem))
    return code


if __name__ == "__main__":
    sys.exit(main())
