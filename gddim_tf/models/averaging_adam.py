"""Adam whose average of the weights forgets where training began."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="gddim_tf")
class AveragingAdam(keras.optimizers.Adam):
    """Keras' Adam with `use_ema`, the decay of which warms up.

    After n steps the decay is `min(ema_momentum, (1 + n) / (10 + n))`, as in TensorFlow's
    `ExponentialMovingAverage` and score_sde's PyTorch code: with a decay of 0.9999 the average
    would otherwise hold the first, useless weights for some 50,000 steps. The limit is reached at
    `n = (10 ema_momentum - 1) / (1 - ema_momentum)`, which for 0.9999 is 89,990 steps; the average
    then no longer differs from one without the warm-up but for what it has forgotten.

    A weight is updated by TensorFlow's fused operation: Keras' own takes some sixty operations for
    each, which make most of the graph of a training step.

    Args:
      learning_rate: a number or a schedule.
      ema_momentum: the decay in the end, in [0, 1].
      **options: of `keras.optimizers.Adam`; `epsilon` is 1e-8 by default, as in the papers.

    Examples:
      >>> AveragingAdam(1e-3).use_ema
      True
    """

    def __init__(
        self,
        learning_rate: Any = 2e-4,
        *,
        ema_momentum: float = 0.9999,
        epsilon: float = 1e-8,
        **options: Any,
    ) -> None:
        options["use_ema"] = True
        super().__init__(learning_rate, ema_momentum=ema_momentum, epsilon=epsilon, **options)

    @property
    def ema_momentum(self) -> Any:
        """The decay of the present step."""
        steps = keras.ops.cast(self.iterations, "float32")
        decay = keras.ops.minimum(self._final_momentum, (1.0 + steps) / (10.0 + steps))
        # Keras averages after every batch, also where several of them make one update
        return decay ** (1.0 / (self.gradient_accumulation_steps or 1))

    @ema_momentum.setter
    def ema_momentum(self, value: float) -> None:
        """Take the decay of the end, which Keras' constructor sets."""
        self._final_momentum = value

    def update_step(
        self, gradient: tf.Tensor | tf.IndexedSlices, variable: tf.Variable, learning_rate: Any
    ) -> None:
        """Update one weight and its two moments, as `keras.optimizers.Adam`."""
        if self.amsgrad:  # of which there is no fused operation
            super().update_step(gradient, variable, learning_rate["lr"])
            return
        index = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            grad=tf.cast(tf.convert_to_tensor(gradient), variable.dtype),
            **{name: tf.cast(number, variable.dtype) for name, number in learning_rate.items()},
        )

    def _backend_update_step(
        self,
        grads: Sequence[tf.Tensor],
        trainable_variables: Sequence[keras.Variable],
        learning_rate: Any,
    ) -> None:
        """Update all weights; what they share is computed once, and takes the rate's place."""
        step = tf.cast(self.iterations + 1, tf.float32)
        beta_1, beta_2 = tf.constant(self.beta_1), tf.constant(self.beta_2)
        shared = {
            "lr": tf.convert_to_tensor(learning_rate),
            "beta1": beta_1,
            "beta2": beta_2,
            "beta1_power": tf.pow(beta_1, step),
            "beta2_power": tf.pow(beta_2, step),
            "epsilon": tf.constant(self.epsilon),
        }
        super()._backend_update_step(grads, trainable_variables, shared)

    def _update_model_variables_moving_average(
        self, trainable_variables: Sequence[keras.Variable]
    ) -> None:
        """Average all weights, with a decay that is computed once."""
        # nothing of the average that there is before the first step
        decay = tf.cast(self.ema_momentum, tf.float32) * tf.cast(self.iterations > 0, tf.float32)
        fresh = 1 - decay
        for weight, average in zip(
            trainable_variables, self._model_variables_moving_average, strict=True
        ):
            if average is not None:
                old, new = (tf.cast(share, weight.dtype) for share in (decay, fresh))
                average.assign(old * average.value + new * weight.value)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        # Keras reads the number that its constructor was given
        return {**super().get_config(), "ema_momentum": self._final_momentum}


@contextlib.contextmanager
def averaged_weights(model: keras.Model) -> Iterator[None]:
    """Put the average of the weights, if the optimizer keeps one, in their place for a while."""
    if not getattr(model.optimizer, "use_ema", False):
        yield
        return
    swap = keras.callbacks.SwapEMAWeights()
    swap.set_model(model)
    swap.on_test_begin()
    try:
        yield
    finally:
        swap.on_test_end()
