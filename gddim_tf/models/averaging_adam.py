"""Adam whose average of the weights forgets where training began."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="gddim_tf")
class AveragingAdam(keras.optimizers.Adam):
    """Keras' Adam with `use_ema`, the decay of which warms up.

    After n steps the decay is `min(ema_momentum, (1 + n) / (10 + n))`, as in TensorFlow's
    `ExponentialMovingAverage` and score_sde's PyTorch code: with a decay of 0.9999 the average
    would otherwise hold the first, useless weights for some 50,000 steps. The limit is reached at
    `n = (10 ema_momentum - 1) / (1 - ema_momentum)`, which for 0.9999 is 89,990 steps; the average
    then no longer differs from one without the warm-up but for what it has forgotten.

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

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        # Keras reads the number that its constructor was given
        return {**super().get_config(), "ema_momentum": self._final_momentum}
