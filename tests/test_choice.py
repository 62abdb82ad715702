import numpy as np
import pytest

from gddim_tf.choice import one_of_few


@pytest.mark.parametrize("value", [2, np.int64(2), "free"])
def test_what_is_one_of_few_is_taken(value):
    one_of_few("order", value, 1, 2, "free")


@pytest.mark.parametrize(
    ("value", "received"),
    [(4, "4"), (2.0, "2.0"), (True, "True"), (None, "None"), ("2", "'2'"), ([1], r"\[1\]")],
)
def test_what_is_none_of_few_is_named(value, received):
    told = rf'^`order` must be 1, 2 or "free", received {received}$'
    with pytest.raises(ValueError, match=told):
        one_of_few("order", value, 1, 2, "free")
