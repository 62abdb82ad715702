import numpy as np
import pytest
import tensorflow as tf

from gddim_tf import DiffusionModel, load, save, sdes
from gddim_tf.models.precision import with_precision
from gddim_tf.networks import ScoreUNet


@pytest.fixture(scope="module")
def model():
    """Computes in bfloat16, with weights that matter."""
    network = ScoreUNet.from_preset("ddpm_tiny", dtype="mixed_bfloat16", num_classes=3)
    generator = np.random.default_rng(0)
    for weight in network.weights:
        weight.assign(weight + 0.1 * generator.standard_normal(weight.shape))
    return DiffusionModel(network, sdes.VPSDE(), prediction="v", label_dropout=0.2)


def test_the_same_weights_compute_in_another_precision(model, tmp_path):
    precise = with_precision(model, "float32")
    assert precise.network.parts["down.0.block.0"].compute_dtype == "float32"
    assert model.network.parts["down.0.block.0"].compute_dtype == "bfloat16"
    assert (precise.prediction, precise.label_dropout, precise.num_classes) == ("v", 0.2, 3)
    for first, second in zip(precise.weights, model.weights, strict=True):
        np.testing.assert_array_equal(first, second)
    u, t = tf.random.stateless_normal([4, 8, 8, 1], [0, 1]), tf.constant([0.1, 0.4, 0.7, 1.0])
    expected = DiffusionModel(
        ScoreUNet.from_preset("ddpm_tiny", num_classes=3), sdes.VPSDE(), prediction="v"
    )
    expected.set_weights(model.get_weights())
    eps = precise.eps(u, t).numpy()
    np.testing.assert_array_equal(eps, expected.eps(u, t))
    rounding = np.abs(eps - model.eps(u, t)).max()
    assert 1e-4 < rounding < 0.1
    # and back, through a file
    save(with_precision(precise, "mixed_bfloat16"), tmp_path / "model.keras")
    np.testing.assert_array_equal(load(tmp_path / "model.keras").eps(u, t), model.eps(u, t))


def test_unknown_precisions_are_refused(model):
    with pytest.raises(ValueError, match="float17"):
        with_precision(model, "float17")
