"""DEIS: exponential integrators with eps as a polynomial in t or in rho."""

from __future__ import annotations

import dataclasses

import numpy as np

from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.methods.gddim import GDDIM
from gddim_tf.samplers.methods.rho_rk import RhoRK
from gddim_tf.samplers.table import Table
from gddim_tf.sdes import LinearSDE

_VARIABLES = {"tab": "t", "rho_ab": "rho", "sqrt_t_ab": "sqrt_t", "log_rho_ab": "log_rho"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class DEIS(Sampler):
    """Diffusion exponential integrator sampler, under the names of its paper.

    tAB and rhoAB are Adams-Bashforth methods, that is `GDDIM(order, variable="t" or "rho")`;
    rhoRK is `RhoRK(method)`. Order 0 is DDIM. DEIS (Zhang and Chen, 2023), sections 3 and 4.

    Args:
      order: how many earlier outputs tAB and rhoAB use, 0 to 3 in the paper; None for 3. Not for
        "rho_rk", whose order is that of its method.
      variant: "tab" or "rho_ab" (published), "sqrt_t_ab" or "log_rho_ab" (the same in another
        variable), or "rho_rk".
      method: the Runge-Kutta method of "rho_rk", see `RhoRK`; None for "3kutta". Not for others.
      start: "ramp" or "single_step", see `GDDIM`.
      grid: time grid.

    Raises:
      ValueError: if an argument is unknown or out of range.

    Examples:
      >>> from gddim_tf.sdes import VPSDE
      >>> DEIS(variant="rho_ab", order=3).table(VPSDE(), nfe=10).history
      4
    """

    order: int | None = None
    variant: str = "tab"
    method: str | None = None
    start: str = "ramp"

    def __post_init__(self) -> None:
        if self.variant not in (*_VARIABLES, "rho_rk"):
            raise ValueError(
                f"`variant` must be one of {[*_VARIABLES, 'rho_rk']}, received {self.variant!r}"
            )
        unused = {"order": None, "start": "ramp"} if self.variant == "rho_rk" else {"method": None}
        for name, default in unused.items():
            if getattr(self, name) != default:
                raise ValueError(
                    f'`{name}` plays no part in variant "{self.variant}" and must not be given, '
                    f"received {getattr(self, name)!r}"
                )
        self._sampler()

    def _sampler(self) -> GDDIM | RhoRK:
        if self.variant == "rho_rk":
            return RhoRK(method=self.method or "3kutta", grid=self.grid)
        variable = _VARIABLES[self.variant]
        order = 3 if self.order is None else self.order
        return GDDIM(order=order, variable=variable, start=self.start, grid=self.grid)

    def steps_of(self, nfe: int) -> int:
        """See `Sampler.steps_of`."""
        return self._sampler().steps_of(nfe)

    def times(self, sde: LinearSDE, steps: int) -> np.ndarray:
        """See `Sampler.times`."""
        return self._sampler().times(sde, steps)

    def fill(self, sde: LinearSDE, times: np.ndarray) -> Table:
        """The rows on a grid `[steps + 1]`."""
        return self._sampler().fill(sde, times)
