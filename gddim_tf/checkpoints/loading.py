"""Importing published weights from a file or folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gddim_tf.checkpoints import files, folder
from gddim_tf.checkpoints.families import FAMILIES, AnyArchitecture, Checkpoint, Family
from gddim_tf.checkpoints.families.torch_names import Tensors
from gddim_tf.checkpoints.imported import Imported, assign, check, collect
from gddim_tf.choice import one_of
from gddim_tf.models.hub import from_hub
from gddim_tf.networks import PRESETS

_BY_NAME = {family.name: family for family in FAMILIES}
FORMATS = tuple(_BY_NAME)
_KERAS_OPTIONS = ("name", "dtype", "trainable")


def read(
    path: str | Path,
    format: str | None = None,
    *,
    config: Mapping[str, Any] | str | Path | None = None,
    preset: str | None = None,
    ema: bool = True,
    variant: str | None = None,
    **options: Any,
) -> Imported:
    """Build a network with the weights of a published checkpoint.

    Every tensor of the file has to find its place and every weight its tensor. Nothing that the
    file contains is executed.

    Args:
      path: a safetensors file, a PyTorch zip file, a Flax msgpack file, or the folder of a
        diffusers model (config.json and safetensors or .bin) or pipeline (unet, scheduler), or
        `hf://user/name` for such a folder on the Hugging Face hub.
      format: one of `FORMATS`; None finds it out from the names of the tensors.
      config: the source's own configuration, as a mapping or a JSON file: needed for the score_sde
        family, whose files do not tell filters and scalings. A folder has its own.
      preset: name of a `ScoreUNet` preset that takes the place of a configuration.
      ema: whether to read the exponential moving average if the file holds one.
      variant: which weights of a diffusers folder to read, such as "fp16" or "non_ema".
      **options: arguments of the network that replace what was found, for example `dropout`, or
        `image_size` for a DDPM checkpoint, which does not store it.

    Raises:
      FileNotFoundError: if there is no such file.
      ValueError: if the file is damaged, of an unknown or refused kind, or does not fit.
    """
    _check_arguments(format, preset, options)
    path = folder.network_folder(from_hub(path))
    settings = folder.configuration(path, config)
    tensors = _tensors(folder.weights_files(path, variant), ema)
    checkpoint = Checkpoint(tensors, settings, folder.scheduler(path), preset)
    family = _recognise(path, tensors, settings) if format is None else _BY_NAME[format]
    try:
        architecture = _architecture(family, checkpoint, options)
        weights = collect(family.weights(checkpoint, architecture))
    except (TypeError, LookupError, AttributeError, ArithmeticError) as error:
        raise ValueError(f"the {family.name} checkpoint {path} is malformed: {error!r}") from error
    check(weights, family.network.weight_shapes(architecture))
    kept = {name: options[name] for name in _KERAS_OPTIONS if name in options}
    network = family.network(**dataclasses.asdict(architecture), **kept)
    assign(network, weights)
    return Imported(network, family, checkpoint)


def _check_arguments(format: str | None, preset: str | None, options: Mapping[str, Any]) -> None:
    if format is not None:
        one_of("format", format, FORMATS)
    if preset is not None:
        one_of("preset", preset, sorted(PRESETS))
    kinds = {family.network.architecture_type for family in FAMILIES}
    known = {field.name for kind in kinds for field in dataclasses.fields(kind)}
    unknown = sorted(set(options) - known - set(_KERAS_OPTIONS))
    if unknown:
        raise TypeError(
            f"unknown options {unknown}; the options of networks are "
            f"{sorted(known | set(_KERAS_OPTIONS))}"
        )


def _tensors(shards: list[Path], ema: bool) -> Tensors:
    """Return the tensors of all files together."""
    tensors: dict[str, np.ndarray] = {}
    for shard in shards:
        found = files.read(shard, ema)
        twice = sorted(set(found) & set(tensors))
        if twice:
            raise ValueError(f"{shard} holds {twice[0]!r}, which another file holds as well")
        tensors |= found
    return tensors


def _recognise(path: Path, tensors: Tensors, config: Mapping[str, Any]) -> Family:
    for family in FAMILIES:
        if family.recognises(tensors, config):
            return family
    raise ValueError(f"{path} holds no known network; its first tensors are {sorted(tensors)[:3]}")


def _architecture(
    family: Family, checkpoint: Checkpoint, options: Mapping[str, Any]
) -> AnyArchitecture:
    """Return the hyperparameters: those found or of the preset, with the given ones replaced."""
    if checkpoint.preset is not None:
        found = PRESETS[checkpoint.preset]
    else:
        size = {"image_size": options["image_size"]} if "image_size" in options else {}
        found = family.options(checkpoint.tensors, {**checkpoint.config, **size})
    replaced = {name: value for name, value in options.items() if name not in _KERAS_OPTIONS}
    architecture = family.network.architecture_type.from_options({**found, **replaced})
    if architecture.levels * architecture.blocks_per_level > len(checkpoint.tensors):
        raise ValueError("the configuration asks for more blocks than the file has tensors")
    return architecture
