import pathlib
import runpy
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.evaluation.classifiers import (
    digits_accuracy,
    fashion_accuracy,
    load_digits_classifier,
    load_fashion_classifier,
)

ROOT = pathlib.Path(__file__).parents[2]
CLOTHES = f"idx:{ROOT / 'tests' / 'golden' / 'fashion_mnist'}"
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "train_classifier.py"))
BUILD, TRAIN, WRITE = SCRIPT["build"], SCRIPT["train"], SCRIPT["write"]


@pytest.mark.parametrize("kind", ["digits", pytest.param("fashion", marks=pytest.mark.slow)])
def test_training_is_reproducible_and_leaves_the_global_seeds_alone(kind):
    def weights_and_draw():
        keras.utils.set_random_seed(3)
        data = {"digits": None, "fashion": CLOTHES}[kind]
        return TRAIN(kind, data, epochs=1, seed=5).get_weights(), np.random.rand()

    weights, draw = weights_and_draw()
    keras.utils.set_random_seed(3)
    assert draw == np.random.rand()
    for first, second in zip(weights, weights_and_draw()[0], strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-3, atol=1e-3)


def test_the_networks_are_those_of_the_packaged_files():
    for kind, load in (("digits", load_digits_classifier), ("fashion", load_fashion_classifier)):
        built, packaged = BUILD(kind), load()
        assert [weight.shape for weight in built.weights] == [w.shape for w in packaged.weights]
        built.set_weights(packaged.get_weights())
        images = np.random.default_rng(0).uniform(-1, 1, (4, *packaged.input_shape[1:]))
        np.testing.assert_allclose(built(images), packaged(images), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["digits", "fashion"])
def test_what_is_trained_is_good_and_written(kind, tmp_path):
    path = tmp_path / "new" / f"{kind}.keras"
    if kind == "digits":
        WRITE(TRAIN(kind), path)
        assert digits_accuracy(load_digits_classifier(path)) >= 0.97
    else:
        WRITE(TRAIN(kind, CLOTHES), path)
        assert fashion_accuracy(load_fashion_classifier(path), "train", CLOTHES) > 0.3
    assert path.stat().st_size < 1_000_000
    assert list(path.parent.iterdir()) == [path]


def test_seed_chooses_the_first_weights():
    kernels = [BUILD("digits", seed).get_weights()[0] for seed in (5, 5, 6)]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert np.abs(kernels[0] - kernels[2]).max() > 0.1


def test_shifts_cover_nine_positions_and_lose_no_ink():
    image = np.full((1, 8, 8, 1), -1.0)
    image[0, 3, 4, 0] = 1.0
    shifted = SCRIPT["shifted"](image)
    places = {tuple(np.argwhere(one[..., 0] == 1.0)[0]) for one in shifted}
    assert places == {(row, column) for row in (2, 3, 4) for column in (3, 4, 5)}
    assert (shifted == -1.0).sum() == 9 * 63


def test_every_pass_shows_every_image_once():
    batches = list(SCRIPT["batches"](300, 2, 7, keep_rest=False))
    assert [len(batch) for batch in batches] == [128] * 4
    for first, second in (batches[:2], batches[2:]):
        assert len(set(first) | set(second)) == 256
    assert not np.array_equal(batches[0], batches[2])
    across = list(SCRIPT["batches"](192, 2, 7, keep_rest=True))
    assert len(across) == 3
    assert len(set(np.concatenate(across))) == 192


def test_half_of_the_images_are_mirrored():
    image = np.random.default_rng(0).normal(size=(200, 4, 4, 1)).astype(np.float32)
    changed = SCRIPT["mirrored"](tf.constant(image), tf.constant([0, 3])).numpy()
    mirrored = (changed == image[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (mirrored | (changed == image).all(axis=(1, 2, 3))).all()
    assert 70 < mirrored.sum() < 130


def test_the_command_line_of_its_first_lines_is_understood():
    told = SCRIPT["options"](["fashion", "--data", "idx:clothes", "own.keras"])
    assert (told.kind, told.data, told.path) == ("fashion", "idx:clothes", "own.keras")
    assert SCRIPT["options"](["digits"]).path is None


@pytest.mark.parametrize(
    ("count", "shape", "label", "message"),
    [
        (128, (9, 9, 1), 9, "must have images of 8 x 8 pixels and 1 channel, .* of 9 x 9 x 1"),
        (128, (8, 8, 3), 9, "must have images of 8 x 8 pixels and 1 channel, .* of 8 x 8 x 3"),
        (128, (8, 8, 1), 11, "must have labels from 0 to 9, received .*own.npz of 11 to 11"),
        (127, (8, 8, 1), 9, "must have at least 128 training images, received .*own.npz of 127"),
    ],
)
def test_images_that_the_network_cannot_take(count, shape, label, message, tmp_path):
    images = np.zeros((count, *shape), np.uint8)
    np.savez(tmp_path / "own.npz", images=images, labels=np.full(count, label))
    with pytest.raises(ValueError, match=f"`--data` {message}"):
        TRAIN("digits", str(tmp_path / "own.npz"))


def test_the_place_of_the_file_is_looked_at_before_the_training(tmp_path, monkeypatch):
    monkeypatch.setitem(SCRIPT["main"].__globals__, "train", None)
    for path, message in (("own", "end in .keras"), (".keras", "end in"), ("", "not be empty")):
        given = str(tmp_path / path) if path else path
        monkeypatch.setattr(sys, "argv", ["train_classifier.py", "digits", given])
        with pytest.raises(ValueError, match=f"`path` must {message}"):
            SCRIPT["main"]()
