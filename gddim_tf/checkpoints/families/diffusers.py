"""Weights of `UNet2DModel` of the diffusers library, the layout of google/ddpm-cifar10-32."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gddim_tf.checkpoints.families import diffusers_schedule
from gddim_tf.checkpoints.families.family import Checkpoint, Meaning
from gddim_tf.checkpoints.families.torch_names import Tensors, rename, rename_inside, to_ours
from gddim_tf.networks import Architecture
from gddim_tf.sdes import DiscreteVPSDE, LinearSDE

# What the library assumes if the configuration is silent, and what this network does instead.
_REQUIRED: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "time_embedding_type": ("positional", ("positional",)),
    "freq_shift": (0, (1,)),
    "flip_sin_to_cos": (True, (False,)),
    "downsample_padding": (1, (0,)),
    "mid_block_scale_factor": (1, (1,)),
    "act_fn": ("silu", ("silu", "swish")),
    "attention_head_dim": (8, (None,)),
    "norm_eps": (1e-5, (1e-6,)),
    "resnet_time_scale_shift": ("default", ("default",)),
    "add_attention": (True, (True,)),
    "downsample_type": ("conv", ("conv",)),
    "upsample_type": ("conv", ("conv",)),
    "class_embed_type": (None, (None,)),
    "num_class_embeds": (None, (None,)),
    "attn_norm_num_groups": (None, (None,)),
    "num_train_timesteps": (None, (None, 1000)),
}

_NEEDED = (
    "sample_size",
    "in_channels",
    "out_channels",
    "block_out_channels",
    "down_block_types",
    "up_block_types",
)
_INSIDE = {
    "time_emb_proj": "temb_proj",
    "conv_shortcut": "shortcut",
    "group_norm": "norm",
    **dict.fromkeys(("to_q", "query"), "query"),
    **dict.fromkeys(("to_k", "key"), "key"),
    **dict.fromkeys(("to_v", "value"), "value"),
    **dict.fromkeys(("to_out_0", "proj_attn"), "proj"),
}


class Diffusers:
    """Networks saved by the diffusers library."""

    name = "diffusers"

    def recognises(self, tensors: Tensors, config: Mapping[str, Any]) -> bool:
        """Whether the names are this family's."""
        return any(name.startswith("down_blocks.") for name in tensors)

    def options(self, tensors: Tensors, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of `ScoreUNet` for the contents of `config.json` alone.

        Raises:
            ValueError: if the configuration asks for something that the network does not do.
        """
        _check(config)
        widths = config["block_out_channels"]
        size = config["sample_size"]
        size = size if isinstance(size, int) else size[0]
        attention = [kind == "AttnDownBlock2D" for kind in config["down_block_types"]]
        return {
            "image_size": size,
            "channels": config["in_channels"],
            "out_channels": config["out_channels"],
            "base_channels": widths[0],
            "channel_multipliers": tuple(width / widths[0] for width in widths),
            "blocks_per_level": config.get("layers_per_block", 2),
            "attention_resolutions": tuple(size >> i for i, has in enumerate(attention) if has),
            "up_attention": "every",
            "dropout": config.get("dropout", 0.0),
            "norm_groups": config.get("norm_num_groups", 32),
            "centered": not config.get("center_input_sample", False),
        }

    def weights(
        self, tensors: Tensors, architecture: Architecture
    ) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the tensors by our names; those without one keep theirs.

        Attention is understood by its present key names (to_q, to_out.0) and those before version
        0.17 (query, proj_attn).
        """
        rules = _rules(architecture.levels)
        for name, tensor in tensors.items():
            source, _, leaf = name.rpartition(".")
            layer = rename(source.replace("to_out.0", "to_out_0"), rules)
            yield (
                (name, tensor)
                if layer is None
                else to_ours(rename_inside(layer, _INSIDE), leaf, tensor)
            )

    def meaning(self, checkpoint: Checkpoint) -> Meaning:
        """The index of a discrete time, and the noise."""
        return Meaning("index", "eps")

    def diffusion(self, checkpoint: Checkpoint, architecture: Architecture) -> LinearSDE:
        """The table of the scheduler beside the network, or DDPM's."""
        return DiscreteVPSDE(diffusers_schedule.betas(checkpoint.scheduler))


def _rules(levels: int) -> list[tuple[str, str]]:
    rules = [
        (r"time_embedding\.linear_1", "temb.dense_0"),
        (r"time_embedding\.linear_2", "temb.dense_1"),
        (r"conv_in", "conv_in"),
        (r"conv_norm_out", "norm_out"),
        (r"conv_out", "conv_out"),
        (r"mid_block\.resnets\.(\d+)", r"mid.block.\1"),
        (r"mid_block\.attentions\.0", "mid.attn"),
        (r"down_blocks\.(\d+)\.resnets\.(\d+)", r"down.\1.block.\2"),
        (r"down_blocks\.(\d+)\.attentions\.(\d+)", r"down.\1.attn.\2"),
        (r"down_blocks\.(\d+)\.downsamplers\.0\.conv", r"down.\1.downsample.conv"),
    ]
    for index in range(levels):
        level = levels - 1 - index
        rules += [
            (rf"up_blocks\.{index}\.resnets\.(\d+)", rf"up.{level}.block.\1"),
            (rf"up_blocks\.{index}\.attentions\.(\d+)", rf"up.{level}.attn.\1"),
            (rf"up_blocks\.{index}\.upsamplers\.0\.conv", f"up.{level}.upsample.conv"),
        ]
    return rules


def _check(config: Mapping[str, Any]) -> None:
    missing = [name for name in _NEEDED if config.get(name) is None]
    if missing:
        raise ValueError(f"the configuration of a UNet2DModel must hold {missing}")
    for name, (default, allowed) in _REQUIRED.items():
        value = config.get(name, default)
        if value not in allowed:
            raise ValueError(
                f"the diffusers setting `{name}` must be {' or '.join(map(repr, allowed))} "
                f"for this network, received {value!r}"
            )
    down, up = list(config["down_block_types"]), list(config["up_block_types"])
    if not set(down) <= {"DownBlock2D", "AttnDownBlock2D"}:
        raise ValueError(
            f"`down_block_types` must be DownBlock2D or AttnDownBlock2D, received {down}"
        )
    if up != [kind.replace("Down", "Up") for kind in reversed(down)]:
        raise ValueError(f"`up_block_types` must mirror `down_block_types`, received {up}")
