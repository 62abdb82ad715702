"""Weights of the PyTorch networks of score_sde: layers numbered in one list."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gddim_tf.checkpoints.families import score_sde_names
from gddim_tf.checkpoints.families.family import Checkpoint
from gddim_tf.checkpoints.families.score_sde import ScoreSDE
from gddim_tf.checkpoints.families.torch_names import Tensors, to_ours
from gddim_tf.networks import Architecture, layout

_MODULE = re.compile(r"all_modules\.(\d+)\.(.+)")


class ScoreSDETorch(ScoreSDE):
    """The networks of score_sde in PyTorch."""

    name = "score_sde_torch"
    ends = ("all_modules.{i}.weight", 1, 0)

    def recognises(self, tensors: Tensors, config: Mapping[str, Any]) -> bool:
        """Whether the names are this family's (CLD-SGM's differ in the configuration only)."""
        return any(map(_MODULE.fullmatch, tensors)) and "n_channels" not in config

    def weights(
        self, checkpoint: Checkpoint, architecture: Architecture
    ) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the tensors by our names; those without one keep theirs.

        The buffer `sigmas` is the noise schedule and not part of the network.
        """
        numbers = sorted(
            {int(match[1]) for match in map(_MODULE.fullmatch, checkpoint.tensors) if match}
        )
        with_weights = [part for part in layout(architecture) if part.has_weights]
        parts = dict(zip(numbers, with_weights, strict=False))
        for name, tensor in checkpoint.tensors.items():
            found, match = None, _MODULE.fullmatch(name)
            if match and (part := parts.get(int(match[1]))):
                found = score_sde_names.translate(part, match[2].split("."), tensor, _leaf)
            if name != "sigmas":
                yield found or (name, tensor)


def _leaf(layer: str, leaf: str, tensor: np.ndarray) -> tuple[str, np.ndarray] | None:
    return to_ours(layer, leaf, tensor) if leaf in ("weight", "bias") else None
