"""Data with an exact score on every linear diffusion: mixtures of Gaussians.

A mixture lives in the coordinates of the SDE; its states are flattened to `k * d` numbers, the
image component first. Everything is float64 NumPy.
"""

from __future__ import annotations

import numpy as np
import scipy.integrate
import scipy.special
import tensorflow as tf
from numpy.typing import ArrayLike

from gddim_tf.samplers.loop import EpsFn
from gddim_tf.sdes import LinearSDE


class Mixture:
    """`sum_k w_k N(mu_k, C_k)` as data of a linear diffusion, with exact eps and exact flow.

    Args:
      sde: the diffusion.
      weights: `[K]`.
      means: `[K, *shape]` in the coordinates of the SDE; shape is `(d,)` or `(H, W, C)`.
      covariances: `[K, d, d]` (d = size of the shape) or `[K, d]` for diagonal ones.
    """

    def __init__(
        self, sde: LinearSDE, weights: ArrayLike, means: ArrayLike, covariances: ArrayLike
    ) -> None:
        self.sde = sde
        self.weights = np.asarray(weights, np.float64)
        self.means = np.asarray(means, np.float64)
        self.shape = self.means.shape[1:]
        self.d = int(np.prod(self.shape))
        covariances = np.asarray(covariances, np.float64)
        if covariances.ndim == 2:
            covariances = np.stack([np.diag(c) for c in covariances])
        self.covariances = covariances

    @classmethod
    def gaussian(cls, sde: LinearSDE, mean: ArrayLike, variance: float) -> Mixture:
        """One Gaussian with the same variance in every value."""
        mean = np.asarray(mean, np.float64)
        return cls(sde, [1.0], mean[None], np.full((1, mean.size), variance))

    def full(self, matrix: np.ndarray) -> np.ndarray:
        """A `[*modes, k, k]` matrix as `[k * d, k * d]` on flattened states."""
        k = self.sde.components
        if self.sde.mode_index is not None:
            matrix = matrix[self.sde.mode_index]
        per_value = np.broadcast_to(matrix, (*self.shape, k, k)).reshape(self.d, k, k)
        return np.einsum("aij,ab->iajb", per_value, np.eye(self.d)).reshape(k * self.d, k * self.d)

    def flatten(self, u: ArrayLike) -> np.ndarray:
        """`[batch, ..., k * C]` to `[batch, k * d]`, component by component."""
        k = self.sde.components
        states = np.asarray(u)
        states = states.reshape(len(states), *self.shape[:-1], k, self.shape[-1])
        return np.moveaxis(states, -2, 1).reshape(len(states), -1)

    def unflatten(self, flat: np.ndarray) -> np.ndarray:
        """The inverse of `flatten`."""
        k = self.sde.components
        u = np.moveaxis(flat.reshape(len(flat), k, *self.shape), 1, -2)
        return u.reshape(len(flat), *self.shape[:-1], k * self.shape[-1])

    def moments(self, t: float) -> tuple[np.ndarray, np.ndarray]:
        """Means `[K, k d]` and covariances `[K, k d, k d]` of the states at time t."""
        psi = self.full(self.sde.transition(t, 0.0))[:, : self.d]
        noise = self.full(self.sde.covariance(t))
        means = self.means.reshape(len(self.means), -1) @ psi.T
        return means, np.stack([psi @ c @ psi.T + noise for c in self.covariances])

    def score(self, flat: np.ndarray, t: float) -> np.ndarray:
        """`grad log p_t`, `[batch, k d]`."""
        logs, pulls = self._parts(flat, t)
        share = np.exp(logs - logs.max(0))
        share /= share.sum(0)
        return np.einsum("kb,kbd->bd", share, pulls)

    def log_density(self, u: ArrayLike, t: float) -> np.ndarray:
        """`log p_t` of states `[batch, ..., k C]`."""
        logs = self._parts(self.flatten(np.asarray(u, np.float64)), t)[0]
        return scipy.special.logsumexp(logs, axis=0) - 0.5 * self.sde.components * self.d * np.log(
            2 * np.pi
        )

    def _parts(self, flat: np.ndarray, t: float) -> tuple[np.ndarray, np.ndarray]:
        """Of every component, `log w_k N(u; mu_k, C_k)` but for `(2 pi)^(-kd/2)`, and its score."""
        logs, pulls = [], []
        for weight, mean, covariance in zip(self.weights, *self.moments(t), strict=True):
            gap = flat - mean
            pull = -np.linalg.solve(covariance, gap.T).T
            logdet = np.linalg.slogdet(covariance)[1]
            logs.append(np.log(weight) + 0.5 * (gap * pull).sum(1) - 0.5 * logdet)
            pulls.append(pull)
        return np.stack(logs), np.stack(pulls)

    def eps(self, u: ArrayLike, t: float) -> np.ndarray:
        """`eps = -R^T score` for states `[batch, ..., k C]` at one time t.

        Where no signal is left it is the mean of the data instead, as samplers ask for.
        """
        if self.sde.signal_free and t == self.sde.t_max:
            mean = np.tensordot(self.weights, self.means, axes=(0, 0))
            return np.broadcast_to(mean, np.shape(u)).copy()
        flat = self.flatten(np.asarray(u, np.float64))
        root = self.full(self.sde.root(t))
        return self.unflatten(-self.score(flat, t) @ root)

    def eps_fn(self) -> EpsFn:
        """`eps` as a network: a callable from tensors to tensors, for `samplers.run`."""

        def evaluate(u: np.ndarray, t: np.ndarray) -> np.ndarray:
            return self.eps(u, float(t[0])).astype(u.dtype)

        def network(u: tf.Tensor, t: tf.Tensor) -> tf.Tensor:
            eps = tf.numpy_function(evaluate, [u, t], u.dtype)
            return tf.ensure_shape(eps, u.shape)

        return network

    def differentiable_eps_fn(self) -> EpsFn:
        """The same of TensorFlow's operations, which have gradients."""
        k, size = self.sde.components, self.sde.components * self.d
        count = len(self.weights)

        def parameters(t: float) -> tuple[np.ndarray, ...]:
            means, covariances = self.moments(t)
            logs = np.log(self.weights) - 0.5 * np.linalg.slogdet(covariances)[1]
            return means, np.linalg.inv(covariances), logs, self.full(self.sde.root(t))

        def network(u: tf.Tensor, t: tf.Tensor) -> tf.Tensor:
            values = tf.numpy_function(parameters, [tf.cast(t[0], tf.float64)], [tf.float64] * 4)
            shapes = [count, size], [count, size, size], [count], [size, size]
            values = (
                tf.ensure_shape(value, shape) for value, shape in zip(values, shapes, strict=True)
            )
            means, precisions, logs, root = (tf.cast(value, u.dtype) for value in values)
            pixels = tf.reshape(u, [-1, self.d // self.shape[-1], k, self.shape[-1]])
            flat = tf.reshape(tf.transpose(pixels, [0, 2, 1, 3]), [-1, size])
            gap = flat[None] - means[:, None]
            pull = -gap @ precisions
            share = tf.nn.softmax(logs[:, None] + 0.5 * tf.reduce_sum(gap * pull, -1), axis=0)
            eps = -tf.einsum("kb,kbd->bd", share, pull) @ root
            pixels = tf.reshape(eps, [-1, k, self.d // self.shape[-1], self.shape[-1]])
            return tf.reshape(tf.transpose(pixels, [0, 2, 1, 3]), tf.shape(u))

        return network

    def flow(self, u: ArrayLike, start: float, end: float, rtol: float = 1e-11) -> np.ndarray:
        """The probability flow ODE from `start` to `end`, by DOP853 with log-time steps."""
        k = self.sde.components

        def rhs(log_t: float, flat: np.ndarray) -> np.ndarray:
            t = np.exp(log_t)
            flat = flat.reshape(-1, k * self.d)
            diffusion = self.full(self.sde.diffusion(t))
            drift = flat @ self.full(self.sde.drift(t)).T
            return (t * (drift - 0.5 * self.score(flat, t) @ (diffusion @ diffusion.T))).ravel()

        flat = self.flatten(np.asarray(u, np.float64))
        solution = scipy.integrate.solve_ivp(
            rhs, np.log([start, end]), flat.ravel(), "DOP853", rtol=rtol, atol=1e-12
        )
        return self.unflatten(solution.y[:, -1].reshape(flat.shape))

    def sample_state(self, count: int, t: float, seed: int = 0) -> np.ndarray:
        """Exact draws of the states at time t, `[count, ..., k C]`."""
        rng = np.random.default_rng(seed)
        which = rng.choice(len(self.weights), size=count, p=self.weights)
        means, covariances = self.moments(t)
        factors = np.linalg.cholesky(covariances)
        z = rng.standard_normal((count, means.shape[1]))
        return self.unflatten(means[which] + np.einsum("bij,bj->bi", factors[which], z))
