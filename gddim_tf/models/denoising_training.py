"""The steps of `fit` and `evaluate` where the loss is all there is."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gddim_tf.models.training_batch import check_first_batch

# More than a layer draws in a step.
_MASKS = 2**8


class DenoisingTraining(keras.Model):
    """A Keras model that `compute_loss` trains, without predictions or other metrics.

    Attributes:
      image_shape: `(height, width, C)` of one image.
      num_classes: of the network, 0 without.
      network: what is trained.
    """

    image_shape: tuple[int, int, int]
    num_classes: int
    network: keras.Model
    _loss: keras.metrics.Mean
    _step: keras.Variable

    def fit(self, x: Any = None, y: Any = None, *args: Any, **options: Any) -> Any:
        """Train, as `keras.Model.fit`, once the first batch has been found to be what it must be.

        Raises:
          ValueError: if images or labels are of another type, shape or range; see
            `training_batch.check_first_batch`.
        """
        x = check_first_batch(x, y, self.image_shape, self.num_classes)
        unseen = options.get("validation_data")
        if isinstance(unseen, tuple | np.ndarray | tf.data.Dataset):  # not after an epoch
            images, labels = (*unseen, None)[:2] if isinstance(unseen, tuple) else (unseen, None)
            check_first_batch(images, labels, self.image_shape, self.num_classes)
        if isinstance(x, tf.data.Dataset):
            options.setdefault("shuffle", False)  # it shuffles itself; Keras would warn
        return super().fit(x, y, *args, **options)

    def evaluate(self, x: Any = None, y: Any = None, *args: Any, **options: Any) -> Any:
        """The mean loss, as `keras.Model.evaluate`; checks as `fit`."""
        x = check_first_batch(x, y, self.image_shape, self.num_classes)
        return super().evaluate(x, y, *args, **options)

    def make_train_function(self, force: bool = False) -> Any:
        """Make the compiled step of `fit`, with the optimizer's variables there already.

        Made inside the step they would be a condition each, and the step be traced twice.
        """
        if not self.optimizer.built:
            with self.distribute_strategy.scope():
                self.optimizer.build(self.trainable_variables)
        return super().make_train_function(force)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """One step of `fit`."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        self._seed_dropout()
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, None, sample_weight, training=True)
            # gradients are summed over replicas
            scaled = self.optimizer.scale_loss(loss / replicas)
        weights = self.trainable_weights
        gradients = self._clipped(tape.gradient(scaled, weights), replicas)
        self.optimizer.apply_gradients(zip(gradients, weights, strict=True))
        self._step.assign_add(1)
        self._loss.update_state(loss, sample_weight=tf.shape(x)[0])
        return {"loss": self._loss.result()}

    def _seed_dropout(self) -> None:
        """Let the masks of dropout follow from the step, as times and noise do.

        Keras counts them in a state that no file holds, so that a run that goes on would begin with
        the first masks again.
        """
        for state in self.network.non_trainable_variables:
            if state.name == "seed_generator_state":
                first = keras.ops.cast(self._step, state.dtype) * _MASKS
                state.assign(keras.ops.stack([state[0], first]))

    def _clipped(self, gradients: list[tf.Tensor], replicas: int) -> list[tf.Tensor]:
        """Clip by the norm of the whole batch, where the optimizer would by that of a replica's."""
        if replicas == 1 or not self.optimizer.global_clipnorm:
            return gradients
        total = tf.distribute.get_replica_context().all_reduce("SUM", gradients)
        clipped, _ = tf.clip_by_global_norm(total, self.optimizer.global_clipnorm)
        return [gradient / replicas for gradient in clipped]

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        """One step of `evaluate`."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        loss = self.compute_loss(x, y, None, sample_weight, training=False)
        self._loss.update_state(loss, sample_weight=tf.shape(x)[0])
        return {"loss": self._loss.result()}
