"""Importing published weights from a file or folder."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from gddim_tf.checkpoints import (
    cld_sgm,
    diffusers,
    edm,
    ermongroup,
    files,
    score_sde_flax,
    score_sde_torch,
)
from gddim_tf.checkpoints.imported import Imported, assign, check, collect
from gddim_tf.checkpoints.torch_names import Tensors
from gddim_tf.networks import PRESETS, Architecture, ScoreUNet

_FAMILIES: dict[str, ModuleType] = {
    "diffusers": diffusers,
    "ermongroup": ermongroup,
    "edm": edm,
    "score_sde_torch": score_sde_torch,
    "cld_sgm": cld_sgm,
    "score_sde_flax": score_sde_flax,
}
FORMATS = tuple(_FAMILIES)
_KERAS_OPTIONS = ("name", "dtype", "trainable")


def read(
    path: str | Path,
    format: str | None = None,
    *,
    config: Mapping[str, Any] | str | Path | None = None,
    preset: str | None = None,
    ema: bool = True,
    **options: Any,
) -> Imported:
    """Build a network with the weights of a published checkpoint.

    Every tensor of the file has to find its place and every weight its tensor. Nothing that the
    file contains is executed.

    Args:
        path: a safetensors file, a PyTorch zip file, a Flax msgpack file, or the folder of a
            diffusers model (config.json and safetensors).
        format: one of `FORMATS`; None finds it out from the names of the tensors.
        config: the source's own configuration, as a mapping or a JSON file: needed for the
            score_sde family, whose files do not tell filters and scalings. A folder has its own.
        preset: name of a `ScoreUNet` preset that takes the place of a configuration.
        ema: whether to read the exponential moving average if the file holds one.
        **options: arguments of `ScoreUNet` that replace what was found, for example `dropout`, or
            `image_size` for a DDPM checkpoint, which does not store it.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, of an unknown or refused kind, or does not fit.
    """
    _check_arguments(format, preset, options)
    path = Path(path)
    config = _configuration(path, config)
    tensors = files.read(_weights_file(path), ema)
    source = format or _recognise(path, tensors, config)
    family = _FAMILIES[source]
    try:
        architecture = _architecture(family, tensors, config, preset, options)
        weights = collect(family.weights(tensors, architecture))
    except (TypeError, LookupError, AttributeError, ArithmeticError) as error:
        raise ValueError(f"the {source} checkpoint {path} is malformed: {error!r}") from error
    check(weights, architecture)
    kept = {name: options[name] for name in _KERAS_OPTIONS if name in options}
    network = ScoreUNet(**dataclasses.asdict(architecture), **kept)
    assign(network, weights)
    return Imported(network, *family.meaning(config), source, dict(config))


def _check_arguments(format: str | None, preset: str | None, options: Mapping[str, Any]) -> None:
    if format is not None and format not in _FAMILIES:
        raise ValueError(f"`format` must be one of {list(FORMATS)}, received {format!r}")
    if preset is not None and preset not in PRESETS:
        raise ValueError(f"`preset` must be one of {sorted(PRESETS)}, received {preset!r}")
    known = {field.name for field in dataclasses.fields(Architecture)} | set(_KERAS_OPTIONS)
    unknown = sorted(set(options) - known)
    if unknown:
        raise TypeError(f"unknown options {unknown}; the options of ScoreUNet are {sorted(known)}")


def _configuration(path: Path, config: Mapping[str, Any] | str | Path | None) -> dict[str, Any]:
    """Return the configuration as a dict, from the folder if none is given."""
    if isinstance(config, Mapping):
        return dict(config)
    if config is None and not path.is_dir():
        return {}
    file = path / "config.json" if config is None else Path(config)
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{file} is not a JSON file: {error}") from error
    if not isinstance(read, dict):
        raise ValueError(f"{file} must hold a JSON object, received {type(read).__name__}")
    return read


def _weights_file(path: Path) -> Path:
    """Return the file itself, or the one with the weights in a diffusers folder."""
    if not path.is_dir():
        return path
    for name in ("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin"):
        if (path / name).exists():
            return path / name
    raise FileNotFoundError(f"{path} holds no diffusion_pytorch_model.safetensors")


def _recognise(path: Path, tensors: Tensors, config: Mapping[str, Any]) -> str:
    for name, family in _FAMILIES.items():
        if family.recognises(tensors, config):
            return name
    raise ValueError(f"{path} holds no known network; its first tensors are {sorted(tensors)[:3]}")


def _architecture(
    family: ModuleType,
    tensors: Tensors,
    config: Mapping[str, Any],
    preset: str | None,
    options: Mapping[str, Any],
) -> Architecture:
    """Return the hyperparameters: those found or of the preset, with the given ones replaced."""
    if preset is not None:
        found = PRESETS[preset]
    else:
        size = {"image_size": options["image_size"]} if "image_size" in options else {}
        found = family.options(tensors, {**config, **size})
    replaced = {name: value for name, value in options.items() if name not in _KERAS_OPTIONS}
    architecture = Architecture.from_options({**found, **replaced})
    if architecture.levels * architecture.blocks_per_level > len(tensors):
        raise ValueError("the configuration asks for more blocks than the file has tensors")
    return architecture
