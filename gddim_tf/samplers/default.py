"""The sampler to take when nothing speaks for another one."""

from __future__ import annotations

from gddim_tf.samplers.base import Sampler, check_nfe
from gddim_tf.samplers.grids import PowerGrid, VPTimeGrid
from gddim_tf.samplers.methods.gddim import GDDIM
from gddim_tf.samplers.methods.pndm import IPNDM
from gddim_tf.samplers.methods.unipc import UniPC
from gddim_tf.sdes import LinearSDE

# From so many evaluations on order 3 with a corrector has enough steps to stand on, and from so
# many on order 4 pays without velocities, with which it is unstable.
_SOME, _MANY = 14, 40


def default(sde: LinearSDE, nfe: int) -> Sampler:
    """A deterministic multistep sampler for a diffusion and a budget.

    The rule was found on mixtures of Gaussians, whose smooth scores reward high orders, and on
    trained networks, whose roughness high orders amplify; `benchmarks/accuracy` shows both.

    - One component, few evaluations: iPNDM, of order 4 in the first half of the steps, where
      networks are smooth, then of order 3, on a grid uniform in the root of the VP time
      (`VPTimeGrid`).
    - Several components (velocities), few evaluations: UniPC of order 2, on a similar grid.
    - Both from 14 on: UniPC of order 3, on a grid denser near the data.
    - One component, from 40 on: order 4 in asinh(3 rho).
    - One matrix per mode (a blur): the blur is a function of t that the noise level does not tell,
      so the grids are powers of t: iPNDM of order 3, from 14 on order 2 in sqrt(t), from 40 on 4.

    On the shipped networks it is within 1.1 of the best of nine methods at 3 to 50 evaluations
    but where docs/accuracy.md names an exception: mostly on CLD's clothes, where UniPC on a
    quadratic grid has less error and on CLD's digits two to five times as much.

    Args:
      sde: any linear diffusion.
      nfe: the budget of network evaluations, at least 1.

    Returns:
      A sampler that spends any budget.
    """
    nfe = check_nfe(nfe)
    if sde.modes:
        if nfe < _SOME:
            return IPNDM(order=3, grid=PowerGrid(2.0))
        if nfe < _MANY:
            return GDDIM(order=2, variable="sqrt_t", grid=PowerGrid(1.5))
        return GDDIM(order=4, variable="sqrt_t", grid=PowerGrid(2.0))
    if nfe < _SOME and sde.components == 1:
        return IPNDM(late_order=3, grid=VPTimeGrid(2.0, 1.0))
    if nfe < _SOME:
        return UniPC(order=2, grid=VPTimeGrid(2.0, 0.8))
    if nfe < _MANY or sde.components > 1:
        return UniPC(order=3, grid=VPTimeGrid(3.0, 1.0))
    return GDDIM(order=4, variable="asinh_rho", grid=VPTimeGrid(1.75, 1.0))


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
