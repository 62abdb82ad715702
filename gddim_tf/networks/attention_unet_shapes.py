"""The hyperparameters of an `AttentionUNet`, and the shapes of its weights."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from gddim_tf.image_size import ImageSize, compact, sides
from gddim_tf.networks.architecture_checks import FromOptions

Shapes = dict[str, tuple[int, ...]]


@dataclasses.dataclass(frozen=True)
class AttentionArchitecture(FromOptions):
    """Everything that decides the weights of an `AttentionUNet`.

    Args:
      image_size: pixels a side, or (height, width), both divisible by `2 ** (levels - 1)`.
      channels: channels of one image.
      base_channels: width of the time embedding's waves; its dense layers are 4 times as wide.
      widths: channels after the first convolution and after each level.
      full_attention: of each level, whether its attention is full or linear.
      heads: of the attention in each level; the middle has those of the last.
      head_channels: of one head in each level.
      memory: learned keys and values of each attention.
      dropout: rate inside the residual blocks.

    Raises:
      ValueError: if a value is out of its range or two values contradict each other.

    Examples:
      >>> AttentionArchitecture(8, 1, 4, (4, 4, 8), (False, True), (2, 2), (4, 4)).levels
      2
    """

    image_size: ImageSize
    channels: int
    base_channels: int
    widths: tuple[int, ...]
    full_attention: tuple[bool, ...]
    heads: tuple[int, ...]
    head_channels: tuple[int, ...]
    memory: int = 4
    dropout: float = 0.0

    network: ClassVar[str] = "AttentionUNet"
    centered: ClassVar[bool] = True
    embedding: ClassVar[str] = "positional"

    def __post_init__(self) -> None:
        for name in ("widths", "full_attention", "heads", "head_channels"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        object.__setattr__(self, "image_size", compact(self.image_size))
        for name in ("full_attention", "heads", "head_channels"):
            if len(getattr(self, name)) != self.levels or not self.levels:
                raise ValueError(
                    f"`{name}` must have one value for each of {self.levels} levels, received "
                    f"{getattr(self, name)}"
                )
        numbers = (self.channels, *self.widths, *self.heads, *self.head_channels)
        if min(numbers) < 1 or self.memory < 0 or self.base_channels < 4:
            raise ValueError(f"every width must be positive, received {self}")
        if any(side % self.factor for side in sides(self.image_size)):
            raise ValueError(
                f"`image_size` must be divisible by {self.factor} for {self.levels} levels, "
                f"received {self.image_size}"
            )

    @property
    def components(self) -> int:
        """One: images alone."""
        return 1

    @property
    def num_classes(self) -> int:
        """0, since the network takes no labels."""
        return 0

    @property
    def in_channels(self) -> int:
        """Channels of the input."""
        return self.channels

    @property
    def out_channels(self) -> int:
        """Channels of the output."""
        return self.channels

    @property
    def levels(self) -> int:
        """Number of levels, one more than there are changes of resolution."""
        return len(self.widths) - 1

    @property
    def blocks_per_level(self) -> int:
        """Residual blocks of a level on the way down."""
        return 2

    @property
    def factor(self) -> int:
        """By how much the lowest level is smaller than the image."""
        return 2 ** (self.levels - 1)

    def is_full(self, level: int) -> bool:
        """Whether the attention of a level is full; the middle, which counts as one more, is."""
        return level == self.levels or self.full_attention[level]

    def heads_of(self, level: int) -> int:
        """The heads of a level or of the middle."""
        return self.heads[min(level, self.levels - 1)]

    def inner_of(self, level: int) -> int:
        """Channels of all heads of a level together."""
        return self.heads_of(level) * self.head_channels[min(level, self.levels - 1)]


def attention_weight_shapes(arch: AttentionArchitecture) -> Shapes:
    """Return what `AttentionUNet.named_weights` will hold, as shapes by name."""
    wide = 4 * arch.base_channels
    shapes = {
        **_affine("init_conv", 7, arch.channels, arch.widths[0]),
        **_dense("time_mlp.1", arch.base_channels, wide),
        **_dense("time_mlp.3", wide, wide),
    }
    for level, (before, after) in enumerate(zip(arch.widths[:-1], arch.widths[1:], strict=True)):
        for block in range(2):
            shapes |= _block(f"downs.{level}.{block}", before, before, wide)
        shapes |= _attention(f"downs.{level}.2", before, arch, level)
        shapes |= _affine(f"downs.{level}.3", 3 if level + 1 == arch.levels else 2, before, after)
        up = f"ups.{arch.levels - 1 - level}"
        for block in range(2):
            shapes |= _block(f"{up}.{block}", before + after, after, wide)
        shapes |= _attention(f"{up}.2", after, arch, level)
        shapes |= _affine(f"{up}.3", 3, after, before)
    last = arch.widths[-1]
    for name in ("mid_block1", "mid_block2"):
        shapes |= _block(name, last, last, wide)
    shapes |= _attention("mid_attn", last, arch, arch.levels)
    shapes |= _block("final_res_block", 2 * arch.widths[0], arch.widths[0], wide)
    return shapes | _affine("final_conv", 1, arch.widths[0], arch.channels)


def _block(place: str, width: int, out: int, wide: int) -> Shapes:
    shapes = {
        **_dense(f"{place}.mlp.1", wide, 2 * out),
        **_affine(f"{place}.block1.proj", 3, width, out),
        f"{place}.block1.norm.scale": (out,),
        **_affine(f"{place}.block2.proj", 3, out, out),
        f"{place}.block2.norm.scale": (out,),
    }
    return shapes if width == out else shapes | _affine(f"{place}.res_conv", 1, width, out)


def _attention(place: str, width: int, arch: AttentionArchitecture, level: int) -> Shapes:
    inner, heads = arch.inner_of(level), arch.heads_of(level)
    shapes = {
        f"{place}.norm.scale": (width,),
        f"{place}.to_qkv.kernel": (1, 1, width, 3 * inner),
        f"{place}.memory": (2, heads, arch.memory, inner // heads),
        **_affine(f"{place}.to_out", 1, inner, width),
    }
    return shapes if arch.is_full(level) else shapes | {f"{place}.out_norm.scale": (width,)}


def _affine(place: str, taps: int, width: int, out: int) -> Shapes:
    return {f"{place}.kernel": (taps, taps, width, out), f"{place}.bias": (out,)}


def _dense(place: str, width: int, out: int) -> Shapes:
    return {f"{place}.kernel": (width, out), f"{place}.bias": (out,)}
