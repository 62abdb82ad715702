"""The steps of `fit` and `evaluate` where the loss is all there is."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from gddim_tf.models.training_batch import check_first_batch


class DenoisingTraining(keras.Model):
    """A Keras model that `compute_loss` trains, without predictions or other metrics.

    Attributes:
      image_shape: `(height, width, C)` of one image.
      num_classes: of the network, 0 without.
    """

    image_shape: tuple[int, int, int]
    num_classes: int
    _loss: keras.metrics.Mean
    _step: keras.Variable

    def fit(self, x: Any = None, y: Any = None, *args: Any, **options: Any) -> Any:
        """Train, as `keras.Model.fit`, once the first batch has been found to be what it must be.

        Raises:
          ValueError: if images or labels are of another type, shape or range; see
            `training_batch.check_first_batch`.
        """
        x = check_first_batch(x, y, self.image_shape, self.num_classes)
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
