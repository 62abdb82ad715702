"""The covariance of Gaussian data, taken exactly through every stochastic table: no sampling."""

import dataclasses

import numpy as np
import pytest

from gddim_tf.samplers import Ancestral, Restart
from tests.samplers.cases import ALL_SDES, IMPOSSIBLE, SAMPLERS, budget
from tests.samplers.linear_data import end_covariance, gaussian, gaussian_covariance, per_pixel

STOCHASTIC = {
    name: SAMPLERS[name]
    for name in (
        *("gddim_lam", "gddim_lam_1", "ddim_eta", "euler_maruyama", "ancestral", "sscs"),
        *("sde_dpm_2", "sde_dpm_3", "sa_2", "sa_3", "er_sde", "restart"),
    )
}
STOCHASTIC["ancestral_large"] = Ancestral(variance="large")
# EDM's noise of 1.003 times what belongs there is an inflation on purpose
STOCHASTIC["churn"] = dataclasses.replace(SAMPLERS["churn"], noise=1.0)


def cases():
    """Every run of the tests takes those of one diffusion with one component and one with two."""
    for name in ALL_SDES:
        for sampler in STOCHASTIC:
            if (name, sampler) not in IMPOSSIBLE:
                quick = name == "vp" or (name == "cld" and sampler not in ("gddim_lam", "sa_2"))
                yield pytest.param(name, sampler, marks=[] if quick else [pytest.mark.slow])


def error(sde, sampler, least):
    """That of the covariance at the end, relative to the largest of the exact one."""
    if isinstance(sampler, Restart):  # whose returns have to be refined as well
        sampler = dataclasses.replace(sampler, steps=least // 8)
    data = np.diag([0.25] + [0.0] * (sde.components - 1))
    start, expected = (gaussian_covariance(sde, data, t) for t in (sde.t_max, sde.t_min))
    table = sampler.table(sde, budget(sampler, least, sde))
    found = end_covariance(table, sde, gaussian(sde, data), start)
    return np.abs(found - per_pixel(sde, expected)).max() / np.abs(expected).max()


@pytest.mark.parametrize(("name", "sampler"), cases())
def test_the_covariance_is_exact_in_the_limit(name, sampler):
    """Twice the evaluations leave at most 0.62 of the error, until nothing is left of it."""
    sde, method = ALL_SDES[name], STOCHASTIC[sampler]
    fewer = {1: 80, 2: 40, 3: 160}[sde.components]  # accelerations oscillate faster
    last = error(sde, method, 2 * fewer)
    assert last < 2e-3 or last < 0.62 * error(sde, method, fewer)
