"""Weights of the `SongUNet` of EDM (Karras et al. 2022), DDPM++ and NCSN++ alike."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gddim_tf.checkpoints.families.family import Checkpoint, Meaning
from gddim_tf.checkpoints.families.torch_names import Tensors, kernel_shape, to_ours
from gddim_tf.image_size import sides
from gddim_tf.networks import Architecture, ScoreUNet
from gddim_tf.sdes import VESDE, LinearSDE

_BLOCK = {
    "norm0": "norm1",
    "conv0": "conv1",
    "affine": "temb_proj",
    "norm1": "norm2",
    "conv1": "conv2",
    "skip": "shortcut",
}
_ATTENTION = {"norm2": "norm", "proj": "proj", "qkv": "qkv"}
_NAME = re.compile(r"(enc|dec)\.(\d+)x\2_([a-z_]+?)(\d*)(?:\.(\w+))?")


class EDM:
    """Networks of EDM, without the preconditioning around them."""

    name = "edm"
    network = ScoreUNet

    def recognises(self, tensors: Tensors, config: Mapping[str, Any]) -> bool:
        """Whether the names are this family's."""
        return "map_layer0.weight" in tensors

    def options(self, tensors: Tensors, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of `ScoreUNet`, all read off the names and shapes.

        Args:
          tensors: the weights by name.
          config: `dropout` is taken over, nothing else is needed.

        Raises:
          ValueError: if the tensors are not a SongUNet's.
        """
        first = [m for m in map(re.compile(r"enc\.(\d+)x\1_conv\.weight").fullmatch, tensors) if m]
        if not first or "map_layer0.weight" not in tensors:
            raise ValueError(
                "the tensors are not those of a SongUNet (enc.32x32_conv, map_layer0 ...)"
            )
        size = int(first[0][1])
        base, in_channels = kernel_shape(tensors, first[0][0])[:2]
        out = kernel_shape(tensors, f"dec.{size}x{size}_aux_conv.weight")[0]
        sizes = _sizes(tensors, size)
        widths = [kernel_shape(tensors, f"enc.{s}x{s}_block0.conv0.weight")[0] for s in sizes]
        block = re.compile(rf"enc\.{size}x{size}_block\d+\.conv0\.weight")
        input_pyramid = "residual" if _any(tensors, "_aux_residual.") else "none"
        if _any(tensors, "_aux_skip."):
            input_pyramid = "skip"
        return {
            "image_size": size,
            "channels": math.gcd(in_channels, out),
            "components": in_channels // math.gcd(in_channels, out),
            "out_channels": out,
            "base_channels": base,
            "channel_multipliers": tuple(width / base for width in widths),
            "blocks_per_level": sum(block.fullmatch(name) is not None for name in tensors),
            "attention_resolutions": tuple(
                s for s in sizes if f"enc.{s}x{s}_block0.qkv.weight" in tensors
            ),
            "up_attention": "last",
            "num_classes": _classes(tensors),
            "label_place": "input",
            "dropout": config.get("dropout", 0.0),
            "embedding": "fourier" if "map_noise.freqs" in tensors else "positional",
            "log_label": False,
            "resampling": "block",
            "fir_kernel": _taps(tensors, fused=input_pyramid == "residual"),
            "skip_rescale": True,
            "input_pyramid": input_pyramid,
            "output_pyramid": "skip" if _any(tensors, "_aux_up.") else "none",
        }

    def weights(
        self, checkpoint: Checkpoint, architecture: Architecture
    ) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the tensors by our names; those without one keep theirs.

        The resampling filters are configuration, and `map_augment` only acts on augmentation
        labels, which sampling never sets: both are left out.
        """
        for name, tensor in checkpoint.tensors.items():
            if name.endswith(".resample_filter") or name == "map_augment.weight":
                continue
            source, _, leaf = name.rpartition(".")
            layer = _layer(source, architecture)
            if name == "map_noise.freqs":
                yield "temb.fourier.frequencies", tensor
            elif name == "map_label.weight":
                yield "temb.labels.embeddings", _label_rows(checkpoint.tensors)
            elif name == "map_label.bias":
                continue
            elif layer is None:
                yield name, tensor
            elif layer.endswith(".qkv"):
                # The joint projection alternates: channel c of q, k and v is row 3 c + 0, 1, 2.
                for offset, part in enumerate(("query", "key", "value")):
                    yield to_ours(layer.replace("qkv", part), leaf, tensor[offset::3])
            else:
                yield to_ours(layer, leaf, tensor)

    def meaning(self, checkpoint: Checkpoint) -> Meaning:
        """The bare network F of Karras et al. (eq. 7), told c_noise(sigma).

        Which preconditioning surrounds it is not stored: EDM's own is assumed, for data of standard
        deviation 0.5.
        """
        return Meaning("c_noise", "v", data_std=0.5)

    def diffusion(self, checkpoint: Checkpoint, architecture: Architecture) -> LinearSDE:
        """Noise of standard deviation t, told to the network as its logarithm."""
        return VESDE.karras()


def _classes(tensors: Tensors) -> int:
    """Return the number of classes: the inputs of the layer that takes them as a vector."""
    return tensors["map_label.weight"].shape[1] if "map_label.weight" in tensors else 0


def _label_rows(tensors: Tensors) -> np.ndarray:
    """Return what the layer makes of each class, and last of the zeros that stand for none.

    The source scales a one-hot vector to unit variance before it.
    """
    weight = tensors["map_label.weight"]
    rows = np.pad(weight.T * math.sqrt(weight.shape[1]), [(0, 1), (0, 0)])
    bias = tensors.get("map_label.bias")
    return rows if bias is None else rows + bias


def _layer(source: str, architecture: Architecture) -> str | None:
    """Return our name of a layer, or None."""
    if source in ("map_layer0", "map_layer1"):
        return f"temb.dense_{source[-1]}"
    match = _NAME.fullmatch(source)
    if not match:
        return None
    side, resolution, kind, index, inside = match.groups()
    level = round(math.log2(max(sides(architecture.image_size)) / int(resolution)))
    # Resampling layers carry the resolution of their output.
    owner = {
        ("enc", "block"): f"down.{level}.block.{index}",
        ("enc", "down"): f"down.{level - 1}.downsample",
        ("dec", "in"): f"mid.block.{index}",
        ("dec", "up"): f"up.{level + 1}.upsample",
        ("dec", "block"): f"up.{level}.block.{index}",
    }.get((side, kind))
    if inside is None:
        return _plain_layer(side, kind, level, architecture)
    if owner is None:
        return None
    if inside in _ATTENTION:
        attention = owner.replace(".block.", ".attn.") if kind == "block" else "mid.attn"
        return f"{attention}.{_ATTENTION[inside]}"
    return f"{owner}.{_BLOCK[inside]}" if inside in _BLOCK else None


def _plain_layer(side: str, kind: str, level: int, architecture: Architecture) -> str | None:
    """Return our name of a layer that is not part of a block, or None."""
    pyramid = architecture.output_pyramid == "skip"
    return {
        ("enc", "conv"): "conv_in",
        ("enc", "aux_residual"): f"down.{level - 1}.input_pyramid.conv",
        ("enc", "aux_skip"): f"down.{level - 1}.combine.conv",
        ("dec", "aux_norm"): f"up.{level}.pyramid_norm" if pyramid else "norm_out",
        ("dec", "aux_conv"): f"up.{level}.pyramid_conv" if pyramid else "conv_out",
    }.get((side, kind))


def _sizes(tensors: Tensors, size: int) -> list[int]:
    """Return the resolutions of the encoder, largest first."""
    sizes = []
    while size and f"enc.{size}x{size}_block0.conv0.weight" in tensors:
        sizes.append(size)
        size //= 2
    return sizes


def _taps(tensors: Tensors, fused: bool) -> tuple[float, ...] | None:
    """Return the taps of the resampling filter.

    The box filter of two taps is the 2x2 mean, written None, unless it is fused with a convolution.
    """
    filters = [tensor for name, tensor in tensors.items() if name.endswith(".resample_filter")]
    if not filters:
        return None
    row = filters[0].reshape(filters[0].shape[-2:]).sum(axis=0)
    taps = tuple(float(tap) for tap in np.round(row / row.min(), 6))
    return None if taps == (1.0, 1.0) and not fused else taps


def _any(tensors: Tensors, text: str) -> bool:
    return any(text in name for name in tensors)
