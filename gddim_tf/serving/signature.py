"""The inputs and outputs of a signature, and what a client requires of both."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from gddim_tf.serving.errors import WrongAnswer


class Spec(NamedTuple):
    """One input or output of a signature; `shape` is None where even the rank is open."""

    dtype: np.dtype
    shape: tuple[int, ...] | None

    def of_rows(self, rows: int | None) -> tuple[int, ...] | None:
        """The shape for a batch of this size, -1 where an axis is still open."""
        if self.shape is None or rows is None or self.shape[:1] != (-1,):
            return self.shape
        return (rows, *self.shape[1:])


class Signature(NamedTuple):
    """Inputs and outputs by name."""

    inputs: dict[str, Spec]
    outputs: dict[str, Spec]


def batch_of(inputs: dict[str, np.ndarray]) -> int | None:
    """The rows that every output must have; None if no input has an axis."""
    return next((len(value) for value in inputs.values() if value.ndim), None)


def checked_inputs(specs: dict[str, Spec], inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """The inputs as arrays of the dtypes of the signature.

    Raises:
      ValueError: if one is missing, unknown or of another kind or shape; the message names it.
    """
    for name in (*specs, *inputs):
        if name not in specs or name not in inputs:
            wanted, given = ", ".join(sorted(specs)), ", ".join(sorted(inputs)) or "none"
            raise ValueError(f"`{name}`: the signature takes {wanted}, received {given}")
    return {name: _input(name, value, specs[name]) for name, value in inputs.items()}


def condition_inputs(
    described: Signature | None, count: int, labels: ArrayLike | None, guidance: float
) -> dict[str, np.ndarray]:
    """The inputs that tell the class of each of so many images, if the signature has any.

    Raises:
      ValueError: if they are needed and not given, given and not needed, or of another number.
    """
    if described is None or "label" not in described.inputs:
        if labels is not None or guidance != 1.0:
            raise ValueError("`labels` and `guidance` need a model with classes")
        return {}
    if labels is None:
        raise ValueError("`labels` must be given, the model has classes; received None")
    if np.shape(labels) not in ((), (1,), (count,)):
        raise ValueError(f"`labels` must be one or {count}, received {np.shape(labels)}")
    label = np.broadcast_to(np.asarray(labels), (count,))
    return {"label": label, "guidance": np.full(count, guidance)}


def checked_outputs(
    specs: dict[str, Spec], outputs: dict[str, np.ndarray], rows: int | None
) -> dict[str, np.ndarray]:
    """The outputs of an answer, if they are those of the signature, for as many rows as were sent.

    Raises:
      WrongAnswer: if one is missing or of another dtype or shape.
    """
    for name, spec in specs.items():
        if name not in outputs:
            raise WrongAnswer(f"the answer must have {', '.join(specs)}, received no {name}")
        array = outputs[name]
        check_shape(name, spec, array.shape, rows)
        if array.dtype != spec.dtype:
            raise WrongAnswer(
                f"`{name}` of the answer must be {spec.dtype.name}, received {array.dtype.name}"
            )
    return outputs


def check_shape(name: str, spec: Spec, shape: tuple[int, ...], rows: int | None) -> None:
    """Refuse the shape of an output that the signature does not have.

    Raises:
      WrongAnswer: naming the output.
    """
    wanted = spec.of_rows(rows)
    fits = (
        shape[:1] == (rows,) or rows is None
        if wanted is None
        else len(shape) == len(wanted)
        and all(size in (-1, got) for size, got in zip(wanted, shape, strict=True))
    )
    if not fits:
        expected = f"{rows} rows" if wanted is None else f"shape {list(wanted)}"
        raise WrongAnswer(f"`{name}` of the answer must have {expected}, received {list(shape)}")


def largest_size(specs: dict[str, Spec], rows: int | None) -> int | None:
    """How many numbers or strings all outputs hold together; None if an axis is open."""
    shapes = [spec.of_rows(rows) for spec in specs.values()]
    if any(shape is None or -1 in shape for shape in shapes):
        return None
    return sum(math.prod(shape) for shape in shapes if shape is not None)


def converted(value: Any, dtype: np.dtype) -> np.ndarray | None:
    """An array of this dtype, if nothing but the width of its numbers changes; else None."""
    given = np.asarray(value)
    kinds = {"f": "fiu", "i": "iu", "u": "iu"}.get(dtype.kind, dtype.kind)
    if given.size and given.dtype.kind not in kinds:
        return None
    with np.errstate(over="ignore"):
        array = given.astype(dtype)
    return None if dtype.kind in "iu" and (array != given).any() else array


def _input(name: str, value: Any, spec: Spec) -> np.ndarray:
    array = converted(value, spec.dtype)
    if array is None:
        given = np.asarray(value)
        raise ValueError(f"`{name}` must be {spec.dtype.name}, received {given.dtype.name} {given}")
    axes = spec.shape
    if axes is not None and (array.ndim != len(axes) or array.shape[1:] != axes[1:]):
        shape = str(["batch", *axes[1:]]).replace("'", "")
        raise ValueError(f"`{name}` must have shape {shape}, received {array.shape}")
    return array
