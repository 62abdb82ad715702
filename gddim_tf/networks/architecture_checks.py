"""What an architecture refuses: values out of range, and values that contradict each other."""

from __future__ import annotations

import dataclasses
import numbers
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from gddim_tf.image_size import sides

if TYPE_CHECKING:
    from gddim_tf.networks.architecture import Architecture

_CHOICES = {
    "embedding": ("positional", "fourier"),
    "activation": ("silu", "gelu", "relu", "mish"),
    "middle": ("attention", "blocks", "none"),
    "label_place": ("output", "input"),
    "downsample_padding": ("after", "around"),
    "up_attention": ("every", "last"),
    "input_pyramid": ("none", "skip", "residual"),
    "output_pyramid": ("none", "skip", "residual"),
    "pyramid_combine": ("sum", "cat"),
}
_OPTIONAL = ("norm_groups", "middle_groups", "head_channels", "embedding_channels")
_RESAMPLING = ("layer", "block")
_COUNTS = {
    "channels": 1,
    "components": 1,
    "patch_size": 1,
    "out_channels": 1,
    "base_channels": 4,
    "blocks_per_level": 1,
    "norm_groups": 1,
    "middle_groups": 0,
    "head_channels": 1,
    "embedding_channels": 1,
    "num_classes": 0,
}


class FromOptions:
    """An architecture, a dataclass, that is built from keyword arguments of its network."""

    network: ClassVar[str]

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        """Build from keyword arguments, naming the unknown ones.

        Args:
          options: the arguments.

        Raises:
          TypeError: if an option is not a field of the architecture.
          ValueError: if a value is not allowed.
        """
        fields = dataclasses.fields(cls)  # pyright: ignore[reportArgumentType]  # it is a dataclass
        names = [field.name for field in fields]
        unknown = sorted(set(options) - set(names))
        if unknown:
            raise TypeError(f"unknown options {unknown}; the options of {cls.network} are {names}")
        return cls(**options)


def check(architecture: Architecture) -> None:
    """Check all options of an architecture.

    Raises:
      ValueError: naming the first that is wrong.
    """
    _check_counts(architecture)
    _check_choices(architecture)
    _check_ranges(architecture)
    _check_sizes(architecture)
    _check_resampling(architecture)


def _check_counts(arch: Architecture) -> None:
    for name, least in _COUNTS.items():
        value = getattr(arch, name)
        if name in _OPTIONAL and value is None:
            continue
        whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
        if not whole or value < least:
            raise ValueError(f"`{name}` must be an integer of at least {least}, received {value!r}")


def _check_choices(arch: Architecture) -> None:
    for name, allowed in _CHOICES.items():
        if getattr(arch, name) not in allowed:
            raise ValueError(
                f"`{name}` must be one of {list(allowed)}, received {getattr(arch, name)!r}"
            )


def _check_ranges(arch: Architecture) -> None:
    if not arch.widths or min(arch.widths) < 4:
        raise ValueError(
            "`channel_multipliers` must hold at least one level and give at least 4 channels "
            f"everywhere, received {arch.channel_multipliers}"
        )
    if not 0 <= arch.dropout < 1:
        raise ValueError(f"`dropout` must be in [0, 1), received {arch.dropout}")
    if not arch.norm_epsilon > 0:
        raise ValueError(f"`norm_epsilon` must be positive, received {arch.norm_epsilon}")
    if arch.fir_kernel is not None and len(arch.fir_kernel) < 2:
        raise ValueError(f"`fir_kernel` must hold at least 2 taps, received {arch.fir_kernel}")
    if arch.scale_by_sigma and arch.embedding != "fourier":
        raise ValueError(
            "`scale_by_sigma` divides by the label and needs a network whose label is sigma: "
            f"`embedding` must be 'fourier', received {arch.embedding!r}"
        )
    if arch.frequency_shift >= arch.base_channels // 2:
        raise ValueError(
            "`frequency_shift` must be below the number of frequencies, "
            f"{arch.base_channels // 2}, received {arch.frequency_shift}"
        )


def _check_sizes(arch: Architecture) -> None:
    factor = arch.patch_size * 2 ** (arch.levels - 1)
    if any(side % factor for side in sides(arch.image_size)):
        patches = f" of patches of {arch.patch_size}" if arch.patch_size > 1 else ""
        raise ValueError(
            f"`image_size` must be divisible by {factor} for {arch.levels} levels{patches}, "
            f"received {arch.image_size}"
        )
    attending = [width for n, width in enumerate(arch.widths) if arch.has_attention(n)]
    if arch.middle == "attention":
        attending.append(arch.widths[-1])
    if arch.head_channels and any(width % arch.head_channels for width in attending):
        raise ValueError(
            f"`head_channels` must divide the channels of every attention, {attending}, received "
            f"{arch.head_channels}"
        )


def _check_resampling(arch: Architecture) -> None:
    for name in ("resampling", "up_resampling"):
        kinds = getattr(arch, name)
        if kinds is None and name == "up_resampling":
            continue
        each = kinds if isinstance(kinds, tuple) else (kinds,)
        if isinstance(kinds, tuple) and len(each) != arch.levels - 1:
            raise ValueError(
                f"`{name}` must be one word, or one for each of {arch.levels - 1} steps between "
                f"levels, received {kinds!r}"
            )
        if any(kind not in _RESAMPLING for kind in each):
            raise ValueError(f"`{name}` must be one of {list(_RESAMPLING)}, received {kinds!r}")
