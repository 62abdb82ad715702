"""Names of what the package holds, read from its files without importing them or TensorFlow."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]

# Of each kind of name, the file and the variable that hold it.
_TABLES = {
    "recipe": ("training/recipes.py", "RECIPES"),
    "sde": ("sdes/__init__.py", "PRESETS"),
    "network": ("networks/presets.py", "PRESETS"),
    "prediction": ("models/prediction.py", "PREDICTIONS"),
    "weighting": ("models/prediction_base.py", "WEIGHTINGS"),
    "data set": ("data/catalogue.py", "_SOURCES"),
    "precision": ("training/recipe.py", "PRECISIONS"),
    "strategy": ("training/strategies.py", "NAMES"),
}
_METHODS = "gddim_tf.samplers.methods."

KINDS = (*_TABLES, "sampler")


@functools.cache
def names(kind: str) -> tuple[str, ...]:
    """All names of a kind, in the order of the file that defines them.

    Args:
      kind: one of `KINDS`.

    Returns:
      The keys of a dictionary, or the items of a tuple, of calls their first arguments; of
      samplers the classes that `samplers/__init__.py` imports from its methods, in lower case.

    Examples:
      >>> names("weighting")
      ('target', 'eps', 'min_snr')
    """
    if kind == "sampler":
        return _imported("samplers/__init__.py")
    file, variable = _TABLES[kind]
    for statement in _statements(file):
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        else:
            continue
        if any(isinstance(target, ast.Name) and target.id == variable for target in targets):
            return tuple(ast.literal_eval(name) for name in _entries(statement.value))
    raise LookupError(f"{file} must define `{variable}`")


def _statements(file: str) -> list[ast.stmt]:
    return ast.parse((_PACKAGE / file).read_text("utf-8")).body


def _entries(value: ast.expr | None) -> list[ast.expr]:
    """The expressions of the names."""
    if isinstance(value, ast.Dict):
        return [key for key in value.keys if key is not None]
    items = value.elts if isinstance(value, ast.Tuple) else []
    return [item.args[0] if isinstance(item, ast.Call) else item for item in items]


def _imported(file: str) -> tuple[str, ...]:
    return tuple(
        name.name.lower()
        for statement in _statements(file)
        if isinstance(statement, ast.ImportFrom) and (statement.module or "").startswith(_METHODS)
        for name in statement.names
    )
