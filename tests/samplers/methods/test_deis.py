import re

import numpy as np
import pytest

from gddim_tf.samplers import DEIS, GDDIM, LogSNRGrid, PowerGrid, RhoGrid, RhoRK
from gddim_tf.sdes import CLD, VPSDE
from tests.samplers import problems

GRIDS = {"t2": PowerGrid(2.0), "rho7": RhoGrid(7.0), "log1": LogSNRGrid()}
METHODS = {"3ral": "3ralston"}

ADAMS = [
    (name, key)
    for name in ("vp", "ve")
    for key in problems.golden(f"deis_{name}_traj_exactcoef")
    if "ab" in key
]
RUNGE_KUTTA = [
    (name, key)
    for name in ("vp", "ve")
    for key in problems.golden(f"deis_{name}_traj")
    if "rhork" in key
]


@pytest.mark.parametrize(("name", "key"), ADAMS)
def test_tab_and_rho_ab_trajectories(name, key):
    grid, variant, order, steps = re.fullmatch(r"(\w+?)_(tab|rhoab)(\d)_N(\d+)", key).groups()
    sampler = DEIS(
        order=int(order), variant={"rhoab": "rho_ab"}.get(variant, variant), grid=GRIDS[grid]
    )
    end = problems.scalar(name).sample(sampler, int(steps))
    expected = problems.golden(f"deis_{name}_traj_exactcoef")[key]
    np.testing.assert_allclose(end, expected, atol=1e-9)


@pytest.mark.parametrize(("name", "key"), RUNGE_KUTTA)
def test_rho_rk_trajectories(name, key):
    grid, method, steps = re.fullmatch(r"(\w+?)_rhork_(\w+)_N(\d+)", key).groups()
    sampler = DEIS(variant="rho_rk", method=METHODS.get(method, method), grid=GRIDS[grid])
    problem = problems.scalar(name)
    table = sampler.fill(problem.sde, sampler.grid(problem.sde, int(steps)))
    assert table.nfe == int(method[0]) * int(steps)
    end = problem.sample(sampler, table.nfe)
    np.testing.assert_allclose(end, problems.golden(f"deis_{name}_traj")[key], atol=1e-9)


@pytest.mark.parametrize("sde", [VPSDE(), CLD()], ids=["vp", "cld"])
def test_its_names_are_those_of_other_samplers(sde):
    pairs = [
        (DEIS(order=2), GDDIM(order=2)),
        (DEIS(order=1, variant="rho_ab"), GDDIM(order=1, variable="rho")),
        (DEIS(order=2, variant="sqrt_t_ab"), GDDIM(order=2, variable="sqrt_t")),
        (DEIS(order=3, variant="log_rho_ab"), GDDIM(order=3, variable="log_rho")),
        (DEIS(variant="rho_rk", method="4rk"), RhoRK(method="4rk")),
        (DEIS(order=3, start="single_step"), GDDIM(order=3, start="single_step")),
    ]
    for one, other in pairs:
        np.testing.assert_array_equal(
            one.table(sde, 12).prediction, other.table(sde, 12).prediction
        )


def test_errors():
    with pytest.raises(ValueError, match=r"`variant` must be one of .*received 'ab'"):
        DEIS(variant="ab")
    with pytest.raises(ValueError, match=r"`method` must be one of .*received 'heun'"):
        DEIS(variant="rho_rk", method="heun")
    with pytest.raises(ValueError, match="`order` must be a whole number of at least 0"):
        DEIS(order=-1)
    with pytest.raises(ValueError, match=r'`order` plays no part in variant "rho_rk".*received 2'):
        DEIS(order=2, variant="rho_rk")
    with pytest.raises(ValueError, match=r'`method` plays no part in variant "tab".*received'):
        DEIS(method="4rk")
    with pytest.raises(ValueError, match=r'`nfe` must be 9 or 12 for "3kutta".*received 10'):
        DEIS(variant="rho_rk").table(VPSDE(), 10)
