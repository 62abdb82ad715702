import warnings

import keras
import numpy as np
import pytest

from gddim_tf.evaluation import digits_classifier
from gddim_tf.evaluation.digits_classifier import (
    PACKAGED,
    build_digits_classifier,
    digits_accuracy,
    load_digits_classifier,
    train_digits_classifier,
)


def test_packaged_classifier_is_small_and_right():
    classifier = load_digits_classifier()
    assert PACKAGED.stat().st_size < 300_000
    assert classifier.get_layer("features").output.shape == (None, 64)
    assert digits_accuracy(classifier, "test") >= 0.97
    assert digits_accuracy(classifier, "train") >= 0.97


def test_training_is_reproducible_and_leaves_the_global_seeds_alone():
    def weights_and_draw():
        keras.utils.set_random_seed(3)
        weights = train_digits_classifier(epochs=1, seed=5).get_weights()
        return weights, np.random.rand()

    weights, draw = weights_and_draw()
    keras.utils.set_random_seed(3)
    assert draw == np.random.rand()
    for first, second in zip(weights, weights_and_draw()[0], strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-3, atol=1e-3)


def test_seed_chooses_the_first_weights():
    kernels = [build_digits_classifier(seed).get_weights()[0] for seed in (5, 5, 6)]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert np.abs(kernels[0] - kernels[2]).max() > 0.1


def test_shifts_cover_nine_positions_and_lose_no_ink():
    image = np.full((1, 8, 8, 1), -1.0)
    image[0, 3, 4, 0] = 1.0
    shifted = digits_classifier._shifted(image)
    places = {tuple(np.argwhere(one[..., 0] == 1.0)[0]) for one in shifted}
    assert places == {(row, column) for row in (2, 3, 4) for column in (3, 4, 5)}
    assert (shifted == -1.0).sum() == 9 * 63


def test_damaged_file_is_replaced_with_a_word_and_then_loaded(tmp_path):
    path = tmp_path / "digits.keras"
    path.write_bytes(PACKAGED.read_bytes()[:5000])
    with pytest.warns(UserWarning, match=r"training the digits classifier.*damaged") as record:
        trained = load_digits_classifier(path)
    assert any(warning.filename == __file__ for warning in record)
    assert digits_accuracy(trained) >= 0.97
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        loaded = load_digits_classifier(path)
    for first, second in zip(trained.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.slow
def test_missing_file_is_trained_with_a_word(tmp_path):
    with pytest.warns(UserWarning, match="none yet"):
        load_digits_classifier(tmp_path / "cache" / "digits.keras")
    assert (tmp_path / "cache" / "digits.keras").stat().st_size < 300_000


def test_other_models_are_refused_and_left_alone(tmp_path):
    path = tmp_path / "other.keras"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"other\.keras holds another model"):
        load_digits_classifier(path)
    assert path.read_bytes() == before
    with pytest.raises(ValueError, match=r"`path` must end in .keras, received 'digits.h5'"):
        load_digits_classifier("digits.h5")
