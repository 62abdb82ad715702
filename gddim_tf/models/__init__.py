"""Models: whatever knows eps, what can be drawn from it, and where it is kept."""

from gddim_tf.models.diffusion_model import DiffusionModel
from gddim_tf.models.generative_model import GenerativeModel
from gddim_tf.models.opening import load, save
from gddim_tf.models.served_model import ServedModel

__all__ = ["DiffusionModel", "GenerativeModel", "ServedModel", "load", "save"]
__dir__ = __all__.copy  # what editors complete
