"""Weights of `UNet2DModel` of the diffusers library."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gddim_tf.checkpoints.families import diffusers_schedule
from gddim_tf.checkpoints.families.diffusers_settings import Settings
from gddim_tf.checkpoints.families.family import Checkpoint, Meaning
from gddim_tf.checkpoints.families.torch_names import Tensors, rename, rename_inside, to_ours
from gddim_tf.networks import Architecture, ScoreUNet
from gddim_tf.sdes import LinearSDE

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
    network = ScoreUNet

    def recognises(self, tensors: Tensors, config: Mapping[str, Any]) -> bool:
        """Whether the names are this family's."""
        return any(name.startswith("down_blocks.") for name in tensors)

    def options(self, tensors: Tensors, config: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of `ScoreUNet`, from the configuration alone."""
        return Settings(config).options()

    def weights(
        self, checkpoint: Checkpoint, architecture: Architecture
    ) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the tensors by our names; those without one keep theirs.

        Attention is understood by its present key names (to_q, to_out.0) and those before version
        0.17 (query, proj_attn).
        """
        rules = _rules(architecture)
        sign = diffusers_schedule.output_sign(checkpoint.scheduler)
        outputs = {"conv_out", *(f"up.{n}.pyramid_conv" for n in range(architecture.levels))}
        for name, tensor in checkpoint.tensors.items():
            source, _, leaf = name.rpartition(".")
            layer = rename(source.replace("to_out.0", "to_out_0"), rules)
            if layer is None:
                if source not in ("class_embedding", "time_proj") and not _of_classes(source):
                    yield name, tensor
            elif layer in outputs:
                yield to_ours(layer, leaf, sign * tensor)
            else:
                yield to_ours(rename_inside(layer, _INSIDE), leaf, tensor)
        yield from _embeddings(checkpoint.tensors, architecture)

    def meaning(self, checkpoint: Checkpoint) -> Meaning:
        """The index of a discrete time, and what the scheduler calls the prediction."""
        return diffusers_schedule.meaning(checkpoint.scheduler, checkpoint.config)

    def diffusion(self, checkpoint: Checkpoint, architecture: Architecture) -> LinearSDE:
        """The table of the scheduler beside the network, or DDPM's."""
        return diffusers_schedule.diffusion(checkpoint.scheduler, checkpoint.config)


def _rules(architecture: Architecture) -> list[tuple[str, str]]:
    pyramid = architecture.output_pyramid == "skip"
    rules = [
        (r"time_embedding\.linear_1", "temb.dense_0"),
        (r"time_embedding\.linear_2", "temb.dense_1"),
        (r"conv_in", "conv_in"),
        (r"conv_norm_out", "up.0.pyramid_norm" if pyramid else "norm_out"),
        (r"conv_out", "up.0.pyramid_conv" if pyramid else "conv_out"),
        (r"mid_block\.resnets\.(\d+)", r"mid.block.\1"),
        (r"mid_block\.attentions\.0", "mid.attn"),
        (r"down_blocks\.(\d+)\.resnets\.(\d+)", r"down.\1.block.\2"),
        (r"down_blocks\.(\d+)\.attentions\.(\d+)", r"down.\1.attn.\2"),
        (r"down_blocks\.(\d+)\.(?:downsamplers\.0|resnet_down)", r"down.\1.downsample"),
        (r"down_blocks\.(\d+)\.skip_conv", r"down.\1.combine.conv"),
    ]
    # With skips, attention only follows the last block of a level.
    attention = rf"attn.{architecture.blocks_per_level}" if pyramid else r"attn.\1"
    for index in range(architecture.levels):
        level = architecture.levels - 1 - index
        rules += [
            (rf"up_blocks\.{index}\.resnets\.(\d+)", rf"up.{level}.block.\1"),
            (rf"up_blocks\.{index}\.attentions\.(\d+)", rf"up.{level}.{attention}"),
            (rf"up_blocks\.{index}\.(?:upsamplers\.0|resnet_up)", f"up.{level}.upsample"),
            (rf"up_blocks\.{index}\.skip_norm", f"up.{level}.pyramid_norm"),
            (rf"up_blocks\.{index}\.skip_conv", f"up.{level}.pyramid_conv"),
        ]
    return rules


def _of_classes(source: str) -> bool:
    return source.startswith("class_embedding.linear_")


def _embeddings(tensors: Tensors, architecture: Architecture) -> Iterator[tuple[str, np.ndarray]]:
    """The frequencies of the time embedding, and a row for each class.

    The library has no class that stands for none: its row is 0, which leaves the time alone.
    """
    if "time_proj.weight" in tensors:
        yield "temb.fourier.frequencies", tensors["time_proj.weight"]
    rows = tensors.get("class_embedding.weight")
    if "class_embedding.linear_1.weight" in tensors:
        rows = _class_rows(tensors, architecture)
    if rows is not None:
        yield "temb.labels.embeddings", np.concatenate([rows, np.zeros_like(rows[:1])])


def _class_rows(tensors: Tensors, architecture: Architecture) -> np.ndarray:
    """The rows of classes that are embedded as times are (`class_embed_type` "timestep")."""
    half = architecture.base_channels // 2
    powers = np.arange(half) / (half - architecture.frequency_shift)
    angles = np.arange(architecture.num_classes)[:, None] * 10000.0**-powers
    waves = [np.sin(angles), np.cos(angles)]
    h = np.concatenate(waves[::-1] if architecture.cosine_first else waves, axis=1)
    h = np.pad(h, [(0, 0), (0, architecture.base_channels % 2)])
    for index in (1, 2):
        layer = f"class_embedding.linear_{index}"
        h = h @ tensors[f"{layer}.weight"].T.astype(np.float64) + tensors[f"{layer}.bias"]
        if index == 1:
            h = h / (1 + np.exp(-h))
    return h.astype(np.float32)
