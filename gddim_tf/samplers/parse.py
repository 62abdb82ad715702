"""Samplers and grids from text: `ddim`, `gddim(order=2)`, `ddim(eta=1, grid=power(power=3))`."""

from __future__ import annotations

import ast
from typing import Any

from gddim_tf import samplers
from gddim_tf.samplers.base import Sampler


def names() -> list[str]:
    """The names of the samplers, in lower case."""
    return sorted(_samplers())


def parse(text: str) -> Sampler:
    """A sampler from its name, with arguments as in Python if need be.

    Args:
      text: a class of `gddim_tf.samplers` in any case, alone or as a call whose arguments are
        keywords with literal values or grids (`PowerGrid` may be written `power`).

    Returns:
      The sampler.

    Raises:
      ValueError: if the text is not of this form, or a name or argument is unknown.
    """
    try:
        value = _evaluate(ast.parse(text.strip(), mode="eval").body, _samplers())
    except (SyntaxError, TypeError, ValueError) as error:
        raise ValueError(f"`sampler` {text!r}: {error}") from error
    if not isinstance(value, Sampler):
        raise ValueError(f"`sampler` must be one of {', '.join(names())}, received {text!r}")
    return value


def _samplers() -> dict[str, type]:
    classes = (getattr(samplers, name) for name in samplers.__all__)
    return {
        value.__name__.lower(): value
        for value in classes
        if isinstance(value, type) and issubclass(value, Sampler) and value is not Sampler
    }


def _grids() -> dict[str, type]:
    names = [name for name in samplers.__all__ if name.endswith("Grid")]
    return {
        alias.lower(): getattr(samplers, name)
        for name in names
        for alias in (name, name.removesuffix("Grid"))
    }


def _evaluate(node: ast.expr, known: dict[str, type]) -> Any:
    """The value of an expression that may name one of the known classes."""
    if isinstance(node, ast.Name):
        return _named(node, known)()
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        cls = _named(node.func, known)
        if node.args and issubclass(cls, Sampler):
            example = f"{node.func.id}(grid=power(power=3))"
            raise ValueError(f"arguments must be keywords, as in {example}")
        keywords = {keyword.arg: _evaluate(keyword.value, _grids()) for keyword in node.keywords}
        return cls(*(ast.literal_eval(value) for value in node.args), **keywords)
    return ast.literal_eval(node)


def _named(node: ast.Name, known: dict[str, type]) -> type:
    if node.id.lower() not in known:
        raise ValueError(f"must be one of {', '.join(sorted(known))}, received {node.id!r}")
    return known[node.id.lower()]
