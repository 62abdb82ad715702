"""A SavedModel without what only repeats itself."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping

from tensorflow.core.framework import function_pb2, types_pb2
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

_SHAPES = "_output_shapes"
# What every function repeats of a captured weight, whose shape stands in its `handle_data`.
_OF_WEIGHTS = (_SHAPES, "_user_specified_name")
# TensorFlow's own functions around files; left as they are.
_OF_FILES = ("__inference__traced_save", "__inference__traced_restore")


def slim(directory: pathlib.Path) -> None:
    """Make the graph of a SavedModel a third smaller; it computes what it did.

    The shapes that TensorFlow notes beside every operation go, loaders infer them anew; so do those
    of weights in every function that hands them on, and the long names of operations in functions.
    The fingerprint, a checksum of the file as it was, is removed as well.

    Args:
      directory: of a SavedModel.
    """
    path = directory / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    for meta in model.meta_graphs:
        graph = meta.graph_def
        for nodes in (graph.node, *(function.node_def for function in graph.library.function)):
            for node in nodes:
                node.attr.pop(_SHAPES, None)
        for function in graph.library.function:
            _forget_weights(function)
        _shorten(meta)
    path.write_bytes(model.SerializeToString(deterministic=True))
    (directory / "fingerprint.pb").unlink(missing_ok=True)


def _forget_weights(function: function_pb2.FunctionDef) -> None:
    """Leave out what is told of captured weights beside their `handle_data`."""
    for position, told in function.arg_attr.items():
        if function.signature.input_arg[position].type == types_pb2.DT_RESOURCE:
            for name in _OF_WEIGHTS:
                told.attr.pop(name, None)


def _shorten(meta: meta_graph_pb2.MetaGraphDef) -> None:
    """Name the operations of functions by their place, there and in the graph of objects."""
    names = {
        function.signature.name: _shorten_function(function)
        for function in meta.graph_def.library.function
        if not function.signature.name.startswith(_OF_FILES)
    }
    for node in meta.object_graph_def.nodes:
        if node.WhichOneof("kind") == "captured_tensor":  # of a gradient, from what it is one of
            tensor = node.captured_tensor
            tensor.name = _renamed(tensor.name, names.get(tensor.concrete_function, {}))


def _shorten_function(function: function_pb2.FunctionDef) -> dict[str, str]:
    """The new names of operations by their old ones."""
    # no argument of a function has a point in its name
    names = {node.name: f"n.{place:x}" for place, node in enumerate(function.node_def)}
    for node in function.node_def:
        node.name = names[node.name]
        node.attr.pop("_class", None)  # a place beside an operation, by its name
        for i, value in enumerate(node.input):
            node.input[i] = _renamed(value, names)
    for results in (function.ret, function.control_ret):
        for output in list(results):
            results[output] = _renamed(results[output], names)
    return names


def _renamed(value: str, names: Mapping[str, str]) -> str:
    """An operation with what follows it, `name:output:number`, or `^name`; arguments stay."""
    control = "^" if value.startswith("^") else ""
    name, colon, rest = value.removeprefix("^").partition(":")
    return f"{control}{names.get(name, name)}{colon}{rest}"
