"""Operators from a user's own functions."""

from __future__ import annotations

import functools
from collections.abc import Callable

import tensorflow as tf

from gddim_tf.models.operators.linear_operator import LinearOperator, column

# Iterations for operators without an inverse of their own; float32 has no use for more.
_ITERATIONS = 50

Function = Callable[[tf.Tensor], tf.Tensor]


class Linear(LinearOperator):
    """An own operator, from functions made of TensorFlow's operations.

    Args:
      apply: from images to measurements, linear.
      adjoint: its transpose; the inverse is then found by conjugate gradients, whatever the noise.
      pseudo_inverse: from measurements to images, exact without noise; with noise it is divided by
        `1 + ridge`, which is right if all singular values are 0 or 1. One of the two must be given;
        with both this one serves without noise.

    Raises:
      ValueError: if neither is given.
      TypeError: if one is no function.

    Examples:
      >>> even = Linear(  # every other row
      ...     apply=lambda x: x[:, ::2],
      ...     adjoint=lambda y: tf.reshape(tf.stack([y, 0 * y], 2), [-1, 4, 4, 1]),
      ... )
      >>> even.inverse(tf.ones([1, 2, 4, 1]), tf.zeros([1]))[0, :, 0, 0].numpy()
      array([1., 0., 1., 0.], dtype=float32)
    """

    def __init__(
        self,
        apply: Function,
        adjoint: Function | None = None,
        pseudo_inverse: Function | None = None,
    ) -> None:
        for name, given in (
            ("apply", apply),
            ("adjoint", adjoint or apply),
            ("pseudo_inverse", pseudo_inverse or apply),
        ):
            if not callable(given):
                raise TypeError(f"`{name}` must be a function, received {given!r}")
        self._apply, self._exact = apply, pseudo_inverse if adjoint is not None else None
        if adjoint is not None:
            self._noisy = functools.partial(self._by_gradients, adjoint)
        elif pseudo_inverse is not None:
            self._noisy = functools.partial(self._shrunk, pseudo_inverse)
        else:
            raise ValueError("`adjoint` or `pseudo_inverse` must be given, received neither")

    def apply(self, images: tf.Tensor) -> tf.Tensor:
        """See `LinearOperator`."""
        return self._apply(images)

    def inverse(self, values: tf.Tensor, ridge: tf.Tensor) -> tf.Tensor:
        """See `LinearOperator`."""
        if self._exact is None:
            return self._noisy(values, ridge)
        exact = self._exact
        return tf.cond(
            tf.reduce_all(ridge == 0), lambda: exact(values), lambda: self._noisy(values, ridge)
        )

    @staticmethod
    def _shrunk(pseudo_inverse: Function, values: tf.Tensor, ridge: tf.Tensor) -> tf.Tensor:
        images = pseudo_inverse(values)
        return images / (1 + column(ridge, images))

    def _by_gradients(self, adjoint: Function, values: tf.Tensor, ridge: tf.Tensor) -> tf.Tensor:
        """`A^T (A A^T + ridge)^{-1} y` by conjugate gradients, each image on its own."""
        again = self._apply(adjoint(values)).shape
        if again.rank != values.shape.rank or again[1:] != values.shape[1:]:
            raise ValueError(
                "`adjoint` must lead from measurements to images, and `apply` back to "
                f"{tuple(values.shape)}, received {tuple(again)}"
            )
        ridge, axes = column(ridge, values), tuple(range(1, values.shape.rank))

        def product(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
            return tf.reduce_sum(a * b, axis=axes, keepdims=True)

        def step(
            i: tf.Tensor, x: tf.Tensor, rest: tf.Tensor, way: tf.Tensor
        ) -> tuple[tf.Tensor, ...]:
            image = self._apply(adjoint(way)) + ridge * way
            before = product(rest, rest)
            length = tf.math.divide_no_nan(before, product(way, image))
            x, left = x + length * way, rest - length * image
            # what is left at the level of rounding would only grow
            done = before <= 1e-12 * product(values, values)
            x, left = tf.where(done, x - length * way, x), tf.where(done, tf.zeros_like(left), left)
            turn = tf.math.divide_no_nan(product(left, left), before)
            return i + 1, x, left, left + turn * way

        start = (tf.constant(0), tf.zeros_like(values), values, values)
        return adjoint(tf.while_loop(lambda i, *_: i < _ITERATIONS, step, start)[1])
