"""Third-order Langevin diffusion: position, velocity and acceleration."""

from __future__ import annotations

import keras
import numpy as np

from gddim_tf.sdes.langevin import CriticallyDamped


@keras.saving.register_keras_serializable(package="gddim_tf")
class HOLD(CriticallyDamped):
    """Position, velocity and acceleration per pixel; the noise enters the last and is damped twice.

    `F = beta [[0, p, 0], [-p, 0, q], [0, -q, -3]]` and `G G^T = beta diag(0, 0, 6)` with
    `p = 1 / sqrt(3)` and `q = sqrt(8 / 3)`, for which `F` has the single eigenvalue `-beta`:
    critical damping. The standard normal is stationary. In units of p these are the constants
    `gamma = 2 sqrt(2)` and `xi = 3 sqrt(3)` of the paper on critical damping.
    Higher-order Langevin diffusions (Shi and Liu, 2024); critically damped third-order Langevin
    dynamics (Sterling and Bugallo, 2025); at every order arXiv 2506.21741.

    Args:
      beta: the rate.
      gamma: variance of the initial velocity and acceleration.
      initial_eps: variance added to all components at t = 0, see `CLD`.
      t_min: where sampling ends.
      t_max: where sampling starts.

    Raises:
      ValueError: if a constant is not positive (gamma may be 0).

    Examples:
      >>> HOLD().components  # position, velocity, acceleration
      3
    """

    def __init__(
        self,
        beta: float = 10.0,
        gamma: float = 0.04,
        initial_eps: float = 1e-6,
        t_min: float = 1e-3,
        t_max: float = 1.0,
    ) -> None:
        p, q = 3**-0.5, (8 / 3) ** 0.5
        super().__init__(
            beta,
            drift=np.array([[0.0, p, 0.0], [-p, 0.0, q], [0.0, -q, -3.0]]),
            noise=np.array([0.0, 0.0, 6.0]),
            stationary=np.ones(3),
            gamma=gamma,
            initial_eps=initial_eps,
            t_min=t_min,
            t_max=t_max,
        )
