"""A client of a served model; what it says does not depend on the protocol."""

from __future__ import annotations

import io
import random
import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np

Result = TypeVar("Result")

# Seconds before an unanswered call is repeated; doubled each time, up to the second number.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0


class ServerUnavailable(ConnectionError):
    """Nobody answers at the address, or the server has too much to do."""


class ModelNotLoaded(OSError):
    """The server answers, and the model is still being loaded."""


class Spec(NamedTuple):
    """One input or output of a signature; `shape` is None where even the rank is open."""

    dtype: np.dtype
    shape: tuple[int, ...] | None


class Signature(NamedTuple):
    """Inputs and outputs by name."""

    inputs: dict[str, Spec]
    outputs: dict[str, Spec]


class Client:
    """Base of the clients; `connect` gives one. Any number of threads may use it.

    `with connect(...) as client:` closes its connection at the end, as `close` does.

    A subclass speaks a protocol: `_call_predict`, `_call_metadata`, `_call_state`. These raise
    `ServerUnavailable`, `ModelNotLoaded`, `ValueError` (refused by the model), `TimeoutError` or
    another `OSError`.

    Args:
      address: `host:port`.
      model: the name of the model.
      version: a number, or None for the latest.
      deadline: seconds that one call may take.
      wait: seconds for which calls are repeated until the server is there and has loaded the model.
    """

    def __init__(
        self,
        address: str,
        model: str,
        version: int | None = None,
        deadline: float = 60.0,
        wait: float = 10.0,
    ) -> None:
        if not re.fullmatch(r"[^/\s]+:\d+", address):
            raise ValueError(f"`address` must be host:port, received {address!r}")
        self.address, self.model, self.version = address, model, version
        self.deadline, self.wait = deadline, wait
        self._signatures: dict[str, Signature] | None = None

    # ---- what a subclass does -------------------------------------------------------------------

    def _call_predict(
        self, signature: str, inputs: dict[str, np.ndarray], outputs: dict[str, Spec]
    ) -> dict[str, np.ndarray]:
        raise TypeError(f"{type(self).__name__} must define `_call_predict`")

    def _call_metadata(self) -> dict[str, Signature]:
        raise TypeError(f"{type(self).__name__} must define `_call_metadata`")

    def _call_state(self) -> list[tuple[str, str]]:
        raise TypeError(f"{type(self).__name__} must define `_call_state`")

    # ---- what a user calls ----------------------------------------------------------------------

    def signatures(self) -> dict[str, Signature]:
        """The signatures of the model; asked once, and anew after a request that was refused.

        Raises:
          ServerUnavailable, ModelNotLoaded: if that is still so after `wait` seconds.
          ValueError: if the server has no such model.
        """
        known = self._signatures
        if known is None:
            known = self._signatures = self._patiently(self._call_metadata)
        return known

    def predict(self, signature: str = "serving_default", **inputs: Any) -> dict[str, np.ndarray]:
        """Call a signature.

        Args:
          signature: its name.
          **inputs: anything that NumPy turns into arrays of the right shapes and kinds.

        Returns:
          The outputs by name; PNG files as `bytes`.

        Raises:
          ServerUnavailable, ModelNotLoaded: if that is still so after `wait` seconds.
          ValueError: if an input is wrong; the message names it.
          TimeoutError: if the answer takes longer than `deadline`.
        """
        try:
            known = self.signatures()
            if signature not in known:
                names = ", ".join(sorted(known))
                raise ValueError(f"`signature` must be one of {names}, received {signature!r}")
            described = known[signature]
            arrays = _checked(described.inputs, inputs)
            return self._patiently(lambda: self._call_predict(signature, arrays, described.outputs))
        except ValueError:
            self._signatures = None  # the server may have a new version by now
            raise

    def sample(
        self,
        count: int,
        signature: str = "serving_default",
        seed: int = 0,
        labels: Any = None,
        guidance: float = 1.0,
        nfe: int | None = None,
        batch_size: int = 32,
        first: int = 0,
    ) -> np.ndarray:
        """Draw the images of `model.sample(count, seed=seed, ...)`.

        Args:
          count: how many.
          signature: one that takes seeds and gives images or PNG files.
          seed: of the whole draw; image i depends on `(seed, first + i)` alone.
          labels: one class per image, or one for all; needed by a model with classes, where the
            number of classes itself means none.
          guidance: weight of the class, 1 is plain.
          nfe: budget, for the signature `sample`.
          batch_size: images per call.
          first: index of the first image.

        Returns:
          `[count, height, width, C]` uint8.

        Raises:
          As `predict`; ValueError also for labels and guidance that the model does not take.
        """
        for name, value in (("count", count), ("batch_size", batch_size)):
            if value < 1:
                raise ValueError(f"`{name}` must be at least 1, received {value}")
        index = np.arange(first, first + count)
        inputs = {"seed": np.stack([np.full(count, seed), index], axis=1)}
        described = self.signatures().get(signature)
        if described is not None and "label" in described.inputs:
            if labels is None:
                raise ValueError("`labels` must be given, the model has classes; received None")
            inputs["label"] = np.broadcast_to(np.asarray(labels), (count,))
            inputs["guidance"] = np.full(count, guidance)
        elif labels is not None or guidance != 1.0:
            raise ValueError("`labels` and `guidance` need a model with classes")
        if nfe is not None:
            inputs["nfe"] = np.full(count, nfe)
        batches = []
        for start in range(0, count, batch_size):
            rows = {name: value[start : start + batch_size] for name, value in inputs.items()}
            batches.append(_images(self.predict(signature, **rows)))
        return np.concatenate(batches)

    def close(self) -> None:
        """Close the connection, if the protocol keeps one."""

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- the rest -------------------------------------------------------------------------------

    def _patiently(self, call: Callable[[], Result]) -> Result:
        """Repeat a call that found no server or no model, for `wait` seconds."""
        end, pause = time.monotonic() + self.wait, _FIRST_PAUSE
        while True:
            try:
                return call()
            except (ServerUnavailable, ModelNotLoaded):
                if time.monotonic() + pause > end:
                    raise
            time.sleep(pause * random.uniform(0.5, 1.0))  # clients shall not come back together
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _missing(self) -> Exception:
        """Why the server does not find the model."""
        states = self._call_state()
        failed = [message for state, message in states if message]
        if not states:
            received = repr(self.model)
            if self.version is not None:
                received += f" with `version` {self.version}"
            return ValueError(f"`model` must be one the server has, received {received}")
        if failed:
            return OSError(f"the server could not load {self.model}: {failed[0]}")
        return ModelNotLoaded(f"{self.model} at {self.address} is not loaded yet ({states[0][0]})")


def _checked(specs: dict[str, Spec], inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """The inputs as arrays of the dtypes of the signature."""
    for name in (*specs, *inputs):
        if name not in specs or name not in inputs:
            wanted, given = ", ".join(sorted(specs)), ", ".join(sorted(inputs)) or "none"
            raise ValueError(f"`{name}`: the signature takes {wanted}, received {given}")
    return {name: _array(name, value, specs[name]) for name, value in inputs.items()}


def _array(name: str, value: Any, spec: Spec) -> np.ndarray:
    """One input, converted if nothing but the width of its numbers changes."""
    given = np.asarray(value)
    kinds = {"f": "fiu", "i": "iu", "u": "iu"}.get(spec.dtype.kind, spec.dtype.kind)
    with np.errstate(over="ignore"):
        array = given.astype(spec.dtype) if given.dtype.kind in kinds else given
    if array.dtype != spec.dtype or (spec.dtype.kind in "iu" and (array != given).any()):
        raise ValueError(f"`{name}` must be {spec.dtype.name}, received {given.dtype.name} {given}")
    free = spec.shape is None
    if not free and (array.ndim != len(spec.shape) or array.shape[1:] != spec.shape[1:]):
        shape = str(["batch", *spec.shape[1:]]).replace("'", "")
        raise ValueError(f"`{name}` must have shape {shape}, received {array.shape}")
    return array


def _images(outputs: dict[str, np.ndarray]) -> np.ndarray:
    if "image_bytes" not in outputs:
        return outputs["image"]
    from PIL import Image

    images = [np.asarray(Image.open(io.BytesIO(data))) for data in outputs["image_bytes"]]
    return np.stack([image.reshape(*image.shape[:2], -1) for image in images])


def telling(message: str) -> str:
    """What a check in the graph said, out of TensorFlow's message."""
    found = re.search(r"assertion failed: \[(.*?)\] (\[.*\])", message)
    return f"{found[1]} {found[2]}" if found else " ".join(message.split())
