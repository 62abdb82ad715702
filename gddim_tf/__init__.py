"""Diffusion models for TensorFlow: one compiled loop runs every sampler on every linear diffusion.

    import gddim_tf as gd

    sde = gd.sdes.VPSDE()
    model = gd.DiffusionModel.from_preset("ddpm_digits", sde)

The parts (`sdes`, `samplers`, `models`, `networks`, `data`, `evaluation`, `serving`, `checkpoints`)
are imported when they are first used, so that `gddim-tf --help` does not wait for TensorFlow.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from gddim_tf._version import __version__
from gddim_tf.deferred import defer_imports

defer_imports()

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
# Of the models.
_MODULES = ("guidance", "operators")
_NAMES = ("DiffusionModel", "GenerativeModel", "load", "save")

if TYPE_CHECKING:  # so that editors complete the names that are imported on first use
    from gddim_tf import (
        checkpoints,
        data,
        evaluation,
        models,
        networks,
        samplers,
        sdes,
        serving,
        training,
    )
    from gddim_tf.models import (
        DiffusionModel,
        GenerativeModel,
        guidance,
        load,
        operators,
        save,
    )

__all__ = [
    "DiffusionModel",
    "GenerativeModel",
    "__version__",
    "checkpoints",
    "data",
    "evaluation",
    "guidance",
    "load",
    "models",
    "networks",
    "operators",
    "samplers",
    "save",
    "sdes",
    "serving",
    "training",
]


def __getattr__(name: str) -> Any:
    if name in _PARTS:
        return importlib.import_module(f"gddim_tf.{name}")
    if name in _MODULES:
        return importlib.import_module(f"gddim_tf.models.{name}")
    if name in _NAMES:
        return getattr(importlib.import_module("gddim_tf.models"), name)
    raise AttributeError(f"module 'gddim_tf' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
