"""What a `.keras` file asks for, compared with what it holds before anything is built."""

from __future__ import annotations

import json
import math
import os
import zipfile
from collections.abc import Iterator
from typing import Any

from gddim_tf.networks import AttentionUNet, ScoreUNet
from gddim_tf.reading import LARGEST_JSON

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
# A file is kept uncompressed, or nearly so; zeros compress a thousandfold.
_LARGEST_RATIO = 100
_MOST_LEVELS, _MOST_BLOCKS = 20, 1000
_NETWORKS = {network.__name__: network for network in (ScoreUNet, AttentionUNet)}


def check_archive(path: str | os.PathLike) -> None:
    """Refuse a `.keras` file whose description asks for more weights than the file holds.

    Raises:
      ValueError: if it does, or a part of it unpacks to far more than the file has.
      KeyError, zipfile.BadZipFile: if a part is missing or damaged.
    """
    with zipfile.ZipFile(path) as archive:
        parts = {part.filename: part.file_size for part in archive.infolist()}
        most = _LARGEST_RATIO * os.path.getsize(path)
        if sum(parts.values()) > most or parts[_CONFIG] > LARGEST_JSON:
            raise ValueError(f"it unpacks to {sum(parts.values())} bytes")
        config = json.loads(archive.read(_CONFIG))
    for network, options in _architectures(config):
        levels = options.get("channel_multipliers") or options.get("widths", ())
        blocks = options.get("blocks_per_level", 1)
        if len(levels) > _MOST_LEVELS or blocks > _MOST_BLOCKS:
            raise ValueError(f"its network has {len(levels)} levels of {blocks} blocks")
        architecture = network.architecture_type(**options)
        # each weight has at least the two bytes of a half number
        least = 2 * sum(map(math.prod, network.weight_shapes(architecture).values()))
        if least > parts[_WEIGHTS]:
            raise ValueError(
                f"its network needs {least} bytes of weights, it holds {parts[_WEIGHTS]}"
            )


def _architectures(config: Any) -> Iterator[tuple[type[ScoreUNet | AttentionUNet], dict[str, Any]]]:
    """The networks in a description: class and arguments of each."""
    if isinstance(config, list):
        for value in config:
            yield from _architectures(value)
    elif isinstance(config, dict):
        network = _NETWORKS.get(str(config.get("class_name")))
        if network is not None:
            names = network.architecture_type.__dataclass_fields__
            found = {name: value for name, value in config["config"].items() if name in names}
            yield network, found
        for value in config.values():
            yield from _architectures(value)
