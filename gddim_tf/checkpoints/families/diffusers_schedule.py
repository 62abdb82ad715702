"""The schedules of noise that the schedulers of diffusers describe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def betas(config: Mapping[str, Any]) -> np.ndarray:
    """The table of a scheduler, or DDPM's if there is none, `[T]`.

    Args:
        config: the contents of `scheduler_config.json`.

    Raises:
        ValueError: if the schedule is unknown, or is not one of a network that predicts the noise.
    """
    if config.get("prediction_type", "epsilon") != "epsilon":
        raise ValueError(
            "`prediction_type` of the scheduler must be epsilon, received "
            f"{config['prediction_type']!r}"
        )
    if config.get("rescale_betas_zero_snr"):
        raise ValueError(
            "`rescale_betas_zero_snr` of the scheduler must be false, received true: its last beta "
            "is 1"
        )
    if config.get("trained_betas") is not None:
        return np.asarray(config["trained_betas"], np.float64)
    steps = config.get("num_train_timesteps", 1000)
    start, end = config.get("beta_start", 1e-4), config.get("beta_end", 0.02)
    schedule = config.get("beta_schedule", "linear")
    if schedule == "linear":
        return np.linspace(start, end, steps)
    if schedule == "scaled_linear":
        return np.linspace(start**0.5, end**0.5, steps) ** 2
    if schedule == "squaredcos_cap_v2":
        u = np.linspace(0, 1, steps + 1)
        alpha = np.cos((u + 0.008) / 1.008 * np.pi / 2) ** 2
        return np.minimum(1 - alpha[1:] / alpha[:-1], 0.999)
    raise ValueError(
        "`beta_schedule` of the scheduler must be linear, scaled_linear or squaredcos_cap_v2, "
        f"received {schedule!r}"
    )
