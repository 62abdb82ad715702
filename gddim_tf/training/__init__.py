"""Training: the Keras model, checkpoints that survive a kill, recipes by name."""

from gddim_tf.training.checkpoint import Checkpoint
from gddim_tf.training.diffusion_model import DiffusionModel
from gddim_tf.training.files import load, save
from gddim_tf.training.recipe import Recipe, train

__all__ = ["Checkpoint", "DiffusionModel", "Recipe", "load", "save", "train"]
