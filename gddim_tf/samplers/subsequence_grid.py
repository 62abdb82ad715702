"""Grids of whole training steps, as the published samplers of discrete schedules take them."""

from __future__ import annotations

import dataclasses

import numpy as np

from gddim_tf.choice import one_of_few
from gddim_tf.samplers.grids import check_grid
from gddim_tf.sdes import LinearSDE


@dataclasses.dataclass(frozen=True)
class SubsequenceGrid:
    """Sub-sequences of the training steps of a discrete schedule, ending at the data (t = 0).

    Index j of the literature is the time j + 1 here. "uniform": every (T // N)-th index from 0, as
    DDIM and diffusers' leading spacing do, so that sampling starts below T; "trailing": N indices
    that end at T - 1; "linspace": even points from 0 to T - 1; "quadratic":
    `floor(linspace(0, sqrt(0.8 T), N)^2)`, DDIM's choice for CIFAR-10, whose first indices coincide
    for many steps. A step from an index to itself changes nothing and is left out, so that there
    are fewer. DDIM (Song et al., 2021), appendix D.2.

    With the further arguments these are the lists of diffusers' schedulers, by their settings
    `timestep_spacing` ("leading" is "uniform" here), `steps_offset` and `final_sigmas_type` (or
    `set_alpha_to_one`).

    Args:
      kind: "uniform", "trailing", "linspace" or "quadratic".
      offset: added to the indices of "uniform"; Stable Diffusion has 1.
      spare: how many points more than steps "uniform" and "linspace" have, of which the ones next
        to the data are not used; 1 in diffusers' DPM-Solver, UniPC and DEIS.
      rounded: whether the points of "linspace" are whole, as everywhere but in Euler and Heun.
      end: "data", or "first" to end where the first index is, with the noise that it has.

    Raises:
      ValueError: if the kind or the end is unknown, or a number negative.

    Examples:
      >>> from gddim_tf.sdes import VPSDE
      >>> SubsequenceGrid("trailing")(VPSDE.from_betas(np.linspace(1e-4, 0.02, 1000)), 4)
      array([1000.,  750.,  500.,  250.,    0.])
    """

    kind: str = "uniform"
    offset: int = 0
    spare: int = 0
    rounded: bool = True
    end: str = "data"

    def __post_init__(self) -> None:
        one_of_few("kind", self.kind, "uniform", "trailing", "linspace", "quadratic")
        one_of_few("end", self.end, "data", "first")
        for name in ("offset", "spare"):
            if getattr(self, name) < 0:
                raise ValueError(f"`{name}` must be at least 0, received {getattr(self, name)}")

    def __call__(self, sde: LinearSDE, steps: int) -> np.ndarray:
        """Times `[steps + 1]`, or fewer.

        Raises:
          ValueError: if there are fewer training steps, or the offset leads beyond the last.
        """
        total = round(sde.t_max)
        points = steps + self.spare
        if total != sde.t_max or total < points:
            raise ValueError(
                f"a {self.kind} sub-sequence of {points} steps needs a discrete schedule of at "
                f"least as many steps, received t_max = {sde.t_max}"
            )
        index = np.unique(self._indices(total, steps))
        if index[-1] > total - 1:
            raise ValueError(
                f"`offset` must keep the indices of {steps} steps below {total}, received "
                f"{self.offset}, which leads to {index[-1]:g}"
            )
        end = 0.0 if self.end == "data" else 1.0
        times = np.append(index[::-1] + 1.0, end)
        return check_grid(times[:-1] if times[-2] == end else times)

    def _indices(self, total: int, steps: int) -> np.ndarray:
        points = steps + self.spare
        if self.kind == "uniform":
            return np.arange(self.spare, points) * (total // points) + self.offset
        if self.kind == "trailing":
            return np.round(total - np.arange(steps) * (total / steps)) - 1
        if self.kind == "quadratic":
            return np.floor(np.linspace(0, np.sqrt(0.8 * total), steps) ** 2)
        index = np.linspace(0, total - 1, points)[self.spare :]
        return np.round(index) if self.rounded else index
