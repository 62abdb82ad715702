"""Tables fitted to a model."""

from gddim_tf.samplers.tuning.tune import tune
from gddim_tf.samplers.tuning.tuned import Tuned

__all__ = ["Tuned", "tune"]
