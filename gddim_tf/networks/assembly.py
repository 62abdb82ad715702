"""Keras layers for the parts of a layout."""

from __future__ import annotations

import keras

from gddim_tf.networks.architecture import Architecture
from gddim_tf.networks.attention import Attention
from gddim_tf.networks.blocks import Combine, ResidualBlock
from gddim_tf.networks.convolution import conv, dense
from gddim_tf.networks.embeddings import FourierEmbedding
from gddim_tf.networks.layer_shape import Shape
from gddim_tf.networks.layout import Part
from gddim_tf.networks.normalization import GroupNorm
from gddim_tf.networks.resampling import Downsample, Upsample


def make_layer(part: Part, arch: Architecture, policy: keras.DTypePolicy) -> keras.layers.Layer:
    """Return the unbuilt layer of a part.

    Args:
      part: what the layout asks for.
      arch: the hyperparameters of the network.
      policy: Keras dtype policy of the network; the time embedding and the layers that make the
        output are float32 under every policy.
    """
    options = {"name": part.name.replace(".", "_"), "dtype": policy}
    if _is_float32(part, arch):
        options["dtype"] = "float32"
    if part.kind == "block":
        return ResidualBlock(
            part.out_width,
            (arch.groups(part.width), arch.groups(part.out_width)),
            resample=part.resample,
            kernel=arch.fir_kernel,
            dropout=arch.dropout,
            rescale=arch.skip_rescale,
            activation=arch.activation,
            scale_shift=arch.time_scale_shift,
            resample_shortcut=arch.resample_shortcut,
            epsilon=arch.norm_epsilon,
            **options,
        )
    if part.kind == "attention":
        heads = {"head_channels": arch.head_channels, "epsilon": arch.norm_epsilon}
        groups = arch.groups(part.width) if part.groups is None else part.groups
        return Attention(groups, arch.skip_rescale, **heads, **options)
    if part.kind == "norm":
        return GroupNorm(arch.groups(part.width), arch.norm_epsilon, **options)
    if part.kind == "conv":
        # Output convolutions start at zero; those that only feed further layers do not.
        hidden = part.name == "conv_in" or arch.output_pyramid == "residual"
        scale = 1.0 if hidden and part.name != "conv_out" else 0.0
        return conv(part.out_width, 3, scale=scale, **options)
    if part.kind == "dense":
        return dense(part.out_width, **options)
    if part.kind == "fourier":
        return FourierEmbedding(part.width, arch.fourier_scale, arch.log_label, **options)
    if part.kind == "labels":
        normal = keras.initializers.RandomNormal(stddev=0.1)
        return keras.layers.Embedding(part.width, part.out_width, normal, **options)
    if part.kind == "combine":
        return Combine(arch.pyramid_combine, **options)
    filters = part.out_width if part.conv else None
    if part.kind == "downsample":
        return Downsample(filters, arch.fir_kernel, arch.downsample_padding, **options)
    return Upsample(filters, arch.fir_kernel, **options)


def _is_float32(part: Part, arch: Architecture) -> bool:
    """Whether a part stays float32 under every policy: the embedding and what makes the output."""
    makes_output = arch.output_pyramid == "skip" and part.name.startswith("up.")
    return (
        part.name.startswith("temb.")
        or part.name in ("norm_out", "conv_out")
        or (makes_output and ".pyramid_" in part.name)
    )


def input_shapes(part: Part, arch: Architecture) -> tuple[Shape, ...]:
    """Return the shapes that the layer of a part is built with."""
    features = (None, *part.size, part.width)
    if part.kind == "block":
        return features, (None, arch.embedding_width)
    if part.kind == "combine":
        return (*features[:-1], part.pyramid_width), features
    if part.kind in ("fourier", "labels"):
        return ((None,),)
    return ((None, part.width),) if part.kind == "dense" else (features,)
