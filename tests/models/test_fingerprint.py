import pytest

from gddim_tf import samplers, serving
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
