"""A page on this machine to draw on: digits, photos, pairs of shapes, and what models make of them.

python -m vitkeras.demo                            opens it in the browser; it needs no network
python -m vitkeras.demo --preset deit_tiny         photos can be shown to this model, too
python -m vitkeras.demo --no-browser --port 8000   says only where the page is
"""

import argparse
import os
import sys
import webbrowser

from vitkeras.errors import Interrupted, Misuse, Problem, report, speak_plainly
from vitkeras.options import at_least

COMMAND = "python -m vitkeras.demo"


def main(arguments=None):
    """Returns the exit code."""
    speak_plainly()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    options = read_options(arguments)
    try:
        return show(options)
    except Problem as problem:
        return report(problem)
    except KeyboardInterrupt:
        return report(Interrupted("the page is closed."))


def read_options(arguments):
    parser = argparse.ArgumentParser(
        prog=COMMAND, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--preset", action="append", default=[], metavar="PRESET", help="a model for photos, as `classify` takes it")
    add("--port", type=at_least(1), metavar="N", help="where the page is (default: the first free one from 7860 on)")
    add("--no-browser", action="store_true", help="do not open a browser")
    return parser.parse_args(arguments)


def show(options):
    if options.port and not 1024 <= options.port <= 65535:
        raise Misuse(f"--port should be a number from 1024 to 65535. Received: {options.port}")
    from vitkeras.pretrained import places

    for preset in options.preset:
        places.check_spelling(preset)

    from vitkeras.demo import server

    if options.port:
        server.require_free(options.port)
    server.loaded()  # whether Gradio is here is known before models are loaded
    print("loading the models ...", flush=True)
    from vitkeras import machine

    machine.wake_tensorflow()
    from vitkeras.demo import answers

    presets = [answers.PHOTOS, *options.preset]
    answers.warm_up(presets)
    page = server.Server(presets, options.port)
    print(f"the page: {page.url}   (for this machine only; Ctrl-C ends it)", flush=True)
    if not options.no_browser:
        webbrowser.open(page.url)
    try:
        page.wait()
    finally:
        page.close()


if __name__ == "__main__":
    sys.exit(main())
