import keras
import numpy as np
import pytest

from gddim_tf.training import AveragingAdam


def averages(optimizer, values):
    """What the optimizer's average is while a weight takes these values."""
    weight = keras.Variable(0.0)
    optimizer.build([weight])
    average = optimizer._model_variables_moving_average[0]
    seen = []
    for value in values:
        optimizer.apply([0.0 * weight], [weight])
        weight.assign(value)
        seen.append(float(average))
    return seen


def test_the_decay_warms_up():
    values = np.random.default_rng(0).standard_normal(60)
    expected, average = [], 0.0
    before = [0.0, *values[:-1]]  # a step of size 0 sees the value of the step before
    for n, value in enumerate(before):
        decay = 0.0 if n == 0 else min(0.8, (1 + n) / (10 + n))
        average = decay * average + (1 - decay) * value
        expected.append(average)
    got = averages(AveragingAdam(0.0, ema_momentum=0.8), values)
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_batches_of_one_update_decay_as_one():
    options = {"ema_momentum": 0.8, "gradient_accumulation_steps": 3}
    values = np.repeat([0.0, 1.0], [3 * 40, 3 * 10])
    last = averages(AveragingAdam(0.0, **options), values)[-1]
    np.testing.assert_allclose(1 - last, 0.8 ** (29 / 3), rtol=1e-4)  # the last one is not seen


def test_it_is_adam_and_can_be_saved():
    optimizer = AveragingAdam(1e-3, ema_momentum=0.99, global_clipnorm=1.0)
    assert (optimizer.beta_1, optimizer.beta_2, optimizer.epsilon) == (0.9, 0.999, 1e-8)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
    assert again.get_config() == optimizer.get_config()
    assert again.get_config()["ema_momentum"] == 0.99
    with pytest.raises(ValueError, match="ema_momentum"):
        AveragingAdam(ema_momentum=1.5)
