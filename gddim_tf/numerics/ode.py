"""Transitions of `dX/dt = F(t) X` over many short intervals at once, in float64 TensorFlow."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import tensorflow as tf

# Local errors per step of the Runge-Kutta solver. Its norm is a mean over all intervals, so that it
# has to be well below the 1e-12 that is wanted of the hardest one.
_TOLERANCE = 1e-14
_MAX_STEPS = 20_000


def transitions(
    drift: Callable[[np.ndarray], np.ndarray], start: np.ndarray, end: np.ndarray, parts: np.ndarray
) -> np.ndarray:
    """`X(start + part (end - start))` with `X(start) = I`, by TFP's Dormand-Prince solver.

    The solver steps past its final time and interpolates back. Its own time z is therefore bent:
    `t = start + (end - start) sin(pi z / 2)` turns round at z = 1, so that `drift` is never asked
    for a time outside the interval.

    Args:
      drift: F, from times `[n]` to `[n, *modes, k, k]`, float64 NumPy.
      start: `[n]`.
      end: `[n]`; each interval is short enough that X stays near the identity.
      parts: `[m]`, increasing, in (0, 1].

    Returns:
      `[n, m, *modes, k, k]`.
    """
    shape = drift(start).shape
    bent = 2 / np.pi * np.arcsin(parts)
    width = (end - start).reshape(-1, *(1,) * (len(shape) - 1))

    def evaluate(z: np.ndarray) -> np.ndarray:
        slope = 0.5 * np.pi * np.cos(0.5 * np.pi * z)
        part = max(np.sin(0.5 * np.pi * z), 0.0)
        return slope * width * drift(start + (end - start) * part)

    def rate(z: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        matrices = tf.ensure_shape(tf.numpy_function(evaluate, [z], tf.float64), shape)
        return matrices @ x

    solver = exact_dormand_prince().DormandPrince(
        rtol=np.float64(_TOLERANCE),
        atol=np.float64(_TOLERANCE),
        first_step_size=1e-2,
        max_num_steps=_MAX_STEPS,
    )

    def solve() -> tf.Tensor:
        identity = tf.eye(shape[-1], batch_shape=shape[:-2], dtype=tf.float64)
        times = tf.constant(bent, tf.float64)
        return solver.solve(rate, tf.constant(0.0, tf.float64), identity, times).states

    compiled = tf.function(solve, autograph=False)
    return np.moveaxis(_eagerly(lambda: compiled.get_concrete_function()()), 0, 1)


def constant_transitions(matrix: np.ndarray, durations: np.ndarray) -> np.ndarray:
    """`exp(matrix * duration)`, by `tf.linalg.expm`.

    For norms above 5.37 `tf.linalg.expm` scales too little and loses up to eight digits in
    float64, so the durations must be short: `|matrix * duration| <= 1`.

    Args:
      matrix: `[*modes, k, k]`.
      durations: any shape.

    Returns:
      `[*durations, *modes, k, k]`.
    """
    exponents = durations.reshape(*durations.shape, *(1,) * matrix.ndim) * matrix
    return _eagerly(lambda: tf.linalg.expm(tf.constant(exponents, tf.float64)))


@functools.cache
def exact_dormand_prince() -> ModuleType:
    """A private copy of TFP's module `dormand_prince` with coefficients that are exact in float64.

    TFP casts the Python floats of its tableau with `tf.cast`, which rounds them through float32 and
    leaves an error of 1e-8 at every tolerance; the same numbers as NumPy doubles are cast exactly.
    """
    name = "tensorflow_probability.python.math.ode.dormand_prince"
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ImportError(f"`{name}` is not there; TensorFlow Probability 0.25 has it")
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def exact(value: Any) -> Any:
        return [exact(v) for v in value] if isinstance(value, list) else np.float64(value)

    module._TABLEAU = type(module._TABLEAU)(*(exact(column) for column in module._TABLEAU))
    return module


def _eagerly(function: Callable[[], tf.Tensor]) -> np.ndarray:
    # also while somebody's training step is being traced, and never on an accelerator
    with tf.init_scope(), tf.device("CPU:0"):
        return function().numpy()
