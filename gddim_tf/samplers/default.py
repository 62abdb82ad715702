"""The sampler to take when nothing speaks for another one."""

from __future__ import annotations

from gddim_tf.samplers.base import Sampler, check_nfe
from gddim_tf.samplers.grids import PowerGrid, VPTimeGrid
from gddim_tf.samplers.methods.gddim import GDDIM
from gddim_tf.samplers.methods.unipc import UniPC
from gddim_tf.sdes import LinearSDE

# Numbers of evaluations at which UniPC is best on blurring diffusions and on those with velocities:
# with fewer its corrector has nothing to stand on, with more an order 3 is as good or better.
_FEW_BLURRED, _FEW_LANGEVIN = range(4, 16), range(4, 30)

# From this many evaluations on one more order pays.
_MANY_BLURRED, _MANY = 24, 40


def default(sde: LinearSDE, nfe: int) -> Sampler:
    """A deterministic multistep sampler for a diffusion and a budget.

    The rule, found on trained networks; `benchmarks/accuracy` shows its errors on those and on
    mixtures of Gaussians beside those of other samplers. Where the two disagree the networks
    decide: high orders, which win on the smooth score of a mixture, amplify a network's roughness.

    - One component: order 2, from 40 evaluations on 3, in the root of the VP time, on a grid
      uniform in it (`VPTimeGrid`).
    - Several components (velocities): UniPC of order 2 on that grid from 4 to 29 evaluations, else
      order 3, and from 40 on 4, in the root of the VP time; with accelerations 4 is unstable.
    - One matrix per mode (a blur): UniPC of order 2 from 4 to 15 evaluations, else order 3, and
      from 24 on 4, in sqrt(t), on the quadratic grid; the blur is a function of t that the noise
      level does not tell.

    Args:
      sde: any linear diffusion.
      nfe: the budget of network evaluations, at least 1.

    Returns:
      A sampler that spends any budget.
    """
    nfe = check_nfe(nfe)
    if sde.modes:
        if nfe in _FEW_BLURRED:
            return UniPC(order=2, grid=PowerGrid(2.0))
        return GDDIM(order=3 + (nfe >= _MANY_BLURRED), variable="sqrt_t", grid=PowerGrid(2.0))
    if sde.components > 1:
        if nfe in _FEW_LANGEVIN:
            return UniPC(order=2, grid=VPTimeGrid(2.0, 1.0))
        if nfe < _MANY or sde.components > 2:
            return GDDIM(order=3, variable="sqrt_vp_time", grid=VPTimeGrid(2.0, 1.0))
        return GDDIM(order=4, variable="sqrt_vp_time", grid=VPTimeGrid(3.0, 2.0))
    return GDDIM(order=2 + (nfe >= _MANY), variable="sqrt_vp_time", grid=VPTimeGrid(2.0, 1.0))


def low_order(sde: LinearSDE, nfe: int) -> Sampler:
    """A sampler for an eps that is rougher than a network's, because somebody changes it.

    Args:
      sde: any linear diffusion.
      nfe: the budget of network evaluations, at least 1.

    Returns:
      A sampler that spends any budget.
    """
    check_nfe(nfe)
    if sde.modes:
        return GDDIM(order=1, variable="sqrt_t", grid=PowerGrid(2.0))
    return GDDIM(order=1, variable="sqrt_vp_time", grid=VPTimeGrid(2.0, 1.0))
