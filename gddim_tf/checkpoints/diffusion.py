"""The diffusion that published weights were trained on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gddim_tf.checkpoints.imported import Imported
from gddim_tf.checkpoints.score_sde import flatten
from gddim_tf.sdes import BDM, CLD, VESDE, VPSDE, DiscreteVPSDE, LinearSDE

# Our names of constants, and those of score_sde, gDDIM and CLD-SGM.
_CONSTANTS = {
    VPSDE: {"beta_min": ("beta_min",), "beta_max": ("beta_max",)},
    VESDE: {"sigma_min": ("sigma_min",), "sigma_max": ("sigma_max",)},
    CLD: {
        "beta_0": ("beta_0", "beta0"),
        "beta_1": ("beta_1", "beta1"),
        "gamma": ("vv_gamma", "gamma"),
        "initial_eps": ("numerical_eps",),
    },
    BDM: {"sigma_blur": ("sigma_blur_max",)},
}
_NAMES = (None, "vpsde", "vesde", "cld")


def diffusion(imported: Imported, path: Path, preset: str | None) -> LinearSDE:
    """The diffusion that a format stands for, with the constants of its configuration.

    Args:
      imported: the network and its configuration.
      path: where it was read; the scheduler of a diffusers pipeline is looked up there.
      preset: the name of the network's preset, if it took the place of a configuration.

    Raises:
      ValueError: if the configuration does not tell, or tells of another diffusion than there is.
    """
    convention, network = imported.time_convention, imported.network
    if convention == "index":
        return DiscreteVPSDE(_betas(path if imported.source == "diffusers" else None))
    if convention == "c_noise":
        return VESDE.karras()
    config = flatten(imported.config)
    if config.get("sde") not in _NAMES:
        raise ValueError(
            f"the setting `sde` must be vpsde, vesde or cld unless `sde` is given, received "
            f"{config['sde']!r}"
        )
    if convention == "sigma":
        return VESDE(**_given(VESDE, config))
    if convention == "t" or network.components == 2:
        langevin = _given(CLD, config)
        if config.get("m_inv") is not None:
            langevin["mass"] = 1 / float(config["m_inv"])
        if convention == "t":
            # CLD-SGM adds 1e-9 to its covariance, here once at the start
            langevin = {"initial_eps": 1e-9, "time_scale": 1.0, **langevin}
        return CLD(**langevin)
    if "sigma_blur_max" in config or "_bdm_" in (preset or ""):
        return BDM(network.image_size, **_given(BDM, config))
    if preset is None and "sde" not in config:
        raise ValueError(
            '`sde` must be given where the configuration does not tell the diffusion: "vp", or '
            '"bdm" for a blurring network'
        )
    return VPSDE(**_given(VPSDE, config))


def _given(kind: type[LinearSDE], config: Mapping[str, Any]) -> dict[str, float]:
    """The constants of a diffusion that a configuration holds."""
    return {
        ours: float(config[name])
        for ours, theirs in _CONSTANTS[kind].items()
        for name in theirs
        if config.get(name) is not None
    }


def _betas(path: Path | None) -> np.ndarray:
    """The table of a diffusers scheduler beside the network or its folder, or DDPM's."""
    config: dict[str, Any] = {}
    if path is not None:
        folder = path if path.is_dir() else path.parent
        for file in (
            folder / "scheduler_config.json",
            folder.parent / "scheduler" / "scheduler_config.json",
        ):
            if file.exists():
                config = json.loads(file.read_text(encoding="utf-8"))
                break
    if config.get("prediction_type", "epsilon") != "epsilon":
        raise ValueError(
            f"`prediction_type` of {file} must be epsilon, received {config['prediction_type']!r}"
        )
    if config.get("rescale_betas_zero_snr"):
        raise ValueError(
            f"`rescale_betas_zero_snr` of {file} must be false, received true: its last beta is 1"
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
    raise ValueError(f"`beta_schedule` of {file} must be known, received {schedule!r}")
