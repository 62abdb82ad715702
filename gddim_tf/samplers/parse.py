"""Samplers from text: `ddim`, `ddim(eta=1, grid=power(power=3))`, `unipc(clip=dynamic(0.99))`."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Mapping
from typing import Any

from gddim_tf.choice import meant, one_of
from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.default import default
from gddim_tf.samplers.tuning import Tuned
from gddim_tf.sdes import LinearSDE

# A sampler of all arguments has 100 characters; a vast text would exhaust Python's parser.
_LONGEST = 2000

# What functions take for a sampler; None is `default`.
AnySampler = Sampler | type[Sampler] | str | None

# What stands before the path of a tuned sampler.
_TUNED = "tuned:"


def names() -> list[str]:
    """The names of the samplers, in lower case."""
    return sorted(_samplers())


def as_sampler(value: object) -> Sampler:
    """A sampler, from itself, its class or its name.

    Args:
      value: a `Sampler`, one of its classes that needs no arguments, or a text that `parse` reads.

    Returns:
      The sampler.

    Raises:
      ValueError: if it is none of these.
    """
    if isinstance(value, Sampler):
        return value
    if isinstance(value, str):
        return parse(value)
    if isinstance(value, type) and issubclass(value, Sampler):
        try:
            return value()
        except TypeError as error:
            raise ValueError(f"`sampler` {value.__name__} needs its arguments: {error}") from error
    raise ValueError(f"`sampler` must be one, or one of {', '.join(names())}, received {value!r}")


def chosen(value: AnySampler, sde: LinearSDE, nfe: int) -> Sampler:
    """What `as_sampler` takes, or `default(sde, nfe)` for None and "default"."""
    unsaid = value is None or (isinstance(value, str) and value.strip().lower() == "default")
    return default(sde, nfe) if unsaid else as_sampler(value)


def parse(text: str, own: Mapping[str, type] | None = None) -> Sampler:
    """A sampler from its name, with arguments as in Python if need be.

    Args:
      text: a class of `gddim_tf.samplers` in any case, alone or as a call whose arguments are
        keywords with literal values, grids (`PowerGrid` may be written `power`) or a
        `DynamicThreshold` (`dynamic`); or `tuned:PATH`, the file or folder of a `Tuned`.
      own: further classes by name.

    Returns:
      The sampler.

    Raises:
      ValueError: if the text is not of this form, or a name or argument is unknown, or a file is
        not that of a tuned sampler.
      FileNotFoundError: if that file is not there.

    Examples:
      parse("gddim(order=2, grid=power(power=3))")
    """
    known = _samplers() | {name.lower(): value for name, value in (own or {}).items()}
    if len(text) > _LONGEST:
        raise ValueError(f"`sampler` must be a name, received {len(text)} characters")
    if text.strip().startswith(_TUNED):
        return Tuned.load(text.strip().removeprefix(_TUNED))
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(
            f"`sampler` must be a name or a call such as gddim(order=2), received {text!r}"
        ) from error
    if isinstance(node, ast.Tuple):
        raise ValueError(f"`sampler` must be a single one, received {len(node.elts)}: {text!r}")
    if not isinstance(node.func if isinstance(node, ast.Call) else node, ast.Name):
        raise ValueError(f"`sampler` must be one of {', '.join(sorted(known))}, received {text!r}")
    try:
        sampler = _evaluate(node, known)
    except (TypeError, ValueError) as error:
        raise ValueError(f"`sampler` {text!r}: {error}") from error
    if not callable(sampler.grid):
        raise ValueError(f"`sampler` {text!r}: `grid` must be a grid, received {sampler.grid!r}")
    return sampler


def split(text: str) -> list[str]:
    """The texts of several samplers, separated by semicolons or by commas outside brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        if letter == ";" or (letter == "," and depth <= 0):
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def _public() -> dict[str, Any]:
    """What `gddim_tf.samplers` offers by name; it imports this file, and so is asked late."""
    from gddim_tf import samplers

    return {name: getattr(samplers, name) for name in samplers.__all__}


def _samplers() -> dict[str, type]:
    return {
        value.__name__.lower(): value
        for value in _public().values()
        if isinstance(value, type)
        and issubclass(value, Sampler)
        and value not in (Sampler, Tuned)  # a tuned one is read from its file
    }


def _classes_for(argument: str) -> dict[str, type]:
    """What may stand as the value of an argument beside literals, by its names in lower case."""
    ending = "Grid" if argument == "grid" else "Threshold"
    return {
        alias.lower(): value
        for name, value in _public().items()
        if name.endswith(ending)
        for alias in (name, name.removesuffix(ending))
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
        keywords = _keywords(node)
        for name in keywords:
            one_of("argument", name, inspect.signature(cls).parameters)
        return cls(*(_literal(value) for value in node.args), **keywords)
    return _literal(node)


def _keywords(node: ast.Call) -> dict[str, Any]:
    values = {}
    for keyword in node.keywords:
        if keyword.arg is None:
            raise ValueError(f"arguments must be named, received **{ast.unparse(keyword.value)}")
        values[keyword.arg] = _evaluate(keyword.value, _classes_for(keyword.arg))
    return values


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        written = re.sub(r"\s+", " ", ast.unparse(node))
        raise ValueError(
            f"arguments must be numbers, texts or grids, received {written}"
        ) from error


def _named(node: ast.Name, known: dict[str, type]) -> type:
    if node.id.lower() not in known:
        hint = meant(node.id.lower(), known)
        raise ValueError(f"must be one of {', '.join(sorted(known))}, received {node.id!r}{hint}")
    return known[node.id.lower()]
