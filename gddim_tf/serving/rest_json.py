"""TF Serving's JSON: signatures, requests by columns or rows, and answers."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, NamedTuple

import numpy as np

from gddim_tf.serving.signature import Signature, Spec, checked_inputs

DTYPES = {
    "DT_FLOAT": "float32",
    "DT_DOUBLE": "float64",
    "DT_INT32": "int32",
    "DT_INT64": "int64",
    "DT_UINT8": "uint8",
    "DT_BOOL": "bool",
    "DT_STRING": "object",
}
# An output of strings is binary if its name ends so.
_BINARY = "_bytes"
_USUAL = "serving_default"


class Request(NamedTuple):
    """What a body asks for.

    Attributes:
      signature: its name.
      inputs: arrays of the dtypes of the signature.
      by_row: whether it came as `instances`, and the answer goes as `predictions`.
    """

    signature: str
    inputs: dict[str, np.ndarray]
    by_row: bool


def read_signatures(definitions: dict[str, Any]) -> dict[str, Signature]:
    """The signatures of a `signature_def`, without those that TensorFlow keeps for itself."""
    return {
        name: Signature(_specs(definition["inputs"]), _specs(definition["outputs"]))
        for name, definition in definitions.items()
        if not name.startswith("__")
    }


def read_request(body: bytes, signatures: dict[str, Signature]) -> Request:
    """A request of `:predict`, in either format.

    Args:
      body: `{"signature_name": ..., "inputs": {name: column}}`, or `"instances": [{name: value}]`
        in place of the inputs; of a single input the name may be left out.
      signatures: of the model.

    Raises:
      ValueError: if it is something else, or an input is not of its kind and shape.
    """
    try:
        given = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the body must be JSON, received {error}") from None
    if not isinstance(given, dict) or ("inputs" in given) == ("instances" in given):
        raise ValueError('the body must be an object with either "inputs" or "instances"')
    name = given.get("signature_name") or _USUAL
    if not isinstance(name, str) or name not in signatures:
        names = ", ".join(sorted(signatures))
        raise ValueError(f"`signature_name` must be one of {names}, received {name!r:.80}")
    specs, by_row = signatures[name].inputs, "instances" in given
    columns = _of_rows(given["instances"], specs) if by_row else _named(given["inputs"], specs)
    arrays = {key: _array(key, value, specs.get(key)) for key, value in columns.items()}
    return Request(name, checked_inputs(specs, arrays), by_row)


def write_answer(outputs: dict[str, np.ndarray], by_row: bool) -> dict[str, Any]:
    """The answer to a request; the name of a single output is left out."""
    values = {name: _value(name, value) for name, value in outputs.items()}
    single = next(iter(values.values())) if len(values) == 1 else None
    if not by_row:
        return {"outputs": values if single is None else single}
    rows = [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]
    return {"predictions": rows if single is None else single}


def _specs(tensors: dict[str, Any]) -> dict[str, Spec]:
    specs = {}
    for name, info in tensors.items():
        shape = info["tensor_shape"]
        dims = None if shape["unknown_rank"] else tuple(int(d["size"]) for d in shape["dim"])
        specs[name] = Spec(np.dtype(DTYPES[info["dtype"]]), dims)
    return specs


def _named(value: Any, specs: dict[str, Spec]) -> dict[str, Any]:
    """Inputs by name, also where the only one came without it."""
    if isinstance(value, dict) and (len(specs) != 1 or value.keys() == specs.keys()):
        return value
    if len(specs) == 1:
        return {next(iter(specs)): value}
    raise ValueError(f"the inputs {', '.join(sorted(specs))} must be given by name")


def _of_rows(rows: Any, specs: dict[str, Spec]) -> dict[str, Any]:
    if not isinstance(rows, list):
        raise ValueError("`instances` must be a list")
    named = [_named(row, specs) for row in rows]
    for row in named:
        if row.keys() != named[0].keys():
            raise ValueError("`instances` must have the same names in all rows")
    names = named[0] if named else specs
    return {name: [row[name] for row in named] for name in names}


def _array(name: str, value: Any, spec: Spec | None) -> np.ndarray:
    """An array of JSON values, which `checked_inputs` compares with the signature."""
    if spec is not None and spec.dtype == object:
        return _strings(name, value)
    # as objects first: in an array of strings each takes as much room as the longest
    kinds = set(map(type, np.array(value, object).ravel()))
    if list in kinds:
        raise ValueError(f"`{name}` must have rows of equal length")
    if not kinds <= {int, float}:
        raise ValueError(f"`{name}` must hold numbers, received {_json_kind(kinds)}")
    return np.asarray(value)


def _json_kind(kinds: set[type]) -> str:
    names = {str: "a string", dict: "an object", bool: "a truth value", type(None): "null"}
    return next(names[kind] for kind in kinds if kind in names)


def _strings(name: str, value: Any) -> np.ndarray:
    """`[batch]` strings; binary ones are objects `{"b64": text}`."""
    if not isinstance(value, list):
        raise ValueError(f"`{name}` must be a list of strings")
    strings = np.empty(len(value), object)
    for i, item in enumerate(value):
        if isinstance(item, str):
            strings[i] = item.encode()
            continue
        try:
            strings[i] = base64.b64decode(item["b64"], validate=True)
        except (TypeError, KeyError, binascii.Error, ValueError):
            raise ValueError(
                f'`{name}` must hold strings or {{"b64": base64}}, received another value'
            ) from None
    return strings


def _value(name: str, value: np.ndarray) -> Any:
    if value.dtype != object:
        return value.tolist()
    if name.endswith(_BINARY):
        return [{"b64": base64.b64encode(item).decode()} for item in value]
    return [item.decode(errors="replace") for item in value]
