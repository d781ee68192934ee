"""The examples in the docstrings are true."""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest

import vitkeras

MODULES = sorted(
    m.name for m in pkgutil.walk_packages(vitkeras.__path__, "vitkeras.") if not m.name.endswith("__main__")
)


@pytest.mark.parametrize("name", ["vitkeras", *MODULES])
def test_examples_of(name):
    module = importlib.import_module(name)
    outcome = doctest.testmod(module, extraglobs={"np": np}, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert outcome.failed == 0
