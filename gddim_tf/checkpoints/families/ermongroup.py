"""Weights of the DDPM U-Net of ermongroup/ddim and of DDPM's conversions to PyTorch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gddim_tf.checkpoints.families.family import Checkpoint, Meaning
from gddim_tf.checkpoints.families.torch_names import (
    Tensors,
    kernel_shape,
    rename,
    rename_inside,
    to_ours,
)
from gddim_tf.networks import Architecture, ScoreUNet
from gddim_tf.sdes import DiscreteVPSDE, LinearSDE

_RULES = [
    (r"temb\.dense\.(\d)", r"temb.dense_\1"),
    (r"(conv_in|conv_out|norm_out)", r"\1"),
    (r"mid\.block_1", "mid.block.0"),
    (r"mid\.block_2", "mid.block.1"),
    (r"mid\.attn_1", "mid.attn"),
    (r"((?:down|up)\.\d+\.(?:block|attn)\.\d+)", r"\1"),
    (r"((?:down|up)\.\d+\.(?:downsample|upsample)\.conv)", r"\1"),
]
_INSIDE = {
    "nin_shortcut": "shortcut",
    "q": "query",
    "k": "key",
    "v": "value",
    "proj_out": "proj",
}


class Ermongroup:
    """Networks of DDPM and DDIM."""

    name = "ermongroup"
    network = ScoreUNet

    def recognises(self, tensors: Tensors, config: Mapping[str, Any]) -> bool:
        """Whether the names are this family's."""
        return "temb.dense.0.weight" in tensors

    def options(self, tensors: Tensors, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of `ScoreUNet`, read off the tensors.

        Args:
          tensors: the weights by name.
          config: only `image_size` (or `data.image_size`) is needed, which cannot be seen in the
            weights; `model.dropout` is taken over.

        Raises:
          ValueError: if the image size is missing or the tensors are not such a network's.
        """
        size = config.get("image_size") or config.get("data", {}).get("image_size")
        if size is None:
            raise ValueError("a DDPM checkpoint does not hold the image size: pass `image_size`")
        levels = _count(tensors, r"down\.(\d+)\.block\.0\.conv1\.weight")
        base, channels = kernel_shape(tensors, "conv_in.weight")[:2]
        widths = [kernel_shape(tensors, f"down.{n}.block.0.conv1.weight")[0] for n in range(levels)]
        attention = [f"down.{level}.attn.0.q.weight" in tensors for level in range(levels)]
        return {
            "image_size": size,
            "channels": channels,
            "out_channels": kernel_shape(tensors, "conv_out.weight")[0],
            "base_channels": base,
            "channel_multipliers": tuple(width / base for width in widths),
            "blocks_per_level": _count(tensors, r"down\.0\.block\.(\d+)\.conv1\.weight"),
            "attention_resolutions": tuple(size >> n for n, has in enumerate(attention) if has),
            "up_attention": "every",
            "dropout": config.get("model", {}).get("dropout", 0.0),
            "resampling_conv": levels == 1 or "down.0.downsample.conv.weight" in tensors,
            "norm_groups": 32,
        }

    def weights(
        self, checkpoint: Checkpoint, architecture: Architecture
    ) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the tensors by our names; those without one keep theirs."""
        for name, tensor in checkpoint.tensors.items():
            source, _, leaf = name.rpartition(".")
            layer = rename(source, _RULES)
            yield (
                (name, tensor)
                if layer is None
                else to_ours(rename_inside(layer, _INSIDE), leaf, tensor)
            )

    def meaning(self, checkpoint: Checkpoint) -> Meaning:
        """The index of a discrete time, and the noise."""
        return Meaning("index", "eps")

    def diffusion(self, checkpoint: Checkpoint, architecture: Architecture) -> LinearSDE:
        """DDPM's table of 1000 betas."""
        return DiscreteVPSDE(np.linspace(1e-4, 0.02, 1000))


def _count(tensors: Tensors, pattern: str) -> int:
    """Return how many different numbers the pattern finds in the names."""
    found = (re.fullmatch(pattern, name) for name in tensors)
    return len({match[1] for match in found if match})
