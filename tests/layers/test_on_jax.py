import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="these tests run on another backend already")
def test_the_layers_pass_their_tests_on_jax_too():
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/layers"],
        cwd=Path(__file__).parents[2],
        env=os.environ
        | {"KERAS_BACKEND": "jax", "PYTEST_ADDOPTS": ""}  # no workers of its own
        | {"JAX_DISABLE_MOST_OPTIMIZATIONS": "1"},  # what is computed once is compiled in half the time
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
