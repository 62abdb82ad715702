import numpy as np
import pytest
import tensorflow as tf

from gddim_tf import samplers, serving
from gddim_tf.digest import weights_fingerprint
from tests.conftest import own_model


@pytest.mark.slow
def test_an_export_keeps_the_fingerprint(tmp_path):
    model = own_model()
    serving.export(model, tmp_path, {"sample_2": (samplers.DDIM(), 2)})
    assert serving.ServedModel(tmp_path).fingerprint() == model.fingerprint()


def test_every_weight_counts():
    model = own_model()
    before = model.fingerprint()
    kernel = model.network.hidden.kernel
    kernel.assign(kernel + 1e-6)
    assert model.fingerprint() != before


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_weights_of_every_precision_count(dtype):
    numbers = np.arange(6.0).reshape(2, 3)
    one, other = (tf.constant(numbers + k, dtype).numpy() for k in (0, 1))
    counter = np.arange(3)
    assert weights_fingerprint([one]) != weights_fingerprint([other])
    assert weights_fingerprint([one]) != weights_fingerprint([])
    assert weights_fingerprint([one, counter]) == weights_fingerprint([one, counter + 1])
