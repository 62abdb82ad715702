"""The schedules of noise that the schedulers of diffusers describe, and what is predicted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gddim_tf.checkpoints.families.family import Meaning
from gddim_tf.sdes import VESDE, DiscreteVPSDE, LinearSDE, RectifiedFlow, zero_snr_betas

_MAX_STEPS = 1_000_000

# What a scheduler calls the prediction, what DiffusionModel does, and the sign between them.
_PREDICTIONS = {"epsilon": ("eps", 1.0), "sample": ("x0", 1.0), "v_prediction": ("v", -1.0)}


def meaning(scheduler: Mapping[str, Any], config: Mapping[str, Any]) -> Meaning:
    """The time label and the prediction of a network.

    Args:
      scheduler: the contents of `scheduler_config.json`, {} if there is none.
      config: those of the network's `config.json`.

    Raises:
      ValueError: if the prediction is unknown.
    """
    if _exploding(config):
        return Meaning("sigma", "score")
    if _flows(scheduler):
        return Meaning("index", "flow")
    return Meaning("index", _prediction(scheduler)[0])


def output_sign(scheduler: Mapping[str, Any]) -> float:
    """What the network's output is multiplied by: v is our own "v" with its sign turned."""
    return 1.0 if _flows(scheduler) else _prediction(scheduler)[1]


def diffusion(scheduler: Mapping[str, Any], config: Mapping[str, Any]) -> LinearSDE:
    """The diffusion of a scheduler, from the same two configurations as its `meaning`."""
    if _exploding(config):
        if not scheduler:
            return VESDE()
        return VESDE(
            float(scheduler.get("sigma_min", 0.01)), float(scheduler.get("sigma_max", 1348.0))
        )
    return _flow(scheduler) if _flows(scheduler) else DiscreteVPSDE(betas(scheduler).tolist())


def betas(config: Mapping[str, Any]) -> np.ndarray:
    """The table of a scheduler, or DDPM's if there is none, `[T]`.

    Args:
      config: the contents of `scheduler_config.json`.

    Raises:
      ValueError: if the schedule is unknown.
    """
    table = _table(config)
    return zero_snr_betas(table) if config.get("rescale_betas_zero_snr") else table


def _table(config: Mapping[str, Any]) -> np.ndarray:
    """The table before it is rescaled."""
    if "_class_name" in config and not {"beta_schedule", "trained_betas"} & set(config):
        raise ValueError(
            "the scheduler must have betas or be one of flow matching, received "
            f"{config['_class_name']}"
        )
    if config.get("trained_betas") is not None:
        return np.array([_number("trained_betas", beta) for beta in config["trained_betas"]])
    steps = _steps(config)
    start, end = (
        _number(name, config.get(name, usual))
        for name, usual in (("beta_start", 1e-4), ("beta_end", 0.02))
    )
    schedule = config.get("beta_schedule", "linear")
    if schedule == "linear":
        return np.linspace(start, end, steps)
    if schedule == "scaled_linear":
        return np.linspace(start**0.5, end**0.5, steps) ** 2
    if schedule == "sigmoid":
        return start + (end - start) / (1 + np.exp(-np.linspace(-6, 6, steps)))
    if schedule == "squaredcos_cap_v2":
        u = np.linspace(0, 1, steps + 1)
        alpha = np.cos((u + 0.008) / 1.008 * np.pi / 2) ** 2
        return np.minimum(1 - alpha[1:] / alpha[:-1], 0.999)
    raise ValueError(
        "`beta_schedule` of the scheduler must be linear, scaled_linear, squaredcos_cap_v2 or "
        f"sigmoid, received {schedule!r}"
    )


def _steps(config: Mapping[str, Any]) -> int:
    """The number of training steps, which the table is as long as."""
    steps = config.get("num_train_timesteps", 1000)
    if not isinstance(steps, int) or not 1 <= steps <= _MAX_STEPS:
        raise ValueError(
            f"`num_train_timesteps` of the scheduler must be an integer from 1 to {_MAX_STEPS}, "
            f"received {steps!r}"
        )
    return steps


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"`{name}` of the scheduler must be a number, received {value!r}")
    return float(value)


def _flows(scheduler: Mapping[str, Any]) -> bool:
    """Whether a scheduler is one of flow matching, whose networks predict the velocity."""
    named = str(scheduler.get("_class_name", "")).startswith("FlowMatch")
    return named or scheduler.get("prediction_type") == "flow_prediction"


def _flow(scheduler: Mapping[str, Any]) -> RectifiedFlow:
    """The straight line of a scheduler of flow matching, down to its first training step."""
    if scheduler.get("use_dynamic_shifting"):
        raise ValueError(
            "`use_dynamic_shifting` of the scheduler must be false: the shift would depend on the "
            "size of the images"
        )
    steps = _steps(scheduler)
    shift = _number("shift", scheduler.get("shift", scheduler.get("flow_shift", 1.0)))
    return RectifiedFlow(shift, t_min=0.0, t_earliest=1 / steps, time_scale=steps)


def _exploding(config: Mapping[str, Any]) -> bool:
    """Whether the network is told sigma, which those with a Fourier embedding are."""
    return config.get("time_embedding_type") == "fourier"


def _prediction(scheduler: Mapping[str, Any]) -> tuple[str, float]:
    kind = scheduler.get("prediction_type") or "epsilon"
    if kind not in _PREDICTIONS:
        raise ValueError(
            f"`prediction_type` of the scheduler must be {', '.join(_PREDICTIONS)}, received "
            f"{kind!r}"
        )
    return _PREDICTIONS[kind]
