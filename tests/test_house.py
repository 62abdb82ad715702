"""Who may import whom, as docs/architecture.md says."""

import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parents[1]
FILES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text())
    for folder in ("gddim_tf", "benchmarks", "scripts", "examples")
    for path in sorted((ROOT / folder).rglob("*.py"))
}
# What each room may import, besides itself and the files that belong to no room.
BELOW = {
    "numerics": set(),
    "networks": set(),
    "data": set(),
    "sdes": {"numerics"},
    "samplers": {"numerics", "sdes"},
    "models": {"numerics", "sdes", "samplers", "networks", "data"},
}
MODELS = {"models", *BELOW["models"]}
BELOW |= dict.fromkeys(("training", "checkpoints", "evaluation", "serving"), MODELS)


def imported(tree):
    """The modules that a file imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{name.name}" for name in node.names)


def test_nothing_outside_the_tests_imports_them():
    for file, tree in FILES.items():
        assert "tests" not in {name.split(".")[0] for name in imported(tree)}, file


@pytest.mark.parametrize("room", BELOW)
def test_imports_run_one_way(room):
    allowed, rooms = BELOW[room] | {room}, {*BELOW, "cli"}
    for file, tree in FILES.items():
        if file.startswith(f"gddim_tf/{room}/"):
            parts = [name.split(".") for name in imported(tree)]
            found = {part[1] for part in parts if part[0] == "gddim_tf" and len(part) > 1}
            assert found & rooms <= allowed, file


def test_the_package_imports_neither_benchmarks_nor_scripts():
    for file, tree in FILES.items():
        if file.startswith("gddim_tf/"):
            assert not {name.split(".")[0] for name in imported(tree)} & {"benchmarks", "scripts"}
