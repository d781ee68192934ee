"""A student's file is looked at before it is run."""

import pytest

from vitkeras.grading.inside import source

FORBIDDEN = {
    "tf.image.extract_patches": "cut them yourself",
    "keras.layers.MultiHeadAttention": "write it yourself",
    "numpy.lib.stride_tricks": "reshape",
}
CLOSED = {"vitkeras": "it is the solution"}


@pytest.mark.parametrize(
    "text",
    [
        "import tensorflow as tf\ntf.image.extract_patches(1)",
        "import tensorflow\ntensorflow.image.extract_patches(1)",
        "from tensorflow import image\nimage.extract_patches(1)",
        "from tensorflow.image import extract_patches",
        "from tensorflow.image import extract_patches as cut",
        "import keras\nkeras.layers.MultiHeadAttention(1, 2)",
        "from keras import layers as l\nl.MultiHeadAttention",
        "from tensorflow import keras\nkeras.layers.MultiHeadAttention",
        "import tensorflow.keras.layers as l\nl.MultiHeadAttention",
        "import numpy as np\nnp.lib.stride_tricks.as_strided(1)",
        "from numpy.lib import stride_tricks",
        "from keras.src.layers import MultiHeadAttention",
        "def f():\n    import vitkeras",
        "from vitkeras.layers import Patches",
        "import vitkeras.layers as keras",
    ],
)
def test_forbidden_names_are_found_whatever_they_are_called(text):
    assert "p.py, line " in source.looked_at(text, "p.py", FORBIDDEN, CLOSED)


@pytest.mark.parametrize(
    "text",
    [
        "import keras\nkeras.layers.Dense(3)",
        "# keras.layers.MultiHeadAttention",
        "'''tf.image.extract_patches'''",
        "class tf:\n    image = None\ntf.image",
        "import vitkeras_of_mine",
        "from . import vitkeras",
        "def extract_patches(image): pass",
        "import numpy as np\nnp.lib",
    ],
)
def test_what_is_not_forbidden_is_let_pass(text):
    assert source.looked_at(text, "p.py", FORBIDDEN, CLOSED) == ""


def test_what_is_no_python_is_told_with_its_line():
    assert "line 2" in source.looked_at("x = 1\ny = = 2", "p.py", {}, {})
    assert "is no Python" in source.looked_at("x = (1", "p.py", {}, {})
