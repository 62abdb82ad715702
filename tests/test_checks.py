import numpy as np
import pytest

from gddim_tf.checks import not_negative, positive, real, whole


@pytest.mark.parametrize("value", [True, 2.0, "2", None, np.float32(2)])
def test_what_is_no_whole_number(value):
    with pytest.raises(TypeError, match="`n` must be a whole number, received"):
        whole("n", value, 0)


def test_whole_numbers_and_their_range():
    assert whole("n", np.int64(3), 0, 3) == 3
    with pytest.raises(ValueError, match="`n` must be at least 1, received 0"):
        whole("n", 0, 1)
    with pytest.raises(ValueError, match="`n` must be at most 3, received 4"):
        whole("n", 4, 1, 3)


@pytest.mark.parametrize("value", ["2", None, True, 1j, [1.0]])
def test_what_is_no_number(value):
    with pytest.raises(TypeError, match="`x` must be a number, received"):
        real("x", value, 0.0)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1, 1.5, np.float32(-1), 10**400])
def test_numbers_out_of_range(value):
    with pytest.raises(ValueError, match="`x` must be finite, at least 0 and at most 1, received"):
        real("x", value, 0.0, 1.0)


def test_the_lowest_number_may_be_left_out():
    assert real("x", 0, 0.0) == 0
    with pytest.raises(ValueError, match="`x` must be finite, above 0, received 0"):
        real("x", 0, 0.0, above=True)


def test_constants_by_name():
    positive(beta=0.5, mass=np.float64(2))
    not_negative(gamma=0, beta=0.5)
    for value in (0, -1.0, float("nan")):
        with pytest.raises(ValueError, match=f"`mass` must be positive, received {value}"):
            positive(beta=0.5, mass=value)
    for value in (-1.0, float("nan")):
        with pytest.raises(ValueError, match=f"`gamma` must be at least 0, received {value}"):
            not_negative(gamma=value)
