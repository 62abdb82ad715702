"""Finding the network's tensors among what a PyTorch training script saved."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gddim_tf.checkpoints.torch_file import TensorRecord, TorchFile

_FROZEN = re.compile(r"(module\.)?(sigmas|all_modules\.\d+\.W)")


def read(path: Path, ema: bool = True) -> dict[str, np.ndarray]:
    """Return the tensors of a network from a PyTorch zip file.

    Understood are a state dict by itself, ermongroup's list [model, optimizer, epoch, step, ema]
    and a dict with the entries "model" and "ema", where "ema" is a state dict, score_sde's
    `shadow_params` or an `EMA` of ema-pytorch. Only the tensors that are returned are read.

    Args:
      path: the file.
      ema: whether to read the moving average if there is one.

    Raises:
      ValueError: if the file is damaged, wants anything but tensors, or holds no network.
    """
    with TorchFile(path) as file:
        records = _select(file.objects(), ema)
        if not records:
            raise ValueError(f"{path} holds no network: expected a state dict or {{'model': ...}}")
        return {name: file.tensor(record) for name, record in records.items()}


def _select(saved: Any, ema: bool) -> dict[str, TensorRecord]:
    """Return the records of the network, {} if there is none."""
    if isinstance(saved, list | tuple) and saved:
        average = saved[-1] if len(saved) == 5 else None
        return (_records(average) if ema else {}) or _records(saved[0])
    if not isinstance(saved, Mapping):
        return {}
    if not isinstance(saved.get("model"), Mapping):
        return _records(saved)
    model, average = _records(saved["model"]), saved.get("ema")
    if not ema or not isinstance(average, Mapping):
        return model
    if "shadow_params" in average:
        return _shadow(model, average["shadow_params"])
    return _averaged(_records(average)) or model


def _records(saved: Any) -> dict[str, TensorRecord]:
    """Return the tensors of a state dict."""
    if not isinstance(saved, Mapping):
        return {}
    return {
        name: value
        for name, value in saved.items()
        if isinstance(name, str) and isinstance(value, TensorRecord)
    }


def _averaged(records: dict[str, TensorRecord]) -> dict[str, TensorRecord]:
    """Return the average that ema-pytorch keeps beside the model; other records as they are."""
    prefix = "ema_model."
    inner = {
        name.removeprefix(prefix): record
        for name, record in records.items()
        if name.startswith(prefix)
    }
    return inner or records


def _shadow(model: dict[str, TensorRecord], shadow: Any) -> dict[str, TensorRecord]:
    """Return the model with its trained tensors replaced, in order, by their averages."""
    trained = [name for name in model if not _FROZEN.fullmatch(name) or len(model[name].shape) > 1]
    fits = isinstance(shadow, list | tuple) and len(shadow) == len(trained)
    if not fits or not all(isinstance(record, TensorRecord) for record in shadow):
        raise ValueError(
            f"the moving average must hold one tensor for each of {len(trained)} weights; "
            "read the raw weights with `ema=False`"
        )
    return model | dict(zip(trained, shadow, strict=True))
