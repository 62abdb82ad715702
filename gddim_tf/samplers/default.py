"""The sampler to take when nothing speaks for another one."""

from __future__ import annotations

from gddim_tf.samplers.base import Sampler, check_nfe
from gddim_tf.samplers.grids import PowerGrid, VPTimeGrid
from gddim_tf.samplers.methods.gddim import GDDIM
from gddim_tf.sdes import LinearSDE

# Numbers of evaluations between which a low predictor with a high corrector is best for one
# component; fewer leave the corrector nothing to stand on.
_CORRECTED = range(6, 13)

# From this many evaluations on a fourth order pays: on blurring diffusions, and on those with
# velocities, where with fewer it is unstable in many dimensions.
_MANY_BLURRED, _MANY_LANGEVIN = 24, 40


def default(sde: LinearSDE, nfe: int) -> Sampler:
    """A deterministic multistep sampler for a diffusion and a budget.

    The rule, found on mixtures of Gaussians (`scripts/accuracy.py` shows its errors beside those of
    the published samplers; the tests compare it with gDDIM on CLD in 1, 4 and 32 dimensions):

    - One matrix per mode (a blur): order 3, from 24 evaluations on 4, in sqrt(t), on the quadratic
      grid; the blur is a function of t that the noise level does not tell.
    - Several components (velocities): order 3, from 40 evaluations on 4, in the root of the VP time
      (`VPTimeGrid`), on a grid that is dense near the data, where the root R turns.
    - One component: order 4 in the root of the VP time, except from 6 to 12 evaluations, for which
      a predictor of order 1 is freely corrected at order 3, on a grid that is dense where modes
      part.

    Args:
      sde: any linear diffusion.
      nfe: the budget of network evaluations, at least 1.

    Returns:
      A sampler that spends any budget.
    """
    nfe = check_nfe(nfe)
    if sde.modes:
        order = 3 if nfe < _MANY_BLURRED else 4
        return GDDIM(order=order, variable="sqrt_t", grid=PowerGrid(2.0))
    if sde.components > 1:
        if nfe < _MANY_LANGEVIN:
            return GDDIM(order=3, variable="sqrt_vp_time", grid=VPTimeGrid(2.0, 1.0))
        return GDDIM(order=4, variable="sqrt_vp_time", grid=VPTimeGrid(3.0, 2.0))
    if nfe in _CORRECTED:
        return GDDIM(
            order=1,
            corrector="free",
            corrector_order=3,
            variable="sqrt_vp_time",
            grid=VPTimeGrid(2.25, 2.0),
        )
    return GDDIM(order=4, variable="sqrt_vp_time", grid=VPTimeGrid(2.0, 1.0))
