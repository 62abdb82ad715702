"""The hyperparameters of a score network, checked once and immutable."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from gddim_tf.image_size import ImageSize, compact, sides
from gddim_tf.networks.architecture_checks import FromOptions, check

_SEQUENCES = (
    *("channel_multipliers", "attention_resolutions", "fir_kernel"),
    *("resampling", "up_resampling"),
)


@dataclasses.dataclass(frozen=True)
class Architecture(FromOptions):
    """Everything that decides the layers of a `ScoreUNet`.

    The family contains the U-Net of DDPM (Ho et al. 2020, appendix B) and the DDPM++ and NCSN++
    networks of score-based SDEs (Song et al. 2021, section H); the defaults are DDPM's.

    Args:
      image_size: pixels a side, or (height, width), both divisible by `patch_size * 2 ** (levels -
        1)`.
      channels: channels of one image.
      components: state components per pixel (1 for VP, VE and blurring diffusions, 2 for Langevin
        diffusions, whose input is the image followed by its velocity).
      out_channels: channels of the output; None means `components * channels`.
      patch_size: side of the squares of pixels that the layers see as one pixel of `patch_size **
        2` times the channels (space to depth at the input, depth to space at the output); the
        features at full resolution are then smaller by this factor, and the convolutions cost its
        square less.
      base_channels: width of the first convolution; the time embedding is 4 times as wide.
      channel_multipliers: width of each resolution level in units of `base_channels`.
      blocks_per_level: residual blocks of a level on the way down (one more on the way up).
      attention_resolutions: sizes of the features (of the shorter side) at which residual blocks
        are followed by attention; the largest is `image_size / patch_size`.
      up_attention: on the way up, attention after "every" block of such a level (DDPM) or only
        after the "last" one (DDPM++, NCSN++, EDM).
      head_channels: channels of one head of attention; None means a single head.
      middle: between the ways, "attention" between two blocks, only the "blocks", or "none".
      middle_groups: groups of the normalization before the middle attention; None means those of
        the others, 0 none at all.
      num_classes: number of class labels; 0 builds a network without label weights.
      label_place: where the embedding of a class is added to that of the time: at the "output" of
        its two dense layers, or at their "input" (EDM).
      dropout: dropout rate inside the residual blocks.
      activation: inside the residual blocks, "silu", "gelu", "relu" or "mish".
      time_scale_shift: whether the time embedding scales and shifts the normalized features of a
        residual block, or is added before their normalization.
      embedding: of the time label, "positional" (sinusoidal) or "fourier" (random frequencies).
      embedding_channels: width of the time embedding; None means `4 * base_channels`.
      frequency_shift: of the sinusoidal frequencies 10000^(-i / (n - shift)), i = 0 ... n - 1.
      cosine_first: whether cosines come before sines.
      fourier_scale: standard deviation of the Fourier frequencies.
      log_label: whether the Fourier embedding takes the logarithm of the label first.
      resampling: between levels, a "layer" of its own (DDPM) or inside a residual "block" (BigGAN,
        as in DDPM++ and NCSN++); one of these, or one for each step down.
      up_resampling: the same for the way up, by the level above; None means as on the way down.
      resample_shortcut: whether the shortcut of a resampling block is always a convolution.
      downsample_padding: zeros of a strided convolution of three taps on the side "after" the image
        only (DDPM) or "around" it.
      resampling_conv: whether a resampling layer holds a 3x3 convolution.
      fir_kernel: taps of the resampling filter; None means 2x2 mean and nearest neighbour.
      skip_rescale: whether residual sums are divided by sqrt(2).
      input_pyramid: "none"; "skip" combines the downsampled input into each level; "residual"
        carries a strided convolution of it, summed with the features.
      output_pyramid: "none"; "skip" sums the outputs of all levels; "residual" carries features.
      pyramid_combine: how "skip" inputs are combined with the features, "sum" or "cat".
      norm_groups: groups of every normalization; None means `min(channels // 4, 32)`.
      norm_epsilon: added to the variances that normalization divides by.
      centered: whether images arrive in [-1, 1]; if not, they are in [0, 1] and are centred here.
      scale_by_sigma: whether the output is divided by the label (variance-exploding networks, whose
        label is sigma).

    Raises:
      ValueError: if a value is out of its range or two values contradict each other.

    Examples:
      >>> Architecture(image_size=8, channels=1, base_channels=8).levels
      4
    """

    network: ClassVar[str] = "ScoreUNet"

    image_size: ImageSize
    channels: int
    components: int = 1
    out_channels: int | None = None
    patch_size: int = 1
    base_channels: int = 128
    channel_multipliers: tuple[float, ...] = (1, 2, 2, 2)
    blocks_per_level: int = 2
    attention_resolutions: tuple[int, ...] = (16,)
    up_attention: str = "every"
    head_channels: int | None = None
    middle: str = "attention"
    middle_groups: int | None = None
    num_classes: int = 0
    label_place: str = "output"
    dropout: float = 0.0
    activation: str = "silu"
    time_scale_shift: bool = False
    embedding: str = "positional"
    embedding_channels: int | None = None
    frequency_shift: float = 1.0
    cosine_first: bool = False
    fourier_scale: float = 16.0
    log_label: bool = True
    resampling: str | tuple[str, ...] = "layer"
    up_resampling: str | tuple[str, ...] | None = None
    resample_shortcut: bool = True
    downsample_padding: str = "after"
    resampling_conv: bool = True
    fir_kernel: tuple[float, ...] | None = None
    skip_rescale: bool = False
    input_pyramid: str = "none"
    output_pyramid: str = "none"
    pyramid_combine: str = "sum"
    norm_groups: int | None = None
    norm_epsilon: float = 1e-6
    centered: bool = True
    scale_by_sigma: bool = False

    def __post_init__(self) -> None:
        for name in _SEQUENCES:
            if not isinstance(getattr(self, name), str | None):
                object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.out_channels is None:
            object.__setattr__(self, "out_channels", self.components * self.channels)
        object.__setattr__(self, "image_size", compact(self.image_size))
        check(self)

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
        """The shorter side of the features at the first level."""
        return min(sides(self.image_size)) // self.patch_size

    @property
    def patch_in_channels(self) -> int:
        """Channels that the first convolution sees: those of a patch of the input."""
        return self.in_channels * self.patch_size**2

    @property
    def patch_out_channels(self) -> int:
        """Channels that the last convolution gives: those of a patch of the output."""
        return (self.out_channels or self.in_channels) * self.patch_size**2

    @property
    def embedding_width(self) -> int:
        """Channels of the time embedding that each residual block receives."""
        return self.embedding_channels or 4 * self.base_channels

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

    def resampling_between(self, level: int, direction: str) -> str:
        """Return "layer" or "block" for the step between a level and the one below.

        Args:
          level: the upper of the two.
          direction: "down" or "up".
        """
        kinds = self.resampling
        if direction == "up" and self.up_resampling is not None:
            kinds = self.up_resampling
        return kinds if isinstance(kinds, str) else kinds[level]
