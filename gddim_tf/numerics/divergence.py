"""The trace of a field's Jacobian, exactly or by random probes: how a flow changes volumes."""

from __future__ import annotations

import math
from collections.abc import Callable

import tensorflow as tf


def divergence(
    field: Callable[[tf.Tensor], tf.Tensor], state: tf.Tensor, probes: tf.Tensor | None = None
) -> tuple[tf.Tensor, tf.Tensor]:
    """The value of a field, and its divergence `tr J`, `J = d field / d state`, per image.

    Without probes the trace is exact and takes a reverse pass for every number of the state.
    With probes it is the mean of `v^T J v` over them, which is unbiased if `E v v^T = I`
    (Hutchinson, 1990; Score-SDE, eq. 40).

    Args:
      field: made of TensorFlow's operations; row i of its value depends on row i of the state.
      state: `[batch, ...]`, of known shape but for the batch.
      probes: None, or `[count, batch, ...]`.

    Returns:
      The value, like `state`, and the divergence `[batch]`.

    Raises:
      ValueError: if the field has no gradient.
    """
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(state)
        value = field(state)
    axes = tuple(range(1, state.shape.rank))

    def form(probe: tf.Tensor) -> tf.Tensor:
        pulled = tape.gradient(value, state, output_gradients=probe)
        if pulled is None:
            raise ValueError(
                "`eps_fn` must be made of TensorFlow's operations for a log-determinant, received "
                "one without a gradient"
            )
        return tf.reduce_sum(probe * pulled, axes)

    # one reverse pass after the other, each over the whole batch: `tf.vectorized_map`, on which
    # `batch_jacobian` rests, crashed in float32 with oneDNN (TensorFlow 2.21)
    if probes is not None:
        forms = tf.map_fn(form, probes, fn_output_signature=state.dtype)
        return value, tf.reduce_mean(forms, axis=0)

    size = math.prod(state.shape[1:])

    def diagonal_entry(index: tf.Tensor) -> tf.Tensor:
        row = tf.reshape(tf.one_hot(index, size, dtype=state.dtype), [1, *state.shape[1:]])
        return form(tf.broadcast_to(row, tf.shape(state)))

    entries = tf.map_fn(diagonal_entry, tf.range(size), fn_output_signature=state.dtype)
    return value, tf.reduce_sum(entries, axis=0)
