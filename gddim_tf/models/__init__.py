"""Models: whatever knows eps, and what can be drawn from it."""

from gddim_tf.models.diffusion_model import DiffusionModel
from gddim_tf.models.generative_model import GenerativeModel

__all__ = ["DiffusionModel", "GenerativeModel"]
