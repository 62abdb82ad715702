"""The configuration of score_sde, gDDIM and CLD-SGM as arguments of our network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
      config: the source's own configuration, nested or flat.
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
