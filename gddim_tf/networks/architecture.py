"""The hyperparameters of a score network, checked once and immutable."""

from __future__ import annotations

import dataclasses
import numbers
from typing import Any

_CHOICES = {
    "embedding": ("positional", "fourier"),
    "resampling": ("layer", "block"),
    "up_attention": ("every", "last"),
    "input_pyramid": ("none", "skip", "residual"),
    "output_pyramid": ("none", "skip", "residual"),
    "pyramid_combine": ("sum", "cat"),
}
_COUNTS = {
    "image_size": 1,
    "channels": 1,
    "components": 1,
    "patch_size": 1,
    "out_channels": 1,
    "base_channels": 4,
    "blocks_per_level": 1,
    "norm_groups": 1,
    "num_classes": 0,
}


@dataclasses.dataclass(frozen=True)
class Architecture:
    """Everything that decides the layers of a `ScoreUNet`.

    The family contains the U-Net of DDPM (Ho et al. 2020, appendix B) and the DDPM++ and NCSN++
    networks of score-based SDEs (Song et al. 2021, section H); the defaults are DDPM's.

    Args:
        image_size: height and width of the images, divisible by `patch_size * 2 ** (levels - 1)`.
        channels: channels of one image.
        components: state components per pixel (1 for VP, VE and blurring diffusions, 2 for
            Langevin diffusions, whose input is the image followed by its velocity).
        out_channels: channels of the output; None means `components * channels`.
        patch_size: side of the squares of pixels that the layers see as one pixel of
            `patch_size ** 2` times the channels (space to depth at the input, depth to space at
            the output); the features at full resolution are then smaller by this factor, and the
            convolutions cost its square less.
        base_channels: width of the first convolution; the time embedding is 4 times as wide.
        channel_multipliers: width of each resolution level in units of `base_channels`.
        blocks_per_level: residual blocks of a level on the way down (one more on the way up).
        attention_resolutions: sizes of the features at which residual blocks are followed by
            attention; the largest is `image_size / patch_size`.
        up_attention: on the way up, attention after "every" block of such a level (DDPM) or only
            after the "last" one (DDPM++, NCSN++, EDM).
        num_classes: number of class labels; 0 builds a network without label weights.
        dropout: dropout rate inside the residual blocks.
        embedding: of the time label, "positional" (sinusoidal) or "fourier" (random frequencies).
        fourier_scale: standard deviation of the Fourier frequencies.
        log_label: whether the Fourier embedding takes the logarithm of the label first.
        resampling: between levels, a "layer" of its own (DDPM) or inside a residual "block"
            (BigGAN, as in DDPM++ and NCSN++).
        resampling_conv: whether a resampling layer holds a 3x3 convolution.
        fir_kernel: taps of the resampling filter; None means 2x2 mean and nearest neighbour.
        skip_rescale: whether residual sums are divided by sqrt(2).
        input_pyramid: "none"; "skip" combines the downsampled input into each level; "residual"
            carries a strided convolution of it, summed with the features.
        output_pyramid: "none"; "skip" sums the outputs of all levels; "residual" carries features.
        pyramid_combine: how "skip" inputs are combined with the features, "sum" or "cat".
        norm_groups: groups of every normalization; None means `min(channels // 4, 32)`.
        centered: whether images arrive in [-1, 1]; if not, they are in [0, 1] and are centred here.
        scale_by_sigma: whether the output is divided by the label (variance-exploding networks,
            whose label is sigma).

    Raises:
        ValueError: if a value is out of its range or two values contradict each other.
    """

    image_size: int
    channels: int
    components: int = 1
    out_channels: int | None = None
    patch_size: int = 1
    base_channels: int = 128
    channel_multipliers: tuple[float, ...] = (1, 2, 2, 2)
    blocks_per_level: int = 2
    attention_resolutions: tuple[int, ...] = (16,)
    up_attention: str = "every"
    num_classes: int = 0
    dropout: float = 0.0
    embedding: str = "positional"
    fourier_scale: float = 16.0
    log_label: bool = True
    resampling: str = "layer"
    resampling_conv: bool = True
    fir_kernel: tuple[float, ...] | None = None
    skip_rescale: bool = False
    input_pyramid: str = "none"
    output_pyramid: str = "none"
    pyramid_combine: str = "sum"
    norm_groups: int | None = None
    centered: bool = True
    scale_by_sigma: bool = False

    def __post_init__(self) -> None:
        for name in ("channel_multipliers", "attention_resolutions", "fir_kernel"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.out_channels is None:
            object.__setattr__(self, "out_channels", self.components * self.channels)
        self._check_ranges()
        self._check_combinations()

    @classmethod
    def from_options(cls, options: dict[str, Any]) -> Architecture:
        """Build from keyword arguments, naming the unknown ones.

        Raises:
            TypeError: if an option is not a field of the architecture.
            ValueError: if a value is not allowed.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        unknown = sorted(set(options) - set(names))
        if unknown:
            raise TypeError(f"unknown options {unknown}; the options of ScoreUNet are {names}")
        return cls(**options)

    @property
    def levels(self) -> int:
        """Number of resolution levels."""
        return len(self.channel_multipliers)

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of the features at each level, full resolution first."""
        return tuple(round(self.base_channels * m) for m in self.channel_multipliers)

    @property
    def in_channels(self) -> int:
        """Channels of the input, all components together."""
        return self.components * self.channels

    @property
    def feature_size(self) -> int:
        """Height and width of the features at the first level."""
        return self.image_size // self.patch_size

    @property
    def patch_in_channels(self) -> int:
        """Channels that the first convolution sees: those of a patch of the input."""
        return self.in_channels * self.patch_size**2

    @property
    def patch_out_channels(self) -> int:
        """Channels that the last convolution gives: those of a patch of the output."""
        return self.out_channels * self.patch_size**2

    @property
    def embedding_width(self) -> int:
        """Channels of the time embedding that each residual block receives."""
        return 4 * self.base_channels

    def groups(self, channels: int) -> int:
        """Return the number of normalization groups of a layer with so many channels.

        Raises:
            ValueError: if the channels cannot be divided into that many groups.
        """
        groups = self.norm_groups or min(channels // 4, 32)
        if channels % groups:
            raise ValueError(
                f"`norm_groups`: {channels} channels cannot be divided into {groups} groups; "
                "choose `base_channels` and `channel_multipliers` accordingly"
            )
        return groups

    def has_attention(self, level: int) -> bool:
        """Whether the blocks of this level are followed by attention."""
        return self.feature_size >> level in self.attention_resolutions

    def _check_ranges(self) -> None:
        for name, least in _COUNTS.items():
            value = getattr(self, name)
            if name == "norm_groups" and value is None:
                continue
            if not isinstance(value, numbers.Integral) or value < least:
                raise ValueError(
                    f"`{name}` must be an integer of at least {least}, received {value!r}"
                )
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f"`{name}` must be one of {list(allowed)}, received {getattr(self, name)!r}"
                )
        if not self.widths or min(self.widths) < 4:
            raise ValueError(
                "`channel_multipliers` must hold at least one level and give at least 4 channels "
                f"everywhere, received {self.channel_multipliers}"
            )
        if not 0 <= self.dropout < 1:
            raise ValueError(f"`dropout` must be in [0, 1), received {self.dropout}")
        if self.fir_kernel is not None and len(self.fir_kernel) < 2:
            raise ValueError(f"`fir_kernel` must hold at least 2 taps, received {self.fir_kernel}")

    def _check_combinations(self) -> None:
        factor = self.patch_size * 2 ** (self.levels - 1)
        if self.image_size % factor:
            patches = f" of patches of {self.patch_size}" if self.patch_size > 1 else ""
            raise ValueError(
                f"`image_size` must be divisible by {factor} for {self.levels} levels{patches}, "
                f"received {self.image_size}"
            )
        if self.scale_by_sigma and self.embedding != "fourier":
            raise ValueError(
                "`scale_by_sigma` divides by the label and needs a network whose label is sigma: "
                f"`embedding` must be 'fourier', received {self.embedding!r}"
            )
