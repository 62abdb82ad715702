import numpy as np
import pytest

from gddim_tf.models import DiffusionModel, load, save
from gddim_tf.samplers import DDIM

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")

NAMES = [f"kind {number}" for number in range(10)]


@pytest.fixture(scope="module")
def named(conditional_model):
    return DiffusionModel(conditional_model.network, conditional_model.sde, "v", class_names=NAMES)


def test_labels_may_be_names_and_names_are_kept(named, tmp_path):
    by_number = named.sample(2, nfe=2, labels=[3, 0])
    np.testing.assert_array_equal(named.sample(2, nfe=2, labels=["kind 3", "kind 0"]), by_number)
    again = load(save(named, tmp_path / "model.keras"))
    assert again.class_names == tuple(NAMES)
    np.testing.assert_array_equal(again.sample(2, nfe=2, labels=["kind 3", "kind 0"]), by_number)


def test_the_path_of_a_class_ends_in_its_samples(named):
    states = named.path(2, nfe=3, labels=["kind 1", "kind 2"])
    np.testing.assert_allclose(states[-1], named.sample(2, nfe=3, labels=[1, 2]), atol=1e-5)
    assert np.abs(states[-1] - named.path(2, nfe=3, labels=5)[-1]).max() > 1e-3


def test_an_image_is_encoded_given_its_class(named):
    images = np.zeros((2, 8, 8, 1), np.float32) - 0.5
    encoded = named.encode(images, DDIM(), nfe=3, labels=[1, 2])
    # the same, with a network that is told the classes by its caller
    other = named.encode(images, DDIM(), nfe=3, labels=[1, 5])
    np.testing.assert_allclose(encoded[0], other[0], atol=1e-6)
    assert np.abs(encoded[1] - other[1]).max() > 1e-3


def test_names_that_are_wrong_are_told(named, conditional_model, model):
    with pytest.raises(ValueError, match=r"must be of kind 0, .*, received 'cat'"):
        named.sample(1, labels="cat")
    with pytest.raises(ValueError, match="knows no names of its 10 classes, received 'cat'"):
        conditional_model.sample(1, labels="cat")
    with pytest.raises(ValueError, match="must be None for a model without classes"):
        model.sample(1, labels="cat")
    with pytest.raises(ValueError, match=r"`class_names` must be 10, .* received 1"):
        DiffusionModel(named.network, named.sde, "v", class_names=["cat"])
