"""The stochastic samplers of today against k-diffusion, diffusers and exact Gaussians."""

import functools
import itertools
import json

import numpy as np
import pytest
import scipy.integrate

from gddim_tf.samplers import ERSDE, EDMChurn, ListGrid, Restart, RhoGrid, SASolver, SDEDPMSolver
from gddim_tf.samplers.methods.er_sde import noise_scale
from gddim_tf.sdes import BDM, CLD, VESDE, VPSDE, CosineVPSDE, RectifiedFlow
from tests.oracles import Mixture
from tests.samplers.linear_data import (
    end_covariance,
    gaussian,
    gaussian_covariance,
)
from tests.samplers.peers import peers
from tests.samplers.problems import golden
from tests.samplers.replay import replay

SDES = {
    "vp": VPSDE(),
    "cosine": CosineVPSDE(),
    "karras": VESDE.karras(),
    "flow": RectifiedFlow(),
    "cld": CLD(),
    "bdm": BDM(4),
}
SAMPLERS = {
    "sde_dpm_2": SDEDPMSolver(),
    "sde_dpm_3": SDEDPMSolver(order=3),
    "sa": SASolver(),
    "sa_3": SASolver(predictor_order=3, corrector_order=3, interval=(0.1, 20.0)),
    "er_sde": ERSDE(),
    "churn": EDMChurn(),
    "restart": Restart(),
}


@functools.cache
def karras():
    z = golden("deis_ve_traj")
    return Mixture(VESDE.karras(), z["gmm_w"], z["gmm_mean"], z["gmm_cov"])


def close(end, name, tolerance=1e-8):
    expected = golden("peer_samplers")[name]
    np.testing.assert_allclose(end, expected, atol=tolerance * np.abs(expected).max(), rtol=0)


@pytest.mark.parametrize(
    ("name", "sampler"),
    [
        ("k_2m_sde_midpoint", SDEDPMSolver()),
        ("k_2m_sde_heun", SDEDPMSolver(kind="heun")),
        ("k_2m_sde_half", SDEDPMSolver(lam=0.5)),
        ("k_3m_sde", SDEDPMSolver(order=3)),
        ("k_3m_sde_half", SDEDPMSolver(order=3, lam=0.5)),
    ],
)
def test_sde_dpm_solver_is_that_of_k_diffusion(name, sampler):
    z, data = golden("peer_samplers"), karras()
    times = np.append(z["sigmas"], 0.0)
    end, _ = replay(sampler.fill(data.sde, times), data.eps, z["k_start"], z["noise"])
    close(end, name)


@pytest.mark.parametrize(("name", "method"), [("k_euler_churn", "euler"), ("k_heun_churn", "heun")])
def test_churn_is_that_of_k_diffusion(name, method):
    z, data = golden("peer_samplers"), karras()
    sampler = EDMChurn(churn=8.0, low=0.05, high=50.0, noise=1.003, method=method)
    table = sampler.fill(data.sde, np.append(z["sigmas"], 0.0))
    # theirs draw before a step, the table after the one before it
    draws, stages = np.zeros((table.nfe, 8, 2)), 2 if method == "heun" else 1
    for step in range(1, len(z["sigmas"])):
        draws[stages * step - 1] = z["noise"][step]
    end, _ = replay(table, data.eps, z["k_start"], draws)
    close(end, name)


@pytest.mark.parametrize("steps", [5, 10, 20])
@pytest.mark.parametrize(
    ("name", "sampler", "last"),
    [
        ("sde_dpm_midpoint", SDEDPMSolver(), 0.0),
        ("sde_dpm_heun", SDEDPMSolver(kind="heun"), 0.0),
        ("sa_22", SASolver(), 1.0),
        ("sa_33", SASolver(predictor_order=3, corrector_order=3), 1.0),
        ("sa_13", SASolver(predictor_order=1, corrector_order=3), 1.0),
        ("sa_22_always", SASolver(tau=0.6, interval=(0.0, 1e9)), 1.0),
    ],
)
def test_against_diffusers(name, sampler, last, steps):
    z, problem = golden("peer_samplers"), peers("linear")
    if isinstance(sampler, SASolver) and sampler.tau == 1.0:
        inside = tuple(problem.sde.rho(np.array([201.0, 801.0])))  # its indices 200 to 800
        sampler = SASolver(
            predictor_order=sampler.predictor_order,
            corrector_order=sampler.corrector_order,
            interval=inside,
        )
    times = [*(z[f"{name}_N{steps}_timesteps"] + 1.0), last]
    end = problem.run(problem.table(sampler, times), z["noise"])
    close(end, f"{name}_N{steps}", 1e-11)


def er_sde(integral, variance):
    """The steps of algorithms 1 to 3 on the golden problem."""
    data, sigmas = karras(), golden("peer_samplers")["sigmas"]
    x, outputs = golden("peer_samplers")["k_start"], []
    for i, (s, t) in enumerate(itertools.pairwise(sigmas)):
        outputs.append(x - s * data.eps(x, s))
        r = noise_scale(t) / noise_scale(s)
        spread = np.sqrt(variance(t**2 - (r * s) ** 2))
        new = r * x + (1 - r) * outputs[-1] + spread * golden("peer_samplers")["noise"][i]
        if i > 0:
            slope = (outputs[-1] - outputs[-2]) / (s - sigmas[i - 1])
            weight = noise_scale(t) * integral(lambda q: 1 / noise_scale(q), t, s)
            new += (t - s + weight) * slope
        if i > 1:
            earlier = (outputs[-2] - outputs[-3]) / (sigmas[i - 1] - sigmas[i - 2])
            bend = (slope - earlier) / ((s - sigmas[i - 2]) / 2)
            weight = noise_scale(t) * integral(lambda q, s=s: (q - s) / noise_scale(q), t, s)
            new += ((t - s) ** 2 / 2 + weight) * bend
        x = new
    return x


def test_er_sde_is_the_published_formula():
    """With its integrals by adaptive quadrature."""

    def integral(function, t, s):
        return scipy.integrate.quad(function, t, s, epsabs=1e-13)[0]

    sigmas = golden("peer_samplers")["sigmas"]
    x = er_sde(integral, lambda variance: variance)
    table = ERSDE(grid=ListGrid(sigmas)).table(karras().sde, len(sigmas) - 1)
    start, noise = golden("peer_samplers")["k_start"], golden("peer_samplers")["noise"]
    end, _ = replay(table, karras().eps, start, noise)
    np.testing.assert_allclose(end, x, rtol=0, atol=1e-9 * np.abs(x).max())


def test_the_formula_of_er_sde_is_that_of_its_program():
    """Which sums a hundred rectangles for an integral, and takes variances below 1e-6 for 0."""

    def integral(function, t, s):
        return np.mean(function(t + np.arange(100) / 100 * (s - t))) * (s - t)

    expected = golden("er_sde")["end"]
    found = er_sde(integral, lambda variance: variance if variance >= 1e-6 else 0.0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9 * np.abs(expected).max())


def test_restart_is_its_algorithm():
    """Heun down, noise up, several times, in EDM's coordinates."""
    data, sigmas = karras(), np.append(golden("peer_samplers")["sigmas"], 0.0)
    sampler = Restart(low=0.3, high=2.0, repeats=2, steps=3)
    table = sampler.fill(data.sde, sigmas)
    assert table.nfe == 2 * 13 - 1 + 12
    rng = np.random.default_rng(0)
    draws = rng.standard_normal((table.nfe, 8, 2))
    end, _ = replay(table, data.eps, golden("peer_samplers")["k_start"], draws)

    def heun(x, levels):
        for s, t in itertools.pairwise(levels):
            slope = data.eps(x, s)
            y = x + (t - s) * slope
            x = y if t == 0 else x + (t - s) * (slope + data.eps(y, t)) / 2
        return x

    turn = int(np.argmin(np.abs(sigmas - 0.3)))
    low = sigmas[turn]
    x = heun(golden("peer_samplers")["k_start"], sigmas[: turn + 1])
    levels = np.linspace(2.0 ** (1 / 7), low ** (1 / 7), 4) ** 7
    for repeat in range(2):
        x = x + np.sqrt(2.0**2 - low**2) * draws[2 * turn - 1 + 6 * repeat]
        x = heun(x, levels)
    x = heun(x, sigmas[turn:])
    np.testing.assert_allclose(end, x, rtol=0, atol=1e-8 * np.abs(x).max())


@pytest.mark.parametrize("name", ["wide", "often", "short"])
def test_restart_is_that_of_its_authors(name):
    """Which draw in every step, and use only what a return begins with."""
    z, data, record = golden("peer_samplers"), karras(), golden("restart")
    points, repeats, low, high = json.loads(str(record["runs"]))[name]
    sampler = Restart(low=low, high=high, repeats=repeats, steps=points - 1)
    table = sampler.fill(data.sde, np.append(z["sigmas"], 0.0))
    turn = int(np.argmin(np.abs(z["sigmas"] - low)))
    draws = np.zeros((table.nfe, 8, 2))
    for i in range(repeats):
        draws[2 * turn - 1 + 2 * (points - 1) * i] = z["noise"][turn + points * i]
    end, _ = replay(table, data.eps, z["k_start"], draws)
    np.testing.assert_allclose(end, record[name], rtol=0, atol=1e-8 * np.abs(record[name]).max())


def filled(name, sampler, least):
    sde = SDES[name]
    for nfe in range(least, least + 40):
        try:
            return sampler.table(sde, nfe)
        except ValueError as error:
            assert "`nfe` must be" in str(error)
    raise AssertionError(f"{sampler} takes no budget from {least} on")


@pytest.mark.parametrize("name", SDES)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_diffusion_has_them(name, sampler):
    if (name, sampler) == ("cld", "er_sde"):
        with pytest.raises(ValueError, match="ERSDE needs an SDE of 1 component, received 2"):
            SAMPLERS[sampler].table(SDES[name], 5)
        return
    table = filled(name, SAMPLERS[sampler], 30)
    assert table.stochastic and table.time.max() <= SDES[name].t_max


@pytest.mark.parametrize("name", ["vp", "cld"])
@pytest.mark.parametrize("sampler", ["sde_dpm_2", "sde_dpm_3", "sa", "er_sde", "restart"])
def test_the_covariance_of_gaussian_data_tends_to_the_exact_one(name, sampler):
    if (name, sampler) == ("cld", "er_sde"):
        return
    sde = SDES[name]
    data = np.diag([0.25] + [0.0] * (sde.components - 1))
    expected = gaussian_covariance(sde, data, sde.t_min)
    errors = []
    for least in (20, 40):
        table = filled(name, SAMPLERS[sampler], least)
        start = gaussian_covariance(sde, data, sde.t_max)
        end = end_covariance(table, sde, gaussian(sde, data), start)
        errors.append(np.abs(end - expected).max())
    assert errors[1] < 0.35 * errors[0]


@pytest.mark.parametrize(
    ("cls", "arguments", "message"),
    [
        (SDEDPMSolver, {"order": 4}, "`order` must be 1, 2 or 3, received 4"),
        (SDEDPMSolver, {"lam": 0}, "`lam` must be positive, received 0"),
        (SDEDPMSolver, {"kind": "x"}, '`kind` must be "midpoint" or "heun", received \'x\''),
        (SASolver, {"predictor_order": 5}, "`predictor_order` must be 1, 2, 3 or 4, received 5"),
        (SASolver, {"tau": -1}, "`tau` must be at least 0, received -1"),
        (ERSDE, {"order": 0}, "`order` must be 1, 2 or 3, received 0"),
        (EDMChurn, {"churn": -1}, "`churn` must be at least 0, received -1"),
        (EDMChurn, {"noise": 0}, "`noise` must be positive, received 0"),
        (EDMChurn, {"method": "x"}, '`method` must be "heun" or "euler", received \'x\''),
        (Restart, {"low": 2.0}, "`low` and `high` must satisfy 0 < low < high"),
        (Restart, {"steps": 0}, "`steps` must be at least 1, received 0"),
    ],
)
def test_errors(cls, arguments, message):
    with pytest.raises(ValueError, match=message):
        cls(**arguments)


@pytest.mark.parametrize(
    ("cls", "arguments", "message"),
    [
        (SDEDPMSolver, {"lam": "1"}, "`lam` must be a number, received '1'"),
        (SDEDPMSolver, {"lam": float("nan")}, "`lam` must be positive, received nan"),
        (SDEDPMSolver, {"clip": float("inf")}, "`clip` must be finite, received inf"),
        (SASolver, {"tau": None}, "`tau` must be a number, received None"),
        (SASolver, {"interval": 3.0}, "`interval` must be two numbers, received 3.0"),
        (SASolver, {"interval": ("a", 1)}, "`interval` must be two numbers"),
        (SASolver, {"interval": (5, 1)}, r"`interval` must be 0 <= low <= high, .* \(5, 1\)"),
        (SASolver, {"interval": (-1, 1)}, r"`interval` must be 0 <= low <= high, .* \(-1, 1\)"),
        (SASolver, {"interval": (0, float("nan"))}, "`interval` must be 0 <= low <= high"),
        (EDMChurn, {"low": 9, "high": 1}, "`low` must be at most `high`, received low=9"),
        (EDMChurn, {"churn": float("nan")}, "`churn` must be at least 0, received nan"),
        (EDMChurn, {"low": "0"}, "`low` must be a number, received '0'"),
        (EDMChurn, {"high": float("nan")}, "`high` must be at least 0, received nan"),
        (Restart, {"low": float("nan")}, "`low` must be positive, received nan"),
        (Restart, {"high": float("inf")}, "`high` must be finite, received inf"),
        (Restart, {"repeats": 1.5}, "`repeats` must be a whole number, received 1.5"),
    ],
)
def test_what_is_no_such_number(cls, arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        cls(**arguments)


def test_what_a_grid_cannot_do():
    with pytest.raises(ValueError, match="`nfe` must be at least 15 for Restart, received 5"):
        Restart().table(VPSDE(), 5)
    with pytest.raises(ValueError, match="`high` must be above the rho of the grid"):
        Restart(low=0.05, high=0.06, grid=RhoGrid(1.0)).table(VPSDE(), 17)
