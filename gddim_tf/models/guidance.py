"""Guidance: one network output made of several."""

from __future__ import annotations

import tensorflow as tf

from gddim_tf.samplers.loop_body import EpsFn


def classifier_free(
    eps_fn: EpsFn,
    u: tf.Tensor,
    t: tf.Tensor,
    labels: tf.Tensor,
    guidance: tf.Tensor,
    null: int,
) -> tf.Tensor:
    """`(1 - w) eps(u, none) + w eps(u, label)`, in one pass over a doubled batch.

    Classifier-free guidance (Ho and Salimans, 2021), eq. 6; `w = 1` is the plain conditional model.

    Args:
      eps_fn: of states `[batch, ...]`, times `[batch]` and labels `[batch]`.
      u: states `[batch, ...]`.
      t: times `[batch]`.
      labels: classes `[batch]`.
      guidance: w, `[batch]`.
      null: the label that stands for no class.

    Returns:
      eps, like `u`.
    """
    none = tf.fill(tf.shape(labels), null)
    both = eps_fn(tf.concat([u, u], 0), tf.concat([t, t], 0), tf.concat([labels, none], 0))
    with_label, without = tf.split(both, 2)
    weight = tf.reshape(tf.cast(guidance, u.dtype), [-1] + [1] * (u.shape.rank - 1))
    return without + weight * (with_label - without)
