"""The sources of published weights, each an object that knows its own files."""

from gddim_tf.checkpoints.families.cld_sgm import CLDSGM
from gddim_tf.checkpoints.families.diffusers import Diffusers
from gddim_tf.checkpoints.families.edm import EDM
from gddim_tf.checkpoints.families.ermongroup import Ermongroup
from gddim_tf.checkpoints.families.family import Checkpoint, Family, Meaning
from gddim_tf.checkpoints.families.score_sde_flax import ScoreSDEFlax
from gddim_tf.checkpoints.families.score_sde_torch import ScoreSDETorch

# The first that recognises a file reads it.
FAMILIES: tuple[Family, ...] = (
    Diffusers(),
    Ermongroup(),
    EDM(),
    ScoreSDETorch(),
    CLDSGM(),
    ScoreSDEFlax(),
)

__all__ = ["FAMILIES", "Checkpoint", "Family", "Meaning"]
