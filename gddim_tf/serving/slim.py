"""A SavedModel without what only repeats itself."""

from __future__ import annotations

import pathlib

from tensorflow.core.protobuf import saved_model_pb2

_SHAPES = "_output_shapes"


def drop_shapes(directory: pathlib.Path) -> None:
    """Remove the shapes that TensorFlow notes beside every operation; loaders infer them anew.

    They are an eighth of the graph of a small model. The fingerprint, a checksum of the file as it
    was, is removed as well.

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
    path.write_bytes(model.SerializeToString(deterministic=True))
    (directory / "fingerprint.pb").unlink(missing_ok=True)
