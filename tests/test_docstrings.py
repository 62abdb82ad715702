"""The examples in the docstrings run and give what they say."""

import doctest
import importlib
import pathlib

import pytest

import gddim_tf

ROOT = pathlib.Path(gddim_tf.__file__).parent
FILES = [path for path in sorted(ROOT.rglob("*.py")) if ">>> " in path.read_text()]
MODULES = [".".join(path.relative_to(ROOT.parent).with_suffix("").parts) for path in FILES]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    results = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert results.attempted
    assert not results.failed
