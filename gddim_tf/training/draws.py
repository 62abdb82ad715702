"""What is random in a training step, as a function of the step alone."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from gddim_tf.sdes.randomness import normal


class Draws(NamedTuple):
    """The random numbers of one batch.

    Attributes:
      uniform: `[batch]` in [0, 1), for the times.
      noise: `[batch, *shape]`, standard normal.
      keep_label: `[batch]`, bool.
    """

    uniform: tf.Tensor
    noise: tf.Tensor
    keep_label: tf.Tensor


def draw(
    seed: int, step: tf.Tensor, batch: tf.Tensor, shape: tuple[int, ...], label_dropout: float
) -> Draws:
    """The numbers of a step; a batch divided among replicas gets those of the undivided one.

    The times are stratified: one uniform number per `1 / batch` of [0, 1), with a common offset,
    has less variance at the same cost.

    Args:
      seed: of the run.
      step: int32, which step of the run.
      batch: images of this replica; of all of them if there is one.
      shape: of the noise of one image.
      label_dropout: probability that a label is not kept.
    """
    context = tf.distribute.get_replica_context()
    replicas = context.num_replicas_in_sync if context else 1
    first = (context.replica_id_in_sync_group if context else 0) * batch
    total = replicas * batch
    seeds = tf.random.split(tf.stack([seed, step]), 3, alg="philox")
    offset = tf.random.stateless_uniform([], seeds[0], alg="philox")
    strata = tf.range(first, first + batch)
    uniform = (tf.cast(strata, tf.float32) + offset) / tf.cast(total, tf.float32)
    noise = normal(seeds[1], tf.stack([total, *shape]))[first : first + batch]
    coins = tf.random.stateless_uniform([total], seeds[2], alg="philox")[first : first + batch]
    return Draws(uniform, tf.ensure_shape(noise, [None, *shape]), coins >= label_dropout)
