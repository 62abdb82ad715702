"""Diffusion models for TensorFlow: one compiled loop runs every sampler on every linear diffusion.

    import gddim_tf as gd

    sde = gd.sdes.VPSDE()
    network = gd.networks.ScoreUNet.from_preset("ddpm_digits")
    model = gd.DiffusionModel(network, sde)

The parts (`sdes`, `samplers`, `models`, `networks`, `data`, `evaluation`, `serving`, `checkpoints`)
are imported when they are first used, so that `gddim-tf --help` does not wait for TensorFlow.
"""

from __future__ import annotations

import importlib
from typing import Any

from gddim_tf._version import __version__

_PARTS = (
    "checkpoints",
    "data",
    "evaluation",
    "models",
    "networks",
    "samplers",
    "sdes",
    "serving",
    "training",
)
_NAMES = {"DiffusionModel": "gddim_tf.models", "load": "gddim_tf.training"}

__all__ = [
    "DiffusionModel",
    "__version__",
    "checkpoints",
    "data",
    "evaluation",
    "load",
    "models",
    "networks",
    "samplers",
    "sdes",
    "serving",
    "training",
]


def __getattr__(name: str) -> Any:
    if name in _PARTS:
        return importlib.import_module(f"gddim_tf.{name}")
    if name in _NAMES:
        return getattr(importlib.import_module(_NAMES[name]), name)
    raise AttributeError(f"module 'gddim_tf' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
