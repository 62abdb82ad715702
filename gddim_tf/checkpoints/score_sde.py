"""What the files of score_sde, CLD-SGM and gDDIM share: configuration, and names inside a layer.

Both frameworks number the layers of the network in the order of construction, which is the order
of `layout`: the PyTorch files count all layers, the Flax files count each class for itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gddim_tf.networks import Part

Leaves = Callable[[str, str, np.ndarray], tuple[str, np.ndarray] | None]

_REQUIRED = {
    "name": "ncsnpp",
    "nonlinearity": "swish",
    "normalization": "GroupNorm",
    "attention_type": "ddpm",
    "conv_size": 3,
    "conditional": True,
}
_SYNONYMS = {
    "nf": "n_channels",
    "num_res_blocks": "n_resblocks",
    "fir": "use_fir",
    "image_channels": "num_channels",
    "centered": "center_image",
}
_PYRAMIDS = {
    "none": "none",
    "input_skip": "skip",
    "output_skip": "skip",
    "residual": "residual",
}
_INSIDE = {
    "block": {
        "GroupNorm_0": "norm1",
        "Conv_0": "conv1",
        "Dense_0": "temb_proj",
        "GroupNorm_1": "norm2",
        "Conv_1": "conv2",
        "Conv_2": "shortcut",
        "NIN_0": "shortcut",
    },
    "attention": {
        "GroupNorm_0": "norm",
        "NIN_0": "query",
        "NIN_1": "key",
        "NIN_2": "value",
        "NIN_3": "proj",
    },
    "downsample": {"Conv_0": "conv", "Conv2d_0": "conv"},
    "upsample": {"Conv_0": "conv", "Conv2d_0": "conv"},
    "combine": {"Conv_0": "conv"},
}


def flatten(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return one table with score_sde's names.

    Args:
        config: score_sde's sections "model", "data" and "training", or CLD-SGM's flat table.
    """
    flat = dict(config)
    for section in ("training", "data", "model"):
        flat |= config.get(section, {})
    for ours, theirs in _SYNONYMS.items():
        if ours not in flat and theirs in flat:
            flat[ours] = flat[theirs]
    return flat


def options(config: Mapping[str, Any], in_channels: int, out_channels: int) -> dict[str, Any]:
    """Return the arguments of `ScoreUNet`.

    Args:
        config: as for `flatten`.
        in_channels: channels of the network's input.
        out_channels: channels of its output.

    Raises:
        ValueError: if a setting is missing or asks for something that the network does not do.
    """
    flat = flatten(config)
    for name, value in _REQUIRED.items():
        if flat.get(name, value) != value:
            raise ValueError(f"the setting `{name}` must be {value!r}, received {flat[name]!r}")
    try:
        return _options(flat, in_channels, out_channels)
    except KeyError as error:
        raise ValueError(
            f"the configuration of a score_sde network must hold a valid {error.args[0]!r}; "
            "pass `config` or `preset`"
        ) from None


def channels(
    tensors: Mapping[str, np.ndarray], convolution: str, inputs: int, outputs: int
) -> tuple[int, int]:
    """Return the channels of the network's input and output: those of its first and last layer.

    Args:
        tensors: the weights by name.
        convolution: the name of a kernel, with `{i}` for the number of the layer.
        inputs: the axis of the input channels in a kernel.
        outputs: that of the output channels.

    Raises:
        ValueError: if there is no convolution.
    """
    pattern = re.escape(convolution).replace(re.escape("{i}"), r"(\d+)")
    matches = (re.fullmatch(pattern, name) for name in tensors)
    shapes = {
        int(match[1]): tensors[match[0]].shape
        for match in matches
        if match and tensors[match[0]].ndim == 4
    }
    if not shapes:
        raise ValueError(f"the checkpoint must hold convolutions `{convolution}`")
    return shapes[min(shapes)][inputs], shapes[max(shapes)][outputs]


def meaning(config: Mapping[str, Any]) -> tuple[str, str]:
    """Return the time convention and what the network predicts.

    Variance-exploding networks are told sigma and predict the score; the others are told 999 t and
    predict the noise (up to the mixed score of gDDIM, eps = network + R^-1 (0, v)).
    """
    flat = flatten(config)
    if flat.get("sde") == "vesde" or flat.get("scale_by_sigma"):
        return "sigma", "score"
    return "999t", "eps_mixed" if flat.get("mixed_score") else "eps"


def translate(
    part: Part, path: list[str], tensor: np.ndarray, leaf_of: Leaves
) -> tuple[str, np.ndarray] | None:
    """Translate one tensor of a layer.

    Args:
        part: the layer.
        path: the rest of the source's name, such as ["Conv_0", "kernel"].
        tensor: its value.
        leaf_of: translates the leaves that the frameworks write differently: from our name of the
            layer, the leaf and the tensor to our name of the weight and its value.

    Returns:
        Our name of the weight and its value, or None if the layer has no such tensor.
    """
    *inside, leaf = path
    table = _INSIDE.get(part.kind, {})
    if len(inside) != bool(table) or not set(inside) <= set(table):
        return None
    layer = ".".join([part.name, *(table[name] for name in inside)])
    if part.kind == "fourier":
        return (f"{layer}.frequencies", tensor) if leaf == "W" else None
    if leaf == "b":
        return f"{layer}.bias", tensor
    if leaf == "W":
        # A projection (in, out); as a shortcut it is our 1x1 convolution.
        return f"{layer}.kernel", tensor[None, None] if layer.endswith(".shortcut") else tensor
    return leaf_of(layer, leaf, tensor)


def _options(flat: Mapping[str, Any], in_channels: int, out_channels: int) -> dict[str, Any]:
    channels = flat["image_channels"]
    if in_channels % channels:
        raise ValueError(
            f"the network has {in_channels} input channels, which are not whole images of "
            f"{channels} channels"
        )
    return {
        "image_size": flat["image_size"],
        "channels": channels,
        "components": in_channels // channels,
        "out_channels": out_channels,
        "base_channels": flat["nf"],
        "channel_multipliers": _numbers(flat["ch_mult"]),
        "blocks_per_level": flat["num_res_blocks"],
        "attention_resolutions": _numbers(flat["attn_resolutions"]),
        "up_attention": "last",
        "dropout": flat.get("dropout", 0.0),
        "embedding": flat["embedding_type"],
        "fourier_scale": float(flat.get("fourier_scale", 16.0)),
        "resampling": {"biggan": "block", "ddpm": "layer"}[flat["resblock_type"]],
        "resampling_conv": flat.get("resamp_with_conv", True),
        "fir_kernel": _numbers(flat["fir_kernel"]) if flat["fir"] else None,
        "skip_rescale": flat["skip_rescale"],
        "input_pyramid": _PYRAMIDS[flat["progressive_input"]],
        "output_pyramid": _PYRAMIDS[flat["progressive"]],
        "pyramid_combine": flat.get("progressive_combine", "sum"),
        "centered": flat.get("centered", True),
        "scale_by_sigma": flat.get("scale_by_sigma", False),
    }


def _numbers(value: Any) -> tuple[int, ...]:
    """Return a list of numbers, which CLD-SGM writes as text."""
    return tuple(int(v) for v in (value.split(",") if isinstance(value, str) else value))
