import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.numerics.kernel_interpolation import interpolate, knots


@pytest.mark.parametrize("t_max", [1.0, 1000.0])
def test_cubics_in_the_fourth_root_of_time_are_exact(t_max):
    def cubic(t):
        x = np.asarray(t / t_max)[:, None, None] ** 0.25
        return np.concatenate([x**3 - 2 * x, 1 - x**2], axis=1)

    times = t_max * np.concatenate([[0, 1e-20, 1e-5, 1.0], np.linspace(0, 1, 97) ** 2])
    table = cubic(knots(t_max))
    found, twice = interpolate((table, 2 * table), tf.constant(times), t_max)
    assert found.shape == (101, 2, 1)
    np.testing.assert_allclose(found, cubic(times), rtol=0, atol=1e-11)
    np.testing.assert_allclose(twice, 2 * found, rtol=1e-12)
