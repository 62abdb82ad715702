"""The exact model of correlated normal images, on every diffusion, with a gradient."""

import numpy as np
import tensorflow as tf

from gddim_tf.models import GenerativeModel


class NormalImages(GenerativeModel):
    """eps of images with a mean and a covariance over their pixels, `R^T Sigma_u^{-1} (u - m)`."""

    class_names = ()

    def __init__(self, sde, shape, mean=0.0, covariance=1.0):
        self.sde, self.image_shape, self.num_classes = sde, shape, 0
        self.pixels = int(np.prod(shape))
        self.mean = np.broadcast_to(np.asarray(mean, np.float64), shape)
        full = np.asarray(covariance, np.float64)
        self.covariance = full if full.ndim else full * np.eye(self.pixels)

    def eps(self, u, t, labels=None):
        time = tf.cast(t[:1], tf.float64)
        signal, root = self.sde.kernel(time)
        basis = tf.reshape(tf.eye(self.pixels, dtype=tf.float64), [-1, *self.image_shape])
        size = self.pixels * self.sde.components
        axes = tf.reshape(tf.eye(size, dtype=tf.float64), [-1, *u.shape[1:]])
        carried = self._matrix(signal, self.sde.to_state(basis))
        spread = self._matrix(root, axes)
        covariance = carried @ self.covariance @ tf.transpose(carried)
        covariance += spread @ tf.transpose(spread)
        mean = tf.linalg.matvec(carried, self.mean.ravel())
        away = tf.reshape(tf.cast(u, tf.float64), [-1, size]) - mean
        whitened = tf.linalg.solve(covariance, tf.transpose(away))
        eps = tf.reshape(tf.transpose(tf.transpose(spread) @ whitened), tf.shape(u))
        if self.sde.signal_free:
            without = time[0] >= self.sde.t_max
            eps = tf.where(without, tf.broadcast_to(self.mean, tf.shape(u)), eps)
        return tf.ensure_shape(tf.cast(eps, u.dtype), u.shape)

    def _matrix(self, matrix, basis):
        """What a matrix of the diffusion does to each of some states, as columns."""
        moved = self.sde.apply(matrix, basis, batched=True)
        return tf.transpose(tf.reshape(moved, [basis.shape[0], -1]))

    def fingerprint(self):
        return "normal"


def moments(plan, sde, shape):
    """Mean and covariance of the images of a plan, which are affine in the states it starts from.

    Args:
      plan: of `1 + size` images with equal conditions, size the numbers of a state.
      sde: its diffusion.
      shape: of an image.

    Returns:
      `[pixels]` and `[pixels, pixels]`.
    """
    state_shape = (*shape[:-1], sde.components * shape[-1])
    size = int(np.prod(state_shape))
    units = np.concatenate([np.zeros((1, size)), np.eye(size)]).reshape(-1, *state_shape)
    starts = sde.apply(tf.constant(sde.prior_scale(), tf.float64), tf.constant(units))
    rows = {name: tf.constant(value) for name, value in plan.rows.items()}
    seeds = tf.zeros([size + 1, 2], tf.int32)
    state, _ = plan.way(starts, seeds, {name: rows[name] for name in plan.context})
    wide = {k: tf.cast(v, tf.float64) if v.dtype.is_floating else v for k, v in rows.items()}
    images = plan.finish(state, wide).numpy().reshape(size + 1, -1)
    moved = images[1:] - images[0]
    return images[0], moved.T @ moved


def posterior(model, operator, measurement, noise_std):
    """Mean and covariance of the images given `y = A x + noise`."""
    basis = np.eye(model.pixels).reshape(-1, *model.image_shape)
    matrix = operator.apply(tf.constant(basis)).numpy().reshape(model.pixels, -1).T
    spread = matrix @ model.covariance @ matrix.T + noise_std**2 * np.eye(len(matrix))
    gain = model.covariance @ matrix.T @ np.linalg.pinv(spread, rcond=1e-9)
    mean = model.mean.ravel()
    away = np.asarray(measurement).ravel() - matrix @ mean
    return mean + gain @ away, model.covariance - gain @ matrix @ model.covariance
