"""Linear measurements of an image, and what is known of it from one."""

from gddim_tf.models.operators.family import Blur, Downsample, Grey, Mask
from gddim_tf.models.operators.linear_operator import LinearOperator
from gddim_tf.models.operators.own import Linear

__all__ = ["Blur", "Downsample", "Grey", "Linear", "LinearOperator", "Mask"]
__dir__ = __all__.copy  # what editors complete
