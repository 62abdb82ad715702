"""What is random in a training step, as a function of the step alone."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from gddim_tf.numerics.image_noise import fold_in, normal_per_image, uniform_per_image

# Validation draws its times and noise from here, so that its loss is comparable between runs.
_VALIDATION_SEED = 20_220_611


class TrainingNoise(NamedTuple):
    """The random numbers of one batch.

    Attributes:
      uniform: `[batch]` in [0, 1), for the times.
      noise: `[batch, *shape]`, standard normal.
      keep_label: `[batch]`, bool.
    """

    uniform: tf.Tensor
    noise: tf.Tensor
    keep_label: tf.Tensor


def training_noise(
    seed: int, step: tf.Tensor, batch: tf.Tensor, shape: tuple[int, ...], label_dropout: float
) -> TrainingNoise:
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
    of_step = fold_in(tf.stack([seed, step])[None], 0)
    index = tf.range(first, first + batch)
    seeds = tf.stack([tf.fill([batch], of_step[0, 0]), index], axis=1)
    offset = uniform_per_image(of_step, ())
    uniform = (tf.cast(index, tf.float32) + offset) / tf.cast(replicas * batch, tf.float32)
    uniform = tf.minimum(uniform, 1.0 - 2.0**-24)  # the sum may have been rounded up
    coins = uniform_per_image(fold_in(seeds, 0), ())
    return TrainingNoise(uniform, normal_per_image(seeds, shape), coins >= label_dropout)


def validation_noise(
    count: tf.Tensor, batch: tf.Tensor, shape: tuple[int, ...], label_dropout: float
) -> TrainingNoise:
    """The numbers of a batch of an evaluation, whose step is the number of images that it has seen.

    Args:
      count: the images that this replica has seen.
      batch: images of this replica.
      shape: of the noise of one image.
      label_dropout: probability that a label is not kept.
    """
    seen = tf.distribute.get_strategy().num_replicas_in_sync * tf.cast(count, tf.int32)
    return training_noise(_VALIDATION_SEED, seen, batch, shape, label_dropout)
