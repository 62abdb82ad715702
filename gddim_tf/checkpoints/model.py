"""Published weights as a model that samples: the network with the diffusion it was trained on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from gddim_tf.checkpoints.imported import Imported
from gddim_tf.checkpoints.loading import read
from gddim_tf.sdes import CLD, VESDE, DiscreteVPSDE, LinearSDE, make
from gddim_tf.training import DiffusionModel

# What each source calls its prediction, and what DiffusionModel calls it.
_PREDICTIONS = {
    "eps": "eps",
    "eps_mixed": "eps_mixed",
    "score": "score",
    "eps_v": "velocity",
    "eps_v_mixed": "velocity_mixed",
    "edm": "v",
}
_EDM_DATA_STD = 0.5


def load(path: str | Path, format: str | None = None, *, sde: Any = None, **options: Any) -> Any:
    """A `DiffusionModel` with published weights, ready to sample with any sampler.

    Args:
      path: see `read`.
      format: see `read`.
      sde: None for the one that the format stands for: DDPM's table of betas (from the scheduler's
        configuration beside a diffusers network, else linear from 1e-4 to 0.02 in 1000 steps) for
        diffusers and ermongroup; `VESDE.karras()` for EDM; for score_sde and gDDIM `VPSDE()`,
        `VESDE()` or, with two components, `CLD()`. A name of `sdes.make` or a diffusion otherwise:
        "bdm" for gDDIM's blurring networks, whose files do not tell.
      **options: further arguments of `read`.

    Returns:
      The model.

    Raises:
      FileNotFoundError: if there is no such file.
      ValueError: if the file is damaged, of an unknown or refused kind, or does not fit.
    """
    imported = read(path, format, **options)
    network = imported.network
    if isinstance(sde, str):
        sde = make(sde, network.image_size)
    if sde is None:
        sde = _diffusion(imported, Path(path))
    prediction = _PREDICTIONS[imported.parameterisation]
    data_std = _EDM_DATA_STD if imported.parameterisation == "edm" else 1.0
    return DiffusionModel(network, sde, prediction, data_std)


def _diffusion(imported: Imported, path: Path) -> LinearSDE:
    convention, components = imported.time_convention, imported.network.components
    if convention == "index":
        return DiscreteVPSDE(_betas(path))
    if convention == "c_noise":
        return VESDE.karras()
    if convention == "sigma":
        return VESDE()
    if convention == "t":
        # CLD-SGM adds 1e-9 to its covariance, here once at the start
        return CLD(initial_eps=1e-9, time_scale=1.0)
    return make("cld" if components == 2 else "vp", imported.network.image_size)


def _betas(path: Path) -> np.ndarray:
    """The table of a diffusers scheduler beside the network, or DDPM's."""
    config: dict[str, Any] = {}
    for candidate in (
        path / "scheduler_config.json",
        path.parent / "scheduler/scheduler_config.json",
    ):
        if candidate.exists():
            config = json.loads(candidate.read_text())
            break
    if config.get("prediction_type", "epsilon") != "epsilon":
        raise ValueError(
            f"`prediction_type` of {candidate} must be epsilon, received "
            f"{config['prediction_type']!r}"
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
    raise ValueError(f"`beta_schedule` of {candidate} must be known, received {schedule!r}")
