"""Phase space Langevin diffusion: noise in the position and in the momentum."""

from __future__ import annotations

import keras
import numpy as np

from gddim_tf.checks import finite
from gddim_tf.sdes.langevin import CriticallyDamped


@keras.saving.register_keras_serializable(package="gddim_tf")
class PSLD(CriticallyDamped):
    """Position x and momentum m per pixel, both of them noisy, at critical damping.

    `F = beta / 2 [[-Gamma, 1/M], [-1, -nu]]`, `G G^T = beta diag(Gamma, M nu)` and
    `1 / M = (Gamma - nu)^2 / 4`; `diag(1, M)` is stationary. With `Gamma = 0` the noise is in the
    momentum alone, as in CLD. Training is by hybrid score matching, as there.
    PSLD (Pandey and Mandt, 2023), section 3; the constants are those of CIFAR-10 in its program,
    which adds 1e-9 to both variances at every time in the place of `initial_eps`.

    Args:
      beta: the rate.
      position_noise: Gamma, at least 0.
      momentum_noise: nu, above Gamma.
      gamma: variance of the initial momentum over M.
      initial_eps: variance added to both components at t = 0, see `CLD`.
      t_min: where sampling ends.
      t_max: where sampling starts.

    Raises:
      ValueError: if the constants are not so.

    Examples:
      >>> PSLD().components
      2
    """

    def __init__(
        self,
        beta: float = 8.0,
        position_noise: float = 0.01,
        momentum_noise: float = 4.01,
        gamma: float = 0.04,
        initial_eps: float = 1e-6,
        t_min: float = 1e-3,
        t_max: float = 1.0,
    ) -> None:
        finite(position_noise=position_noise, momentum_noise=momentum_noise)
        if not 0 <= position_noise < momentum_noise:
            raise ValueError(
                "`position_noise` and `momentum_noise` must satisfy 0 <= position_noise < "
                f"momentum_noise, received {position_noise} and {momentum_noise}"
            )
        self.position_noise, self.momentum_noise = float(position_noise), float(momentum_noise)
        mass = 4 / (momentum_noise - position_noise) ** 2
        super().__init__(
            beta,
            drift=0.5 * np.array([[-position_noise, 1 / mass], [-1.0, -momentum_noise]]),
            noise=np.array([position_noise, mass * momentum_noise]),
            stationary=np.array([1.0, mass]),
            gamma=gamma,
            initial_eps=initial_eps,
            t_min=t_min,
            t_max=t_max,
        )
