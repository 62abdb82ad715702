"""Finding the weights and the configurations in a path."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def weights_file(path: Path) -> Path:
    """Return the file itself, or the one with the weights in a diffusers folder."""
    if not path.is_dir():
        return path
    for name in ("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin"):
        if (path / name).exists():
            return path / name
    raise FileNotFoundError(f"{path} holds no diffusion_pytorch_model.safetensors")


def configuration(path: Path, config: Mapping[str, Any] | str | Path | None) -> dict[str, Any]:
    """Return the configuration as a dict, from the folder if none is given."""
    if isinstance(config, Mapping):
        return dict(config)
    if config is None and not path.is_dir():
        return {}
    return read_json(path / "config.json" if config is None else Path(config))


def scheduler(path: Path) -> dict[str, Any]:
    """Return the configuration of a scheduler beside the weights or their folder, or {}."""
    folder = path if path.is_dir() else path.parent
    for file in (
        folder / "scheduler_config.json",
        folder.parent / "scheduler" / "scheduler_config.json",
    ):
        if file.exists():
            return read_json(file)
    return {}


def read_json(file: Path) -> dict[str, Any]:
    """Return the object that a JSON file holds.

    Raises:
        ValueError: if it is not JSON, or not an object.
    """
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{file} is not a JSON file: {error}") from error
    if not isinstance(read, dict):
        raise ValueError(f"{file} must hold a JSON object, received {type(read).__name__}")
    return read
