"""A process that has loaded TensorFlow and Keras, and runs lessons in copies of itself: that saves seconds each time.

It reads one request a line (JSON: `words`, the lesson's path and its options; `folder`, `environment`; `stdout` and
`stderr`, files to write to), and answers each with the exit status. Nothing of a lesson has run in what is copied.
"""

import json
import os
import runpy
import sys

from vitkeras import machine


def main():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    machine.wake_tensorflow()
    for line in sys.stdin:
        copy = os.fork()
        if copy == 0:
            return run(**json.loads(line))  # and so to the end of the interpreter, as any program
        _, status = os.waitpid(copy, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def run(words, folder, environment, stdout, stderr):
    for number, path in ((0, os.devnull), (1, stdout), (2, stderr)):
        os.dup2(os.open(path, os.O_RDWR), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv, sys.path[0] = words, os.path.dirname(words[0])
    runpy.run_path(words[0], run_name="__main__")


main()
