"""A client of a served model; what it says does not depend on the protocol."""

from __future__ import annotations

import abc
import contextlib
import math
import random
import re
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from gddim_tf.models.versions import check_version
from gddim_tf.serving.access import Access
from gddim_tf.serving.editing_client import EditingClient
from gddim_tf.serving.errors import ModelNotLoaded, ServerUnavailable, WrongAnswer
from gddim_tf.serving.png import decode_pngs
from gddim_tf.serving.signature import (
    Signature,
    Spec,
    batch_of,
    checked_inputs,
    checked_outputs,
)

Result = TypeVar("Result")

# Seconds before an unanswered call is repeated; doubled each time, up to the second number.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0

_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})")


class Client(EditingClient, abc.ABC):
    """Base of the clients; `connect` gives one. Any number of threads may use it.

    `with connect(...) as client:` closes its connection at the end, as `close` does. Nothing that a
    server answers is believed: kinds, shapes and sizes are those of the request, or `WrongAnswer`.

    A subclass speaks a protocol: `_call_predict`, `_call_metadata`, `_call_state`. These raise
    `ServerUnavailable`, `ModelNotLoaded`, `ValueError` (refused by the model), `TimeoutError` or
    another `OSError`.

    Args:
      address: `host:port`.
      model: the name of the model.
      version: a number, or None for the latest.
      deadline: seconds that one call may take, to the last byte of its answer.
      wait: seconds for which calls are repeated until the server is there and has loaded the model.
      largest_answer: bytes that one answer may have.
      access: TLS, token and metadata.

    Raises:
      ValueError: if one of these is not of this kind.

    Examples:
      >>> from gddim_tf.serving import connect
      >>> with connect("localhost:8501", "digits", protocol="rest") as client:
      ...     client.address
      'localhost:8501'
    """

    def __init__(
        self,
        address: str,
        model: str,
        version: int | None = None,
        deadline: float = 60.0,
        wait: float = 10.0,
        largest_answer: int = 64 * 2**20,
        access: Access | None = None,
    ) -> None:
        found = _ADDRESS.fullmatch(address)
        if not found or not 0 < int(found[2]) < 2**16:
            raise ValueError(f"`address` must be host:port, received {address!r}")
        if not model or model in (".", ".."):
            raise ValueError(f"`model` must be the name of one, received {model!r}")
        if not (math.isfinite(deadline) and deadline > 0):
            raise ValueError(f"`deadline` must be above 0 seconds, received {deadline}")
        if not (math.isfinite(wait) and wait >= 0):
            raise ValueError(f"`wait` must be at least 0 seconds, received {wait}")
        if not 1 <= largest_answer < 2**31:
            raise ValueError(f"`largest_answer` must be in 1 to 2^31, received {largest_answer}")
        self.address, self.model = address, model
        self.version = None if version is None else check_version(version)
        self.deadline, self.wait, self.largest_answer = deadline, wait, largest_answer
        self.access = access or Access()
        self.access.check_address(address)
        self._host, self._port = found[1].strip("[]"), int(found[2])
        self._signatures: dict[str, Signature] | None = None

    # ---- what a subclass does -------------------------------------------------------------------

    @abc.abstractmethod
    def _call_predict(
        self, signature: str, inputs: dict[str, np.ndarray], outputs: dict[str, Spec]
    ) -> dict[str, np.ndarray]:
        """The outputs of a signature."""

    @abc.abstractmethod
    def _call_metadata(self) -> dict[str, Signature]:
        """The signatures of the model."""

    @abc.abstractmethod
    def _call_state(self) -> list[tuple[str, str]]:
        """The state of every version and, if it failed, why."""

    # ---- what a user calls ----------------------------------------------------------------------

    def signatures(self) -> dict[str, Signature]:
        """The signatures of the model; asked once, and anew after a request that was refused.

        Raises:
          ServerUnavailable, ModelNotLoaded: if that is still so after `wait` seconds.
          ValueError: if the server has no such model.
          OSError: for anything else that the server answers.
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
          WrongAnswer: if it is not what the signature promises.
        """
        try:
            known = self.signatures()
            if signature not in known:
                names = ", ".join(sorted(known))
                raise ValueError(f"`signature` must be one of {names}, received {signature!r}")
            described = known[signature]
            arrays = checked_inputs(described.inputs, inputs)
            answer = self._patiently(
                lambda: self._call_predict(signature, arrays, described.outputs)
            )
            return checked_outputs(described.outputs, answer, batch_of(arrays))
        except (ValueError, WrongAnswer):
            self._signatures = None  # the server may have a new version by now
            raise

    def sample(
        self,
        count: int,
        signature: str = "serving_default",
        seed: int = 0,
        labels: ArrayLike | None = None,
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
          ServingError, ValueError: as `predict`, and for labels and guidance that the model does
            not take.
        """
        inputs = {} if nfe is None else {"nfe": np.full(count, nfe)}
        return self._drawn(signature, inputs, count, seed, labels, guidance, batch_size, first)

    def close(self) -> None:
        """Close the connection, if the protocol keeps one."""

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- the rest -------------------------------------------------------------------------------

    def _images(self, signature: str, outputs: dict[str, np.ndarray]) -> np.ndarray:
        if "image" in outputs:
            return outputs["image"]
        if "image_bytes" not in outputs:
            raise ValueError(f"`signature` must be one that gives images, received {signature!r}")
        plain = (described.outputs.get("image") for described in self.signatures().values())
        shapes = (spec.shape[1:] for spec in plain if spec is not None and spec.shape is not None)
        return decode_pngs(outputs["image_bytes"], next(shapes, None))

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

    @contextlib.contextmanager
    def _understood(self) -> Iterator[None]:
        """Around the reading of an answer: one that is not in the protocol is a `WrongAnswer`."""
        try:
            yield
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError):
            raise WrongAnswer(f"{self.address} does not answer as TF Serving does") from None

    def _late(self) -> Exception:
        return TimeoutError(f"no answer from {self.address} within {self.deadline:g} seconds")

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
