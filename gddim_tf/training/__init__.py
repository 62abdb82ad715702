"""Training: the Keras model, checkpoints that survive a kill, recipes by name, several devices."""

from gddim_tf.models.averaging_adam import AveragingAdam
from gddim_tf.training.checkpoint import Checkpoint
from gddim_tf.training.recipe import Recipe
from gddim_tf.training.recipes import RECIPES, named_recipe
from gddim_tf.training.run import train
from gddim_tf.training.strategies import strategy

__all__ = [
    "RECIPES",
    "AveragingAdam",
    "Checkpoint",
    "Recipe",
    "named_recipe",
    "strategy",
    "train",
]
__dir__ = __all__.copy  # what editors complete
