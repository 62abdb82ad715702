"""Samplers and grids from text: `ddim`, `gddim(order=2)`, `ddim(eta=1, grid=power(power=3))`."""

from __future__ import annotations

import ast
from typing import Any

from gddim_tf import samplers
from gddim_tf.samplers.base import Sampler


def names() -> list[str]:
    """The names of the samplers, in lower case."""
    return sorted(name for name, value in _callables().items() if issubclass(value, Sampler))


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
        value = _evaluate(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, TypeError, ValueError) as error:
        raise ValueError(f"`sampler` {text!r}: {error}") from error
    if not isinstance(value, Sampler):
        raise ValueError(f"`sampler` must be one of {', '.join(names())}, received {text!r}")
    return value


def _callables() -> dict[str, type]:
    found = {}
    for name in samplers.__all__:
        value = getattr(samplers, name)
        if isinstance(value, type) and value is not Sampler:
            found[name.lower()] = value
            if name.endswith("Grid"):
                found[name.removesuffix("Grid").lower()] = value
    return found


def _evaluate(node: ast.expr) -> Any:
    if isinstance(node, ast.Name):
        return _callable(node)()
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        keywords = {keyword.arg: _evaluate(keyword.value) for keyword in node.keywords}
        return _callable(node.func)(*(ast.literal_eval(a) for a in node.args), **keywords)
    return ast.literal_eval(node)


def _callable(node: ast.Name) -> type:
    known = _callables()
    if node.id.lower() not in known:
        raise ValueError(f"must be one of {', '.join(sorted(known))}, received {node.id!r}")
    return known[node.id.lower()]
