"""Noise that depends on nothing but its seed."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from gddim_tf.numerics.image_noise import (
    fold_in,
    image_seeds,
    normal_per_image,
    seeds_of_uses,
    uniform_per_image,
)


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_the_same_numbers_in_eager_and_compiled_graphs(jit_compile, dtype):
    seeds = image_seeds(3, 0, 4)

    def draw(seeds):
        return normal_per_image(fold_in(seeds, 5), (32, 32, 3), dtype)

    compiled = tf.function(draw, jit_compile=jit_compile)(seeds)
    # XLA has its own logarithm and cosine, which differ in the last bits of float64
    gap = 1e-14 if jit_compile and dtype == tf.float64 else 0
    np.testing.assert_allclose(compiled, draw(seeds), rtol=0, atol=gap)


def test_the_noise_is_that_of_box_and_muller_to_the_bit():
    seeds = image_seeds(11, 3, 8)
    first, second = np.moveaxis(uniform_per_image(seeds, (2, 1536)).numpy().astype(float), 1, 0)
    radius, angle = np.sqrt(-2 * np.log(first)), 2 * np.pi * second
    noise = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    expected = noise.astype(np.float32).reshape(8, 32, 32, 3)
    np.testing.assert_array_equal(normal_per_image(seeds, (32, 32, 3)), expected)


def test_an_image_does_not_depend_on_its_batch():
    many = normal_per_image(image_seeds(3, 0, 6), (4, 4, 1)).numpy()
    few = normal_per_image(image_seeds(3, 4, 2), (4, 4, 1))
    np.testing.assert_array_equal(few, many[4:])
    assert len({row.tobytes() for row in many}) == 6


def test_seeds_are_pairs_of_seed_and_index():
    np.testing.assert_array_equal(image_seeds(9, 2, 3), [[9, 2], [9, 3], [9, 4]])
    traced = tf.function(lambda seed: image_seeds(seed, 0, 2))(tf.constant(5))
    np.testing.assert_array_equal(traced, [[5, 0], [5, 1]])


def test_a_seed_that_would_wrap_round_is_refused():
    for wrong in (2**31, 2**70, np.int64(2**33 + 5), 1.7, np.float32(3), "3", [1, 2]):
        with pytest.raises(ValueError, match=r"`seed` must be a whole number .* received"):
            image_seeds(wrong, 0, 1)
    np.testing.assert_array_equal(image_seeds(np.uint8(9), 0, 1), [[9, 0]])
    np.testing.assert_array_equal(image_seeds(-(2**31), 0, 1), [[-(2**31), 0]])
    for wrong in (2**40, 2**31 - 1, -1, 2.0, "0", None):
        with pytest.raises(ValueError, match=r"`first` must be a whole number .* received"):
            image_seeds(0, wrong, 2)
    last = 2**31 - 1
    np.testing.assert_array_equal(image_seeds(0, np.int64(last), 1), [[0, last]])


def test_every_use_of_a_seed_is_a_new_seed():
    seeds = image_seeds(0, 0, 3)
    folded = np.concatenate([fold_in(seeds, n).numpy() for n in range(4)])
    assert len({tuple(row) for row in folded}) == 12
    np.testing.assert_array_equal(fold_in(seeds, tf.constant(2)), fold_in(seeds, 2))


@pytest.mark.parametrize(("dtype", "bits"), [(tf.float32, 23), (tf.float64, 52)])
def test_uniform_numbers_use_their_bits_and_avoid_the_ends(dtype, bits):
    values = uniform_per_image(image_seeds(2, 0, 50), (11, 7), dtype).numpy().astype(np.float64)
    grid = values * 2.0**bits - 0.5
    np.testing.assert_array_equal(grid, np.round(grid))
    assert (grid % 2).mean() == pytest.approx(0.5, abs=0.05)  # the last bit as well
    assert values.min() > 0 and values.max() < 1
    assert scipy.stats.kstest(values.ravel(), "uniform").pvalue > 0.01


def test_the_noise_is_standard_normal():
    noise = normal_per_image(image_seeds(1, 0, 100), (20, 20), tf.float64).numpy()
    assert noise.dtype == np.float64
    assert abs(noise.mean()) < 0.02 and abs(noise.std() - 1) < 0.02
    assert abs((noise**4).mean() - 3) < 0.15
    assert scipy.stats.kstest(noise.ravel(), "norm").pvalue > 0.01
    assert abs(np.corrcoef(noise[0].ravel(), noise[1].ravel())[0, 1]) < 0.2


def test_the_seeds_of_several_uses_are_those_of_each():
    seeds = image_seeds(2, 0, 3)
    together = seeds_of_uses(seeds, 1, tf.constant(4))
    for use in range(4):
        np.testing.assert_array_equal(together[use], fold_in(seeds, use + 1))
