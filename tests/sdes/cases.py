"""Every diffusion on which the identities of the theory are tested."""

import functools

import keras
import numpy as np

from gddim_tf.numerics.dct import dct, inverse_dct, laplacian_modes
from gddim_tf.sdes import (
    BDM,
    CLD,
    HOLD,
    PSLD,
    VESDE,
    VPSDE,
    CosineVPSDE,
    DiscreteVPSDE,
    NumericalSDE,
    RectifiedFlow,
    zero_snr_betas,
)


@keras.saving.register_keras_serializable(package="gddim_tf_tests")
class BlurredLangevin(NumericalSDE):
    """CLD whose frequencies also decay by heat diffusion: two components and modes at once."""

    def __init__(self, image_size):
        self.image_size = image_size
        eigenvalues, mode_index = laplacian_modes(image_size)
        langevin = CLD()

        def drift(t):
            heat = 0.5 * eigenvalues * np.sin(0.5 * np.pi * t)[:, None] ** 3
            return langevin.drift(t)[:, None] - heat[..., None, None] * np.eye(2)

        super().__init__(
            drift,
            langevin.diffusion(0.0),
            langevin.covariance(0.0),
            modes=eigenvalues.shape,
            mode_index=mode_index,
        )

    def to_pixels(self, state):
        return inverse_dct(state, self.image_size)

    def from_pixels(self, values):
        return dct(values, self.image_size)

    def get_config(self):
        return {"image_size": self.image_size}


@keras.saving.register_keras_serializable(package="gddim_tf_tests")
def third_order_drift(t):
    """Position, velocity, acceleration, coupled ever more strongly."""
    coupling = [[0.0, 1.0, 0.0], [-1.0, 0.0, 1.5], [0.0, -1.5, -3.0]]
    return (1.0 + t)[:, None, None] * np.array(coupling)


def third_order_langevin():
    return NumericalSDE(
        third_order_drift,
        np.diag([0.0, 0.0, 2.0]),
        np.diag([1e-3, 0.1, 0.1]),
    )


@functools.cache
def sde(name):
    """One instance for the whole test session: a numerical one is solved once."""
    return _MAKERS[name]()


_MAKERS = {
    "vp": VPSDE,
    "cosine": CosineVPSDE,
    "discrete": lambda: DiscreteVPSDE(np.linspace(1e-4, 0.02, 1000)),
    "ve": VESDE,
    "karras": VESDE.karras,
    "cld": CLD,
    "cld_slope": lambda: CLD(beta_0=0.5, beta_1=8.0),
    "cld_heavy": lambda: CLD(mass=4.0, beta_0=6.0, gamma=1.0),
    "cld_no_eps": lambda: CLD(initial_eps=0.0),
    "cld_at_rest": lambda: CLD(gamma=0.0, initial_eps=1e-3),
    "flow": RectifiedFlow,
    "flow_shift": lambda: RectifiedFlow(shift=3.0),
    "vp_zero_snr": lambda: VPSDE(zero_snr=True),
    "discrete_zero_snr": lambda: DiscreteVPSDE(zero_snr_betas(np.linspace(1e-4, 0.02, 1000))),
    "psld": PSLD,
    "psld_noisy": lambda: PSLD(beta=5.0, position_noise=1.0, momentum_noise=3.0, gamma=1.0),
    "hold": HOLD,
    "bdm": lambda: BDM(6),
    "bdm_odd": lambda: BDM(5, sigma_blur=20.0),
    "blurred_langevin": lambda: BlurredLangevin(4),
    "third_order": third_order_langevin,
}

NAMES = sorted(_MAKERS)
MATRIX_NAMES = [name for name in NAMES if name.startswith("cld")] + [
    "blurred_langevin",
    "hold",
    "psld",
    "third_order",
]


def times(sde):
    """Times inside the interval, away from the kinks of a discrete schedule."""
    if isinstance(sde, DiscreteVPSDE):
        return np.array([0.5, 3.4, 100.5, 600.5, 950.5])
    return np.array([3e-3, 0.02, 0.11, 0.4, 0.83]) * sde.t_max


def derivative(function, t):
    """`d function / dt`, by a central difference of order 8."""
    steps, weights = np.arange(1, 5), np.array([4 / 5, -1 / 5, 4 / 105, -1 / 280])
    h = np.minimum(4e-3 * t, 0.1)
    differences = np.stack([function(t + n * h) - function(t - n * h) for n in steps])
    total = np.tensordot(weights, differences, axes=(0, 0))
    return total / h.reshape(-1, *(1,) * (total.ndim - 1))


def relative_error(value, reference):
    """The largest difference, over the size of the matrix that it belongs to."""
    size = np.maximum(np.abs(reference).max(axis=(-1, -2)), 1e-300)
    return (np.abs(value - reference).max(axis=(-1, -2)) / size).max()
