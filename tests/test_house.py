"""Who may import whom, as docs/architecture.md says, and how long things are (CONTRIBUTING.md)."""

import ast
import graphlib
import pathlib

import pytest

import gddim_tf

ROOT = pathlib.Path(__file__).parents[1]
FILES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text())
    for folder in ("gddim_tf", "benchmarks", "scripts", "examples")
    for path in sorted((ROOT / folder).rglob("*.py"))
}
LONGEST_FILE, LONGEST_FUNCTION = 250, 60  # lines
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
BELOW["app"] = {"evaluation", *MODELS}


def imported(tree):
    """The modules that a file imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{name.name}" for name in node.names)


def rooms_imported(file):
    """The rooms that a file imports, but its own."""
    own = file.split("/")[1]
    parts = [name.split(".") for name in imported(FILES[file])]
    found = {part[1] for part in parts if part[0] == "gddim_tf" and len(part) > 1}
    return found & {*BELOW, "cli"} - {own}


def test_nothing_outside_the_tests_imports_them():
    for file, tree in FILES.items():
        assert "tests" not in {name.split(".")[0] for name in imported(tree)}, file


@pytest.mark.parametrize("room", BELOW)
def test_imports_run_one_way(room):
    for file in FILES:
        if file.startswith(f"gddim_tf/{room}/"):
            assert rooms_imported(file) <= BELOW[room], file


def test_what_belongs_to_no_room_imports_none():
    outside = [file for file in FILES if file.startswith("gddim_tf/") and file.count("/") == 1]
    for file in set(outside) - {"gddim_tf/__init__.py"}:
        assert rooms_imported(file) == set(), file


def test_no_rooms_import_each_other():
    graph = {room: set() for room in (*BELOW, "cli")}
    for file in FILES:
        if file.startswith("gddim_tf/") and file.count("/") > 1:
            graph[file.split("/")[1]] |= rooms_imported(file)
    order = list(graphlib.TopologicalSorter(graph).static_order())  # raises on a cycle
    assert order.index("numerics") < order.index("models") < order.index("cli")


def imported_at_once(file):
    """The files of the package that a file imports from, at its top level, by `from ... import`."""
    for node in FILES[file].body:
        if isinstance(node, ast.ImportFrom):
            for name in node.names:
                place = f"{node.module}".replace(".", "/")
                inner = {f"{place}/{name.name}.py", f"{place}/{name.name}/__init__.py"}
                outer = {f"{place}.py", f"{place}/__init__.py"}
                yield from (inner & FILES.keys() or outer & FILES.keys()) - {file}


def test_no_files_import_each_other():
    graph = {file: set(imported_at_once(file)) for file in FILES if file.startswith("gddim_tf/")}
    list(graphlib.TopologicalSorter(graph).static_order())  # raises on a cycle


def test_the_package_imports_neither_benchmarks_nor_scripts():
    for file, tree in FILES.items():
        if file.startswith("gddim_tf/"):
            assert not {name.split(".")[0] for name in imported(tree)} & {"benchmarks", "scripts"}


@pytest.mark.parametrize(
    "part", [*sorted(set(BELOW) - {"app", "numerics"}), "guidance", "operators"]
)
def test_a_part_completes_its_public_names_alone(part):
    module = getattr(gddim_tf, part)
    assert dir(module) == sorted(module.__all__)


def test_files_are_short():
    lengths = {
        file: len((ROOT / file).read_text("utf-8").splitlines())
        for file in FILES
        if file.startswith("gddim_tf/")
    }
    assert {file: length for file, length in lengths.items() if length > LONGEST_FILE} == {}


def test_functions_are_short():
    lengths = {
        f"{file}: {node.name}": node.end_lineno - node.lineno + 1
        for file, tree in FILES.items()
        for node in ast.walk(tree)
        if file.startswith("gddim_tf/") and isinstance(node, ast.FunctionDef)
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}
