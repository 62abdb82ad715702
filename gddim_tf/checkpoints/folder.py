"""Finding the weights and the configurations in a path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gddim_tf.reading import read_json

# For the message about a file that is none.
_WHAT = "a JSON object with settings"

_STEM = "diffusion_pytorch_model"
_SUFFIXES = ("safetensors", "bin")
_PLAIN = re.compile(rf"{_STEM}[\w.-]*\.(?:{'|'.join(_SUFFIXES)})")
_SHARD = re.compile(r"-\d{5}-of-\d{5}\.")


def network_folder(path: Path) -> Path:
    """Return the folder of the network in a diffusers pipeline, any other path as it is.

    Raises:
      ValueError: if the network of the pipeline draws what another one decodes.
    """
    unet = path / "unet"
    if not unet.is_dir() or (path / "config.json").exists():
        return path
    for decoder in ("vae", "vqvae"):
        if (path / decoder).is_dir():
            raise ValueError(
                f"{path} must be a pipeline of images, and draws latents that its {decoder} decodes"
            )
    return unet


def weights_files(path: Path, variant: str | None = None) -> list[Path]:
    """Return the files with the weights: the path itself, or those of a diffusers folder.

    A folder holds one file or several shards with an index, as safetensors or, if there are none,
    as `.bin`.

    Args:
      path: a file or a folder.
      variant: such as "fp16" or "non_ema", for `diffusion_pytorch_model.fp16.safetensors`; None
        takes the plain file, or the only variant there is.

    Raises:
      FileNotFoundError: if the folder holds no such weights.
      ValueError: if there are several variants and none was chosen.
    """
    if not path.is_dir():
        return [path]
    found = _variants(path)
    if variant is None and None not in found and len(found) > 1:
        names = ", ".join(sorted(map(str, found)))
        raise ValueError(f"`variant` must be one of those in {path}: {names}")
    chosen = next(iter(found)) if variant is None and len(found) == 1 else variant
    if chosen not in found:
        wanted = f".{variant}" if variant else ""
        raise FileNotFoundError(f"{path} holds no {_STEM}{wanted}.safetensors")
    file = found[chosen]
    return _shards(file) if file.suffix == ".json" else [file]


def configuration(path: Path, config: Mapping[str, Any] | str | Path | None) -> dict[str, Any]:
    """Return the configuration as a dict, from the folder if none is given.

    A file under the name that diffusers gives it has the configuration beside it.
    """
    if isinstance(config, Mapping):
        return dict(config)
    if config is not None:
        return read_json(Path(config), _WHAT)
    if path.is_dir():
        if not (path / "config.json").exists():
            raise FileNotFoundError(
                f"{path} must be the folder of a diffusers network or pipeline, and has no "
                "config.json"
            )
        return read_json(path / "config.json", _WHAT)
    beside = path.parent / "config.json"
    known = _PLAIN.fullmatch(path.name) and beside.exists()
    return read_json(beside, _WHAT) if known else {}


def scheduler(path: Path) -> dict[str, Any]:
    """Return the configuration of a scheduler beside the weights or their folder, or {}."""
    folder = path if path.is_dir() else path.parent
    for file in (
        folder / "scheduler_config.json",
        folder.parent / "scheduler" / "scheduler_config.json",
    ):
        if file.exists():
            return read_json(file, _WHAT)
    return {}


def _variants(path: Path) -> dict[str | None, Path]:
    """The file or the index of each variant in a folder; None is the plain one."""
    found: dict[str | None, Path] = {}
    for suffix in _SUFFIXES:
        for file in sorted(path.glob(f"{_STEM}*")):
            name = file.name.removeprefix(_STEM)
            whole = re.fullmatch(rf"(?:\.(\w+))?\.{suffix}", name)
            index = re.fullmatch(rf"\.{suffix}\.index(?:\.(\w+))?\.json", name)
            match = whole or index
            if match and not _SHARD.search(name):
                found.setdefault(match[1], file)
    return found


def _shards(index: Path) -> list[Path]:
    """The files that an index names, all beside it."""
    names = read_json(index, _WHAT).get("weight_map")
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        raise ValueError(f"{index} must hold a `weight_map` from tensors to files")
    files = sorted(set(names.values()))
    outside = [name for name in files if not _PLAIN.fullmatch(name)]
    if outside:
        raise ValueError(f"{index} must name files beside it, received {outside[0]!r}")
    missing = [name for name in files if not (index.parent / name).exists()]
    if missing:
        raise FileNotFoundError(f"{index} names {missing[0]!r}, which is not beside it")
    return [index.parent / name for name in files]
