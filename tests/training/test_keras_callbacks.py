import csv

import keras
import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.training import AveragingAdam
from tests.conftest import own_model

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")


class Crash(keras.callbacks.Callback):
    """What a bug in a user's callback does in the second epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            raise RuntimeError("crash")


def fit(callbacks, value=0.5, epochs=3, **options):
    model = own_model()
    model.compile(AveragingAdam(1e-2, ema_momentum=0.9), **options)
    images = np.full((8, 8, 8, 1), value, np.float32)
    batches = tf.data.Dataset.from_tensors(images)
    model.fit(
        batches.repeat(),
        validation_data=batches,
        epochs=epochs,
        steps_per_epoch=5,
        callbacks=callbacks,
        verbose=0,
        shuffle=False,
    )
    return model


def test_backup_and_restore_goes_on_with_the_same_steps(tmp_path):
    backup = str(tmp_path / "backup")
    with pytest.raises(RuntimeError, match="crash"):
        fit([keras.callbacks.BackupAndRestore(backup), Crash()])
    epochs = []
    look = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: epochs.append(epoch))
    model = fit([keras.callbacks.BackupAndRestore(backup), look])
    assert epochs == [1, 2]
    assert model.optimizer.iterations == 15
    assert int(model._step.value) == 15  # so the noise went on as well


def test_model_checkpoint_keeps_the_best_average_and_the_log_has_its_loss(tmp_path):
    best, log = tmp_path / "best.keras", tmp_path / "log.csv"
    model = fit(
        [
            keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
            keras.callbacks.ModelCheckpoint(best, "val_loss", save_best_only=True),
            keras.callbacks.CSVLogger(log),
        ]
    )
    with log.open() as file:
        losses = [float(row["val_loss"]) for row in csv.DictReader(file)]
    again = keras.saving.load_model(best)
    assert isinstance(again.optimizer, AveragingAdam)
    data = tf.data.Dataset.from_tensors(np.full((8, 8, 8, 1), 0.5, np.float32))
    np.testing.assert_allclose(again.evaluate(data, verbose=0), min(losses), rtol=1e-5)
    assert model.optimizer.iterations == 15
    np.testing.assert_allclose(model.evaluate(data, verbose=0), losses[-1], rtol=1e-5)


def test_training_ends_when_the_loss_is_not_a_number():
    class Spoil(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                self.model.network.out.bias.assign([np.nan])

    model = fit([Spoil(), keras.callbacks.TerminateOnNaN()], epochs=9)
    assert model.optimizer.iterations == 6


def test_compile_options_change_the_speed_and_not_the_result():
    def weights(**options):
        keras.utils.set_random_seed(0)
        return fit([], **options).get_weights()

    expected = weights()
    for options in ({"jit_compile": True}, {"steps_per_execution": 5}):
        for a, b in zip(weights(**options), expected, strict=True):
            np.testing.assert_allclose(a, b, atol=2e-2)  # Adam magnifies rounding
