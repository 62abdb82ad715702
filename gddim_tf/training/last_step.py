"""Training that ends at a step, be it in the middle of an epoch."""

from __future__ import annotations

import keras


class LastStep(keras.callbacks.Callback):
    """End `fit` after so many steps; the epoch that they end in is saved like any other.

    Args:
      steps: from the start of this `fit`.
    """

    def __init__(self, steps: int) -> None:
        super().__init__()
        self._left = steps

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Count, and end the epoch if this was the last step."""
        self._left -= 1
        if self._left <= 0:
            self.model.stop_training = True
