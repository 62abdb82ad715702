import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.models.operators import Blur, Downsample, Grey, Linear, Mask

SHAPE = (4, 6, 3)
OPERATORS = {
    "mask": Mask(np.arange(24).reshape(4, 6) % 3 > 0),
    "mask_of_channels": Mask(np.arange(72).reshape(4, 6, 3) % 5 > 0),
    "downsample": Downsample(2),
    "grey": Grey(),
    "blur": Blur(0.7),
    "own": Linear(
        lambda x: x[:, ::2] - x[:, 1::2],
        adjoint=lambda y: tf.reshape(tf.stack([y, -y], 2), [-1, 4, 6, 3]),
    ),
}


def matrix(operator):
    """The operator as a matrix `[values, pixels]`."""
    basis = tf.reshape(tf.eye(72, dtype=tf.float64), [72, *SHAPE])
    return operator.apply(basis).numpy().reshape(72, -1).T


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_the_inverse_is_that_of_the_matrix(name, ridge):
    operator = OPERATORS[name]
    a = matrix(operator)
    values = operator.apply(tf.random.stateless_normal([2, *SHAPE], (0, 1), dtype=tf.float64))
    got = operator.inverse(values, tf.constant([ridge, ridge], tf.float64))
    flat = values.numpy().reshape(2, -1).T
    expected = a.T @ np.linalg.pinv(a @ a.T + ridge * np.eye(len(a)), rcond=1e-9) @ flat
    np.testing.assert_allclose(got.numpy().reshape(2, -1).T, expected, atol=1e-7)


def test_the_ridge_is_that_of_each_image():
    values = tf.ones([2, 4, 6, 1])
    both = Downsample(2).inverse(values, tf.constant([0.0, 1.0]))
    np.testing.assert_allclose(both[0], 1.0)
    np.testing.assert_allclose(both[1], 0.2)


def test_a_blur_is_that_of_a_gaussian():
    """In the middle of a large image, where the borders are far."""
    image = np.zeros((1, 41, 41, 1))
    image[0, 20, 20] = 1
    blurred = Blur(2.0).apply(tf.constant(image)).numpy()[0, ..., 0]
    x = np.arange(41) - 20
    kernel = np.exp(-(x**2) / 8) / np.sqrt(8 * np.pi)
    np.testing.assert_allclose(blurred, np.outer(kernel, kernel), atol=1e-4)


@pytest.mark.parametrize("given", ["both", "pseudo_inverse"])
def test_an_own_pseudo_inverse_serves_without_noise(given):
    def pseudo_inverse(y):
        return tf.repeat(tf.repeat(y, 2, 1), 2, 2)

    down = Downsample(2)
    adjoint = (lambda y: pseudo_inverse(y) / 4) if given == "both" else None
    own = Linear(down.apply, adjoint=adjoint, pseudo_inverse=pseudo_inverse)
    values = tf.random.stateless_normal([2, 2, 3, 1], (0, 1))
    for ridge, other in ((0.0, 0.0), (0.5, 0.5 if given == "both" else 0.5 / 4)):
        got = own.inverse(values, tf.fill([2], ridge))
        np.testing.assert_allclose(got, down.inverse(values, tf.fill([2], other)), atol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Linear(tf.identity), "`adjoint` or `pseudo_inverse` must be given"),
        (lambda: Mask([[0.5, 1]]), "`mask` must hold 1 for known pixels and 0 for others"),
        (lambda: Mask([1, 0]), r"`mask` must hold .* of shape \(2,\)"),
        (lambda: Downsample(0), "`factor` must be at least 1, received 0"),
        (lambda: Downsample(4).apply(tf.zeros([1, 6, 4, 1])), "`factor` must divide the sides"),
        (lambda: Grey((0.0, 0.0)), "`weights` must be one per channel"),
        (lambda: Grey().apply(tf.zeros([1, 4, 4, 1])), "`weights` must be one for each of 1"),
        (lambda: Blur(-1.0), "`sigma` must be finite, at least 0, received -1.0"),
    ],
)
def test_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "operator",
    [Blur(1.0), Downsample(2), Mask(np.eye(4)), Grey()],
    ids=lambda operator: type(operator).__name__,
)
def test_arrays_are_measured_like_tensors(operator):
    images = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype("float32")
    measured = operator.apply(images)
    np.testing.assert_array_equal(measured, operator.apply(tf.constant(images)))
    ridge = tf.zeros([2])
    again = operator.inverse(measured.numpy(), ridge)
    np.testing.assert_array_equal(again, operator.inverse(measured, ridge))
