"""The list of layers of a score network, in the order in which they are applied."""

from __future__ import annotations

import dataclasses

from gddim_tf.image_size import sides
from gddim_tf.networks.architecture import Architecture

_VECTOR = (0, 0)


@dataclasses.dataclass(frozen=True)
class Part:
    """One layer of the network.

    Args:
      name: place in the network, for example "down.0.block.1".
      kind: "fourier", "dense", "labels", "conv", "norm", "block", "attention", "downsample",
        "upsample" or "combine".
      size: height and width of its input ((0, 0) for vectors).
      width: channels of its input.
      out_width: channels of its output.
      resample: for a residual block, "down", "up" or None.
      has_shortcut: for a residual block, whether its shortcut is a convolution.
      groups: for attention, groups of its normalization, None for the usual ones, 0 for none.
      conv: for a resampling layer, whether it holds a convolution.
      pyramid_width: for "combine", channels of the pyramid that is combined.

    Examples:
      >>> from gddim_tf.networks import Architecture
      >>> parts = layout(Architecture(image_size=8, channels=1, base_channels=8))
      >>> [part.name for part in parts[:3]]
      ['temb.dense_0', 'temb.dense_1', 'conv_in']
    """

    name: str
    kind: str
    size: tuple[int, int]
    width: int
    out_width: int
    resample: str | None = None
    has_shortcut: bool = False
    groups: int | None = None
    conv: bool = False
    pyramid_width: int = 0

    @property
    def has_weights(self) -> bool:
        """Whether there is anything to learn in this layer."""
        return self.kind not in ("downsample", "upsample") or self.conv


def layout(architecture: Architecture) -> list[Part]:
    """Return the parts of the network in the order in which they are applied.

    The order is also that of the score_sde family, whose files number the layers instead of naming
    them: counting these parts recovers the numbers.
    """
    walk = _Walk(architecture)
    walk.embed()
    walk.encode()
    walk.middle()
    walk.decode()
    walk.finish()
    return walk.parts


class _Walk:
    """Follows the features through the network and notes each layer that they meet."""

    def __init__(self, architecture: Architecture) -> None:
        self.architecture = architecture
        self.parts: list[Part] = []
        height, width = sides(architecture.image_size)
        patch = architecture.patch_size
        self.size = (height // patch, width // patch)
        self.width = architecture.base_channels
        self.skips: list[int] = []
        self.pyramid_width = architecture.patch_in_channels

    def embed(self) -> None:
        """The time and label embedding."""
        arch = self.architecture
        features = arch.base_channels
        if arch.embedding == "fourier":
            self.parts.append(Part("temb.fourier", "fourier", _VECTOR, features, 2 * features))
            features *= 2
        for index, width in enumerate((features, arch.embedding_width)):
            self.parts.append(
                Part(f"temb.dense_{index}", "dense", _VECTOR, width, arch.embedding_width)
            )
        if arch.num_classes:
            width = features if arch.label_place == "input" else arch.embedding_width
            self.parts.append(Part("temb.labels", "labels", _VECTOR, arch.num_classes + 1, width))

    def encode(self) -> None:
        """The way down."""
        arch = self.architecture
        self.parts.append(Part("conv_in", "conv", self.size, arch.patch_in_channels, self.width))
        self.skips.append(self.width)
        for level, width in enumerate(arch.widths):
            for block in range(arch.blocks_per_level):
                self._block(f"down.{level}.block.{block}", width)
                if arch.has_attention(level):
                    self._attention(f"down.{level}.attn.{block}")
                self.skips.append(self.width)
            if level < arch.levels - 1:
                self._resample(f"down.{level}.downsample", "down", level)
                self._merge_input(level)
                self.skips.append(self.width)

    def middle(self) -> None:
        """Two blocks around attention at the lowest resolution, or less."""
        if self.architecture.middle == "none":
            return
        self._block("mid.block.0", self.width)
        if self.architecture.middle == "attention":
            self._attention("mid.attn", self.architecture.middle_groups)
        self._block("mid.block.1", self.width)

    def decode(self) -> None:
        """The way up, each block on the features and the newest remaining skip."""
        arch = self.architecture
        for level in reversed(range(arch.levels)):
            for block in range(arch.blocks_per_level + 1):
                self.width += self.skips.pop()
                self._block(f"up.{level}.block.{block}", arch.widths[level])
                last = block == arch.blocks_per_level
                if arch.has_attention(level) and (last or arch.up_attention == "every"):
                    self._attention(f"up.{level}.attn.{block}")
            self._branch_output(level)
            if level:
                self._resample(f"up.{level}.upsample", "up", level - 1)

    def finish(self) -> None:
        """The last normalization and convolution, unless the pyramid is the output."""
        if self.architecture.output_pyramid != "skip":
            self._norm_and_conv("norm_out", "conv_out", self.architecture.patch_out_channels)

    def _block(self, name: str, out_width: int, resample: str | None = None) -> None:
        resamples = resample is not None and self.architecture.resample_shortcut
        shortcut = resamples or self.width != out_width
        self.parts.append(
            Part(
                name,
                "block",
                self.size,
                self.width,
                out_width,
                resample=resample,
                has_shortcut=shortcut,
            )
        )
        self.width = out_width

    def _attention(self, name: str, groups: int | None = None) -> None:
        self.parts.append(Part(name, "attention", self.size, self.width, self.width, groups=groups))

    def _resample(self, name: str, direction: str, level: int) -> None:
        """Change the resolution between a level and the one below."""
        if self.architecture.resampling_between(level, direction) == "block":
            self._block(name, self.width, resample=direction)
        else:
            conv = self.architecture.resampling_conv
            self.parts.append(
                Part(name, f"{direction}sample", self.size, self.width, self.width, conv=conv)
            )
        self.size = _resized(self.size, 0.5 if direction == "down" else 2.0)

    def _merge_input(self, level: int) -> None:
        """Downsample the input pyramid and bring it into the features."""
        arch = self.architecture
        if arch.input_pyramid == "none":
            return
        residual = arch.input_pyramid == "residual"
        out_width = self.width if residual else self.pyramid_width
        name, size = f"down.{level}.input_pyramid", _resized(self.size, 2.0)
        self.parts.append(
            Part(name, "downsample", size, self.pyramid_width, out_width, conv=residual)
        )
        self.pyramid_width = out_width
        if not residual:
            out_width = 2 * self.width if arch.pyramid_combine == "cat" else self.width
            name, pyramid = f"down.{level}.combine", self.pyramid_width
            self.parts.append(
                Part(name, "combine", self.size, self.width, out_width, pyramid_width=pyramid)
            )
            self.width = out_width

    def _branch_output(self, level: int) -> None:
        """Bring the features of this level into the output pyramid."""
        arch = self.architecture
        if arch.output_pyramid == "none":
            return
        deepest = level == arch.levels - 1
        residual = arch.output_pyramid == "residual"
        out_width = self.width if residual else arch.patch_out_channels
        if not deepest:
            name, size = f"up.{level}.pyramid_upsample", _resized(self.size, 0.5)
            self.parts.append(
                Part(name, "upsample", size, self.pyramid_width, out_width, conv=residual)
            )
        if deepest or not residual:
            self._norm_and_conv(f"up.{level}.pyramid_norm", f"up.{level}.pyramid_conv", out_width)
        self.pyramid_width = out_width

    def _norm_and_conv(self, norm: str, conv: str, out_width: int) -> None:
        self.parts.append(Part(norm, "norm", self.size, self.width, self.width))
        self.parts.append(Part(conv, "conv", self.size, self.width, out_width))


def _resized(size: tuple[int, int], factor: float) -> tuple[int, int]:
    return int(factor * size[0]), int(factor * size[1])
