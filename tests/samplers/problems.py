"""The reference problems of tests/golden: a diffusion, data with an exact score, a start."""

import functools

import numpy as np

from benchmarks.accuracy.problems import GOLDEN, Problem, bdm, cld, ddpm, golden, packed
from gddim_tf.sdes import BDM, CLD, VESDE, VPSDE, DiscreteVPSDE
from tests.oracles import Mixture
from tests.samplers.replay import replay

__all__ = ["GOLDEN", "Problem", "bdm", "cld", "ddpm", "golden", "packed"]


@functools.cache
def scalar(name):
    z = golden(f"deis_{name}_traj")
    sde = {"vp": VPSDE(), "ve": VESDE()}[name]
    return Problem(sde, Mixture(sde, z["gmm_w"], z["gmm_mean"], z["gmm_cov"]), z["xT"])


@functools.cache
def discrete():
    z = golden("diffusers_euler_heun")
    sde = DiscreteVPSDE(z["betas"])
    return Problem(sde, Mixture(sde, z["gmm_w"], z["gmm_mu"], z["gmm_cov"]), z["x_T"])


@functools.cache
def smooth(name):
    """Two broad Gaussians between times where every diffusion is tame, with the exact end point."""
    sde = {
        "vp": VPSDE(t_min=0.05, t_max=0.8),
        "cld": CLD(t_min=0.1, t_max=0.8),
        "bdm": BDM(2, sigma_blur=1.0, t_min=0.1, t_max=0.8),
        "ve": VESDE.karras(0.3, 5.0),
    }[name]
    shape = (2, 2, 1) if name == "bdm" else (1,)
    means = np.stack([np.full(shape, 0.5), np.full(shape, -0.4)])
    data = Mixture(sde, [0.6, 0.4], means, np.full((2, means[0].size), 0.3))
    u_T = data.sample_state(4, sde.t_max)
    return Problem(sde, data, u_T), data.flow(u_T, sde.t_max, sde.t_min, rtol=1e-12)


def measured_order(name, sampler, steps=(40, 80)):
    """The slope of the error between two numbers of steps."""
    problem, truth = smooth(name)
    errors = []
    for count in steps:
        times = sampler.grid(problem.sde, count)
        end, _ = replay(sampler.fill(problem.sde, times), problem.data.eps, problem.u_T)
        errors.append(np.abs(end - truth).max())
    return np.log(errors[0] / errors[1]) / np.log(steps[1] / steps[0])
