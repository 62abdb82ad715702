"""Score networks: Keras layers and the U-Net family built from them."""

from gddim_tf.networks.architecture import Architecture
from gddim_tf.networks.attention import Attention
from gddim_tf.networks.attention_unet import AttentionUNet
from gddim_tf.networks.attention_unet_shapes import AttentionArchitecture
from gddim_tf.networks.blocks import Combine, ResidualBlock
from gddim_tf.networks.embeddings import FourierEmbedding, positional_embedding
from gddim_tf.networks.layout import Part, layout
from gddim_tf.networks.normalization import GroupNorm
from gddim_tf.networks.presets import PRESETS
from gddim_tf.networks.resampling import Downsample, Upsample, downsample, fir_filter, upsample
from gddim_tf.networks.score_unet import ScoreUNet
from gddim_tf.networks.shapes import weight_shapes
from gddim_tf.networks.unit_range import UnitRange

__all__ = [
    "PRESETS",
    "Architecture",
    "Attention",
    "AttentionArchitecture",
    "AttentionUNet",
    "Combine",
    "Downsample",
    "FourierEmbedding",
    "GroupNorm",
    "Part",
    "ResidualBlock",
    "ScoreUNet",
    "UnitRange",
    "Upsample",
    "downsample",
    "fir_filter",
    "layout",
    "positional_embedding",
    "upsample",
    "weight_shapes",
]
__dir__ = __all__.copy  # what editors complete
