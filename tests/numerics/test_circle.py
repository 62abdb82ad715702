"""Cosine and sine against NumPy's."""

import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.numerics.circle import cos_and_sin

# A few of the numbers that noise draws from, and those around the quarters and eighths of a turn.
COARSE = (np.arange(0, 2**23, 2**8) + 0.5) * 2.0**-23
AROUND = np.ravel(np.arange(1, 8)[:, None] / 8 + np.array([-3, -1, 1, 3]) * 2.0**-24)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_cosine_and_sine_are_those_of_the_rounded_angle(jit_compile):
    turns = np.concatenate([COARSE, AROUND])
    angle = 2 * np.pi * turns
    functions = tf.function(cos_and_sin, jit_compile=jit_compile)(tf.constant(turns))
    for found, exact in zip(functions, (np.cos(angle), np.sin(angle)), strict=True):
        # relative, because near a zero as many digits become noise as elsewhere
        np.testing.assert_allclose(found, exact, rtol=3 * 2.0**-53, atol=0)
