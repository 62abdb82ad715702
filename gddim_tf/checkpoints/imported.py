"""The result of an import, and the comparison of a file with a network that comes before it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np

from gddim_tf.networks import Architecture, ScoreUNet, weight_shapes

_LISTED = 8


@dataclasses.dataclass(frozen=True)
class Imported:
    """A network with published weights and what has to be known to use it.

    Args:
        network: the network.
        time_convention: the label it expects: "index" (of 1000 discrete times), "999t" (t in
            [0, 1]), "t", "sigma" or "c_noise" (EDM's, depends on the preconditioning).
        parameterisation: what it predicts: "eps" (the noise), "score", "eps_mixed" (eps is the
            network plus R^-1 (0, v)), "eps_v" or "eps_v_mixed" (the velocity's noise of CLD-SGM,
            without or with the prior's score added) or "edm" (the bare F of EDM).
        source: the format that was read, one of `FORMATS`.
        config: the source's own configuration, as far as it was given.
    """

    network: ScoreUNet
    time_convention: str
    parameterisation: str
    source: str
    config: dict[str, Any]


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


def check(weights: dict[str, np.ndarray], architecture: Architecture) -> None:
    """Compare the weights with what the network will hold, before anything is allocated.

    Raises:
        ValueError: naming what is missing, unexpected (by the source's name) or of another shape.
    """
    expected = weight_shapes(architecture)
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


def assign(network: ScoreUNet, weights: dict[str, np.ndarray]) -> None:
    """Put the (checked) weights into the network."""
    for name, variable in network.named_weights().items():
        variable.assign(weights[name].astype(np.float32))


def _listing(names: list[str]) -> str:
    rest = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {rest} more" if rest > 0 else "")
