import numpy as np
import tensorflow as tf

from gddim_tf.models.training_noise import training_noise
from gddim_tf.numerics.image_noise import fold_in, uniform_per_image


def test_times_are_stratified_and_noise_is_normal():
    draws = training_noise(0, tf.constant(3), tf.constant(1000), (4, 4, 2), 0.25)
    uniform, noise, keep = (value.numpy() for value in draws)
    np.testing.assert_array_equal(np.floor(np.sort(uniform) * 1000), np.arange(1000))
    assert noise.shape == (1000, 4, 4, 2)
    assert abs(noise.mean()) < 0.02 and abs(noise.std() - 1) < 0.02
    assert abs(keep.mean() - 0.75) < 0.05


def test_a_draw_is_a_function_of_seed_and_step_also_in_a_graph():
    graph = tf.function(training_noise, jit_compile=False)
    arguments = (tf.constant(7), tf.constant(5), (3, 3, 1), 0.5)
    eager, compiled = training_noise(1, *arguments), graph(1, *arguments)
    for a, b in zip(eager, compiled, strict=True):
        np.testing.assert_allclose(np.float32(a), np.float32(b), atol=2e-6)
    for other in (training_noise(2, *arguments), training_noise(1, tf.constant(8), *arguments[1:])):
        assert np.abs(other.noise - eager.noise).max() > 0.1


def test_no_time_is_beyond_the_last():
    """The last of a large batch is rounded to the end where the offset is near 1."""
    steps, batch = tf.range(5000), 2**15
    seeds = fold_in(tf.stack([tf.zeros_like(steps), steps], axis=1), 0)
    offsets = uniform_per_image(seeds, ()).numpy()
    step = np.argmax(offsets)
    assert np.float32(batch - 1) + offsets[step] == batch
    uniform = training_noise(0, tf.constant(step, tf.int32), tf.constant(batch), (1,), 0.0).uniform
    assert uniform.numpy().max() < 1
    np.testing.assert_allclose(uniform[-1], 1, atol=1e-4)
