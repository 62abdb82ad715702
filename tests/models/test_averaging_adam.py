import keras
import numpy as np
import pytest
import tensorflow as tf

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


def trained(optimizer, steps=4):
    """Weights and averages after steps along fixed gradients, one of them sparse."""
    random = np.random.default_rng(1)
    weights = [keras.Variable(random.standard_normal(shape)) for shape in ((3, 4), (5,), ())]
    rows = tf.IndexedSlices(tf.ones([2, 4]), tf.constant([0, 2]), tf.constant([3, 4]))
    for _ in range(steps):
        dense = [tf.constant(random.standard_normal(w.shape), tf.float32) for w in weights[1:]]
        optimizer.apply([rows, *dense], weights)
    return [np.asarray(w) for w in (*weights, *optimizer._model_variables_moving_average)]


@pytest.mark.parametrize("options", [{}, {"amsgrad": True}, {"beta_1": 0.5, "beta_2": 0.99}])
def test_it_is_the_adam_of_keras(options):
    ema = min(0.9, 2 / 11)  # of the second step, here and there
    ours = trained(AveragingAdam(1e-2, **options), steps=2)
    keras_adam = keras.optimizers.Adam(
        1e-2, epsilon=1e-8, use_ema=True, ema_momentum=ema, **options
    )
    for got, expected in zip(ours, trained(keras_adam, steps=2), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


def test_a_step_is_a_small_graph():
    optimizer, weights = AveragingAdam(1e-2), [keras.Variable(np.ones(2)) for _ in range(8)]
    optimizer.build(weights)

    @tf.function(autograph=False)
    def step():
        optimizer.apply([tf.ones([2])] * len(weights), weights)

    assert len(step.get_concrete_function().graph.as_graph_def().node) < 40 * len(weights)
