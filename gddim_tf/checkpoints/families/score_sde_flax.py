"""Weights of the Flax networks of score_sde and gDDIM: layers numbered class by class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gddim_tf.checkpoints.families import score_sde_names
from gddim_tf.checkpoints.families.family import Checkpoint
from gddim_tf.checkpoints.families.score_sde import ScoreSDE
from gddim_tf.checkpoints.families.torch_names import Tensors
from gddim_tf.networks import Architecture, Part, layout

_CLASSES = {
    "fourier": "GaussianFourierProjection",
    "dense": "Dense",
    "conv": "Conv",
    "norm": "GroupNorm",
    "attention": "AttnBlockpp",
    "downsample": "Downsample",
    "upsample": "Upsample",
    "combine": "Combine",
}


class ScoreSDEFlax(ScoreSDE):
    """The networks of score_sde and gDDIM in JAX."""

    name = "score_sde_flax"
    ends = ("Conv_{i}/kernel", 2, 3)

    def recognises(self, tensors: Tensors, config: Mapping[str, Any]) -> bool:
        """Whether the names are this family's."""
        return "Conv_0/kernel" in tensors

    def weights(
        self, checkpoint: Checkpoint, architecture: Architecture
    ) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the leaves such as `ResnetBlockBigGANpp_3/Conv_0/kernel` by our names.

        Leaves without one of ours keep theirs. Layers without weights take a number as well.
        """
        counts: Counter[str] = Counter()
        parts = {}
        for part in layout(architecture):
            kind = _class(part, architecture)
            parts[f"{kind}_{counts[kind]}"] = part
            counts[kind] += 1
        for name, tensor in checkpoint.tensors.items():
            head, *rest = name.split("/")
            found = None
            if rest and head in parts:
                found = score_sde_names.translate(parts[head], rest, tensor, _leaf)
            yield found or (name, tensor)


def _leaf(layer: str, leaf: str, tensor: np.ndarray) -> tuple[str, np.ndarray] | None:
    """Translate a leaf; old versions of Flax store normalizations as (1, 1, 1, channels)."""
    if leaf in ("scale", "bias"):
        return f"{layer}.{leaf}", tensor.reshape(-1)
    return (f"{layer}.kernel", tensor) if leaf in ("kernel", "weight") else None


def _class(part: Part, architecture: Architecture) -> str:
    if part.kind == "block":
        biggan = architecture.resampling == "block"
        return "ResnetBlockBigGANpp" if biggan else "ResnetBlockDDPMpp"
    return _CLASSES[part.kind]
