"""An exported model in this process, called as a server calls it."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.protobuf import saved_model_pb2

from gddim_tf.models.served_model import ServedModel
from gddim_tf.reading import reading
from gddim_tf.serving.errors import telling
from gddim_tf.serving.rest_json import read_signatures

# What TensorFlow says of a request that the graph refuses, rather than of itself.
_REFUSED = (
    tf.errors.InvalidArgumentError,
    tf.errors.FailedPreconditionError,
    tf.errors.OutOfRangeError,
)


class LocalModel:
    """The signatures of a SavedModel, described in TF Serving's JSON and run by TensorFlow.

    Args:
      model: as `gddim_tf.load` gives it.

    Attributes:
      name: of the folder of its versions.
      version: the number of its folder, or 1 if that is no number.
      definitions: name -> `signature_def` as JSON.
      signatures: name -> inputs and outputs.

    Raises:
      DamagedFileError: if the file does not describe its signatures.
    """

    def __init__(self, model: ServedModel) -> None:
        folder = model.folder.resolve()
        numbered = folder.name.isdigit()
        self.name = folder.parent.name if numbered else folder.name
        self.version = int(folder.name) if numbered else 1
        file = folder / "saved_model.pb"
        with reading(file, "a SavedModel"):
            described = saved_model_pb2.SavedModel.FromString(file.read_bytes()).meta_graphs[0]
            self.definitions = {
                name: json_format.MessageToDict(
                    definition,
                    preserving_proto_field_name=True,
                    always_print_fields_with_no_presence=True,
                )
                for name, definition in described.signature_def.items()
            }
            self.signatures = read_signatures(self.definitions)
        self._functions = model.signatures

    def predict(self, signature: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The outputs of a signature.

        Args:
          signature: one of `signatures`.
          inputs: of its names, dtypes and ranks.

        Raises:
          ValueError: if the model refuses them; the message is the model's.
          RuntimeError: if TensorFlow fails.
        """
        try:
            tensors = {name: tf.convert_to_tensor(value) for name, value in inputs.items()}
            outputs: dict[str, Any] = self._functions[signature](**tensors)
            return {name: value.numpy() for name, value in outputs.items()}
        except _REFUSED as error:
            raise ValueError(telling(error.message)) from error
        except tf.errors.OpError as error:
            raise RuntimeError(telling(error.message)) from error
