"""The docstrings: their examples run and give what they say, and all are written in one style."""

import ast
import doctest
import importlib
import inspect
import pathlib
import re

import pytest

import gddim_tf

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")

ROOT = pathlib.Path(gddim_tf.__file__).parent
SOURCES = {path: path.read_text() for path in sorted(ROOT.rglob("*.py"))}
MODULES = [
    ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")
    for path, text in SOURCES.items()
    if ">>> " in text
]
ROOMS = [name for name in gddim_tf.__all__ if (ROOT / name).is_dir()]
ROOMS += ["models.guidance", "models.operators"]
SECTIONS = (
    *("Args", "Attributes", "Call arguments", "Returns", "Yields", "Raises", "Examples"),
    *("Inputs", "Input", "Output"),
)
HEADS = re.compile(
    r"^ *(args|arguments|parameters|params|returns?|yields?|raises?|examples?|attributes):? *$",
    re.IGNORECASE | re.MULTILINE,
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name, monkeypatch, shipped_once):
    monkeypatch.chdir(ROOT.parent)  # some read what a clone holds
    flags = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
    results = doctest.testmod(importlib.import_module(name), optionflags=flags)
    assert results.attempted
    assert not results.failed


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_class_has_an_example(room):
    module = importlib.import_module(f"gddim_tf.{room}")
    classes = [getattr(module, name) for name in module.__all__]
    classes = [value for value in classes if inspect.isclass(value)]
    assert not [value.__name__ for value in classes if ">>> " not in (value.__doc__ or "")]


def docstrings(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield text


def malformed(text):
    """What is wrong with the sections of a docstring: their heads, or how they are indented."""
    for head in HEADS.findall(text):
        if head not in SECTIONS:
            yield f"{head}: is no section"
    lines = text.splitlines()
    for number, line in enumerate(lines[:-1]):
        if line.removesuffix(":") in SECTIONS and line.endswith(":"):
            if lines[number - 1].strip():
                yield f"{line} follows a line that is not empty"
            body = lines[number + 1]
            if len(body) - len(body.lstrip()) != 2:
                yield f"{line} is not indented by two spaces"


@pytest.mark.parametrize("room", sorted({path.relative_to(ROOT).parts[0] for path in SOURCES}))
def test_sections_are_those_of_google_style_with_two_spaces(room):
    for path, source in SOURCES.items():
        if path.relative_to(ROOT).parts[0] == room:
            for text in docstrings(ast.parse(source)):
                assert not list(malformed(text)), f"{path}: {text}"
                assert not re.search(r"\bas (in|for) `(?!GenerativeModel)", text), f"{path}: {text}"
