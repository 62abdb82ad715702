"""The sources of published weights, each an object that knows its own files."""

from gddim_tf.checkpoints.families.cld_sgm import CLDSGM
from gddim_tf.checkpoints.families.denoising_diffusion_pytorch import DenoisingDiffusionPytorch
from gddim_tf.checkpoints.families.diffusers import Diffusers
from gddim_tf.checkpoints.families.edm import EDM
from gddim_tf.checkpoints.families.ermongroup import Ermongroup
from gddim_tf.checkpoints.families.family import (
    AnyArchitecture,
    Checkpoint,
    Family,
    Meaning,
    Network,
)
from gddim_tf.checkpoints.families.score_sde_flax import ScoreSDEFlax
from gddim_tf.checkpoints.families.score_sde_torch import ScoreSDETorch

# The first that recognises a file reads it.
FAMILIES: tuple[Family, ...] = (
    Diffusers(),
    Ermongroup(),
    EDM(),
    DenoisingDiffusionPytorch(),
    ScoreSDETorch(),
    CLDSGM(),
    ScoreSDEFlax(),
)

__all__ = ["FAMILIES", "AnyArchitecture", "Checkpoint", "Family", "Meaning", "Network"]
