"""A new linear diffusion, with every sampler at once.

Images with velocities under 1.3 times the critical friction: a diffusion that no paper has. F, G
and the covariance at the start are all that is written; transitions and roots are solved from them.
For Gaussian data the exact eps is known, so the error of each sampler is measured without training.

python examples/own_diffusion.py
"""

import argparse

import numpy as np
import tensorflow as tf

import gddim_tf as gd

DATA_VARIANCE = 0.25


def drift(t):
    """F: velocities push images, a spring and friction pull velocities; float64 `[n, 2, 2]`."""
    return (2 + 6 * t)[:, None, None] * np.array([[0.0, 4.0], [-1.0, -5.2]])


def diffusion(t):
    """G: noise enters at the velocities."""
    return np.sqrt(2 + 6 * t)[:, None, None] * np.array([[0.0, 0.0], [0.0, 2.6**0.5]])


def exact_eps(sde):
    """Eps for images that are normal with variance `DATA_VARIANCE`: `R^T (Sigma + P)^-1 u`."""
    data = np.diag([DATA_VARIANCE, 0.0])

    def eps(u, t):
        psi, root = sde.transition(t, np.zeros_like(t)), sde.root(t)
        total = psi @ data @ psi.mT + root @ root.mT
        return np.einsum("bij,bj->bi", root.mT @ np.linalg.inv(total), u)

    return lambda u, t: tf.ensure_shape(tf.numpy_function(eps, [u, t], tf.float64), u.shape)


def main(arguments=None):
    """Print the error in the variance of the images, by sampler and budget."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    budgets = (8,) if parser.parse_args(arguments).quick else (8, 16, 32, 64)

    sde = gd.sdes.NumericalSDE(drift, diffusion, initial_covariance=np.diag([1e-4, 1e-2]))
    print(sde)
    eps = exact_eps(sde)
    data = np.diag([DATA_VARIANCE, 0.0])
    samplers = [
        gd.samplers.DDIM(),
        gd.samplers.GDDIM(order=2),
        gd.samplers.DEIS(order=2),
        gd.samplers.DPMSolver(),
        gd.samplers.UniPC(),
    ]
    for sampler in samplers:
        errors = [variance_error(sde, sampler.table(sde, nfe), eps, data) for nfe in budgets]
        print(f"{sampler!s:20}", "  ".join(f"{error:9.2e}" for error in errors))


def variance_error(sde, table, eps, data):
    """The flow is linear here: push a basis through the table, and compare variances at the end."""
    end = gd.samplers.run(table, eps, tf.eye(2, dtype=tf.float64)).numpy().T
    psi = sde.transition(sde.t_max, 0.0)
    start = psi @ data @ psi.T + sde.covariance(sde.t_max)
    psi = sde.transition(sde.t_min, 0.0)
    expected = psi @ data @ psi.T + sde.covariance(sde.t_min)
    return abs((end @ start @ end.T - expected)[0, 0])


if __name__ == "__main__":
    main()
