import numpy as np
import pytest

from gddim_tf.numerics.bisection import inverse_of_increasing


@pytest.mark.parametrize("power", [0.5, 1.0, 3.0])
def test_powers_are_undone(power):
    times = np.array([[1e-30, 1e-6], [0.3, 7.5]])
    found = inverse_of_increasing(lambda t: t**power, times**power, 8.0)
    np.testing.assert_allclose(found, times, rtol=1e-12)


def test_ends():
    found = inverse_of_increasing(np.tan, np.array([0.0, -1.0, np.inf]), 1.0)
    np.testing.assert_allclose(found, [0.0, 0.0, 1.0], rtol=1e-12)
    assert inverse_of_increasing(np.square, 4.0, 9.0).shape == ()
