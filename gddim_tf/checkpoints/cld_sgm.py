"""Weights of CLD-SGM (Dockhorn et al. 2022): score_sde's PyTorch names, a flat configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gddim_tf.checkpoints import score_sde_torch
from gddim_tf.checkpoints.score_sde_torch import options, weights
from gddim_tf.checkpoints.torch_names import Tensors

__all__ = ["meaning", "options", "recognises", "weights"]


def recognises(tensors: Tensors, config: Mapping[str, Any]) -> bool:
    """Whether names and configuration are this family's."""
    return "n_channels" in config and score_sde_torch.recognises(tensors, {})


def meaning(config: Mapping[str, Any]) -> tuple[str, str]:
    """Return the time convention and what the network predicts.

    The label is the time itself. Langevin networks predict the noise of the velocity alone,
    score_v = -eps_v / L_vv; "eps_v_mixed" adds the score -v / Sigma_vv of the prior to it.
    """
    if config.get("sde", "cld") != "cld":
        return "t", "eps"
    return "t", "eps_v_mixed" if config.get("mixed_score") else "eps_v"
