"""Importing published weights: diffusers, DDPM, EDM, score_sde, CLD-SGM and gDDIM."""

from gddim_tf.checkpoints.imported import Imported
from gddim_tf.checkpoints.loading import FORMATS, read
from gddim_tf.checkpoints.model import load

__all__ = ["FORMATS", "Imported", "load", "read"]
__dir__ = __all__.copy  # what editors complete
