"""The result of an import, and the comparison of a file with a network that comes before it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np

from gddim_tf.checkpoints.families import Checkpoint, Family, Meaning, Network
from gddim_tf.sdes import LinearSDE

_LISTED = 8


@dataclasses.dataclass(frozen=True)
class Imported:
    """A network with published weights and what has to be known to use it.

    Args:
      network: the network.
      family: the object of its source, one of `FAMILIES`.
      checkpoint: what the source tells of it.

    Examples:
      >>> from gddim_tf.checkpoints import read
      >>> read("tests/golden/diffusers_digits").source  # in a clone
      'diffusers'
    """

    network: Network
    family: Family
    checkpoint: Checkpoint

    @property
    def source(self) -> str:
        """The format that was read, one of `FORMATS`."""
        return self.family.name

    @property
    def config(self) -> dict[str, Any]:
        """The source's own configuration, as far as it was given."""
        return dict(self.checkpoint.config)

    @property
    def meaning(self) -> Meaning:
        """The time label that the network expects and what it predicts."""
        return self.family.meaning(self.checkpoint)

    def diffusion(self) -> LinearSDE:
        """The diffusion that the network was trained on.

        Raises:
          ValueError: if nothing tells it, or what tells it makes no sense.
        """
        try:
            return self.family.diffusion(self.checkpoint, self.network.architecture)
        except (TypeError, LookupError, AttributeError, ArithmeticError) as error:
            raise ValueError(
                f"what tells the diffusion of the {self.source} checkpoint is malformed: {error!r}"
            ) from error


def collect(named: Iterable[tuple[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the pairs as a dict.

    Raises:
      ValueError: if two tensors claim the same name, or one is complex.
    """
    weights: dict[str, np.ndarray] = {}
    for name, value in named:
        if name in weights:
            raise ValueError(f"the checkpoint holds {name!r} twice, under different names")
        if np.iscomplexobj(value):
            raise ValueError(f"{name!r} must hold real numbers, received {value.dtype}")
        weights[name] = value
    return weights


def check(weights: dict[str, np.ndarray], expected: dict[str, tuple[int, ...]]) -> None:
    """Compare the weights with the shapes of the network, before anything is allocated.

    Raises:
      ValueError: naming what is missing, unexpected (by the source's name) or of another shape.
    """
    wrong = [
        f"{name} {weights[name].shape} instead of {shape}"
        for name, shape in expected.items()
        if name in weights and weights[name].shape != shape
    ]
    problems = {
        "missing": [name for name in expected if name not in weights],
        "unexpected": [name for name in weights if name not in expected],
        "of another shape": wrong,
    }
    found = [f"{kind}: {_listing(names)}" for kind, names in problems.items() if names]
    if found:
        raise ValueError(f"the checkpoint does not fit the network; {'; '.join(found)}")


def assign(network: Network, weights: dict[str, np.ndarray]) -> None:
    """Put the (checked) weights into the network."""
    for name, variable in network.named_weights().items():
        variable.assign(weights[name].astype(np.float32))


def _listing(names: list[str]) -> str:
    rest = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {rest} more" if rest > 0 else "")
