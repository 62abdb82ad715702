"""Data for which every sampler is a linear map: one point, or a Gaussian."""

import numpy as np
import tensorflow as tf

from tests.samplers.replay import apply, replay


def shape_of(sde):
    """Image axes that fit the diffusion, without the batch."""
    return sde.mode_index.shape if sde.mode_index is not None else (1,)


def single_point(sde, seed=0):
    """The eps of a data set of one point, in NumPy, and that point as two states at time 0."""
    shape = (2, *shape_of(sde))
    image = np.broadcast_to(np.random.default_rng(seed).uniform(-1, 1, shape[1:]), shape)
    clean = np.concatenate([image] + [0 * image] * (sde.components - 1), axis=-1)

    def eps(u, t):
        if sde.signal_free and t == sde.t_max:
            return clean[:1] + 0 * u
        noise = u - apply(sde.transition(t, 0.0), clean, sde.mode_index)
        return apply(np.linalg.inv(sde.root(t)), noise, sde.mode_index)

    return eps, clean


def dirac(sde, shape, seed=0):
    """A data point, one noise, and the state that they make at any time."""
    rng = np.random.default_rng(seed)
    clean = np.concatenate(
        [rng.uniform(-1, 1, shape)] + [np.zeros(shape)] * (sde.components - 1), axis=-1
    )
    noise = rng.standard_normal(clean.shape)

    def state(t):
        return apply(sde.transition(t, 0.0), clean, sde.mode_index) + apply(
            sde.root(t), noise, sde.mode_index
        )

    return noise, state


def gaussian_covariance(sde, covariance, t):
    """That of the states at time t, for data N(0, covariance)."""
    signal = sde.transition(t, 0.0)
    return signal @ covariance @ np.swapaxes(signal, -1, -2) + sde.covariance(t)


def gaussian(sde, covariance):
    """That of data N(0, covariance), a matrix of the components: `eps = R^T S^{-1} u`, in NumPy."""

    def eps(u, t):
        if sde.signal_free and t == sde.t_max:
            return 0 * u
        pull = np.linalg.solve(gaussian_covariance(sde, covariance, t), sde.root(t))
        return apply(np.swapaxes(pull, -1, -2), u, sde.mode_index)

    return eps


def as_network(eps):
    """A NumPy function of a state and one time, as `run` takes it."""

    def network(u, t):
        value = tf.numpy_function(lambda u, t: eps(u, float(t[0])), [u, t], u.dtype)
        return tf.ensure_shape(value, u.shape)

    return network


def end_covariance(table, sde, eps, start):
    """The exact covariance of the samples, `[*image axes, k, k]`, from a start with a covariance.

    Each source of randomness goes alone through the table, as one element of the batch; where
    everything is linear, the covariance of the end is the sum over them.
    """
    k, shape = sde.components, shape_of(sde)
    draws = table.nfe + (table.start is not None) if noisy(table) else 0
    sources = np.zeros((1 + draws, (1 + draws) * k, *shape[:-1], k))
    for i in range(1 + draws):
        for j in range(k):
            sources[i, i * k + j, ..., j] = 1.0
    u_T = apply(np.linalg.cholesky(start), sources[0], sde.mode_index)
    end, _ = replay(table, eps, u_T, sources[1:] if draws else None)
    end = end.reshape(len(end), *shape[:-1], k)
    return np.einsum("s...i,s...j->...ij", end, end)


def noisy(table):
    return table.noise is not None or table.start is not None


def per_pixel(sde, matrix):
    """`[*modes, k, k]` as `[*image axes, k, k]`."""
    return matrix if sde.mode_index is None else matrix[sde.mode_index][..., 0, :, :]
