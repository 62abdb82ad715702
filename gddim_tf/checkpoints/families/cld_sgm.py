"""Weights of CLD-SGM (Dockhorn et al. 2022): score_sde's PyTorch names, a flat configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gddim_tf.checkpoints.families.family import Checkpoint, Meaning
from gddim_tf.checkpoints.families.score_sde import langevin
from gddim_tf.checkpoints.families.score_sde_torch import ScoreSDETorch
from gddim_tf.checkpoints.families.torch_names import Tensors
from gddim_tf.networks import Architecture
from gddim_tf.sdes import LinearSDE


class CLDSGM(ScoreSDETorch):
    """The networks of CLD-SGM, which are told the time itself."""

    name = "cld_sgm"

    def recognises(self, tensors: Tensors, config: Mapping[str, Any]) -> bool:
        """Whether names and configuration are this family's."""
        return "n_channels" in config and super().recognises(tensors, {})

    def meaning(self, checkpoint: Checkpoint) -> Meaning:
        """Langevin networks predict the noise of the velocity alone, score_v = -eps_v / L_vv.

        "velocity_mixed" adds the score -v / Sigma_vv of the prior to it.
        """
        if checkpoint.config.get("sde", "cld") != "cld":
            return Meaning("t", "eps")
        mixed = checkpoint.config.get("mixed_score")
        return Meaning("t", "velocity_mixed" if mixed else "velocity")

    def diffusion(self, checkpoint: Checkpoint, architecture: Architecture) -> LinearSDE:
        """The Langevin diffusion, whose covariance the source adds 1e-9 to, here at the start."""
        if checkpoint.config.get("sde", "cld") != "cld":
            raise ValueError(
                "the setting `sde` of CLD-SGM must be cld unless `sde` is given, received "
                f"{checkpoint.config['sde']!r}"
            )
        return langevin(checkpoint.config, initial_eps=1e-9, time_scale=1.0)
