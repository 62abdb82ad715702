import hashlib

import pytest

from gddim_tf import samplers, serving
from gddim_tf.evaluation.fingerprint import file_digest, fingerprint
from tests.conftest import own_model


@pytest.mark.slow
def test_an_export_keeps_the_fingerprint(tmp_path):
    model = own_model()
    serving.export(model, tmp_path, {"sample_2": (samplers.DDIM(), 2)})
    assert fingerprint(serving.ServedModel(tmp_path)) == fingerprint(model)


def test_every_weight_counts():
    model = own_model()
    before = fingerprint(model)
    kernel = model.network.hidden.kernel
    kernel.assign(kernel + 1e-6)
    assert fingerprint(model) != before


def test_a_folder_is_the_sum_of_its_files(tmp_path):
    (tmp_path / "b").write_bytes(b"two")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "c").write_bytes(b"one")
    assert file_digest(tmp_path) == hashlib.sha256(b"onetwo").hexdigest()
    assert file_digest(tmp_path / "b") == hashlib.sha256(b"two").hexdigest()
