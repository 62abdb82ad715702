"""A diffusion solved numerically: against every closed form, and one that has none."""

import threading

import keras
import numpy as np
import pytest
import scipy.integrate
import tensorflow as tf

from gddim_tf.numerics.image_noise import image_seeds
from gddim_tf.numerics.linalg import transpose
from gddim_tf.samplers import run
from gddim_tf.sdes import BDM, CLD, VPSDE, NumericalSDE
from tests.oracles import Mixture
from tests.samplers.cases import IMPOSSIBLE, SAMPLERS, budget
from tests.sdes import cases

# Not the discrete table, which has kinks, nor CLD without noise at the start, nor those without
# signal at the end, where F is infinite.
CLOSED_FORMS = sorted(
    set(cases.NAMES)
    - {"discrete", "cld_no_eps", "blurred_langevin", "third_order"}
    - {"discrete_zero_snr", "vp_zero_snr", "flow", "flow_shift"}
)


def twin(sde):
    """The same diffusion, of which only the equation is known."""
    return NumericalSDE(
        sde.drift,
        sde.diffusion,
        sde.covariance(0.0),
        sde.t_min,
        sde.t_max,
        sde.modes,
        sde.mode_index,
        sde.prior_scale(),
    )


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_it_agrees_with_the_closed_forms(name):
    sde = cases.sde(name)
    numerical = twin(sde)
    rng = np.random.default_rng(0)
    t = np.concatenate([np.geomspace(1e-9, 1.0, 40), rng.uniform(0, 1, 40)]) * sde.t_max
    s = rng.permutation(t)
    assert cases.relative_error(numerical.transition(t, s), sde.transition(t, s)) < 1e-10
    for method in ("covariance", "cholesky", "root"):
        value, expected = getattr(numerical, method)(t), getattr(sde, method)(t)
        assert cases.relative_error(value, expected) < 1e-10
    np.testing.assert_allclose(numerical.root(0.0), sde.root(0.0), atol=1e-12)
    t, s = cases.times(sde)[:-1], cases.times(sde)[1:]
    reverse = sde.reverse_transition(t, s, 0.5)
    assert cases.relative_error(numerical.reverse_transition(t, s, 0.5), reverse) < 1e-8
    np.testing.assert_array_equal(numerical.prior_scale(), sde.prior_scale())


def test_a_tiny_transition_is_relatively_exact():
    sde = BDM(8)
    ratio = twin(sde).transition(sde.t_max, 0.0) / sde.transition(sde.t_max, 0.0)
    np.testing.assert_allclose(ratio, 1.0, rtol=1e-10)


def test_a_constant_drift_may_be_an_array():
    sde = CLD()
    constant = NumericalSDE(sde.drift(0.0), sde.diffusion(0.0), sde.covariance(0.0))
    t = np.geomspace(1e-6, 1.0, 30)
    assert cases.relative_error(constant.root(t), sde.root(t)) < 1e-10
    assert cases.relative_error(constant.transition(0.3, t), sde.transition(0.3, t)) < 1e-10


def test_the_root_of_three_components_solves_its_equation():
    sde = cases.sde("third_order")

    def rate(t, flat):
        noise = sde.diffusion(t) @ sde.diffusion(t).T
        generator = sde.drift(t) + 0.5 * noise @ np.linalg.inv(sde.covariance(t))
        return (generator @ flat.reshape(3, 3)).ravel()

    reference = scipy.integrate.solve_ivp(
        rate, (0.0, 1.0), sde.cholesky(0.0).ravel(), "DOP853", rtol=1e-11, atol=1e-14
    ).y[:, -1]
    np.testing.assert_allclose(sde.root(1.0), reference.reshape(3, 3), atol=1e-8)


def test_it_may_be_solved_for_the_first_time_inside_a_graph():
    sde = twin(VPSDE())
    signal, root = tf.function(sde.kernel)(tf.constant([0.2, 0.7]))
    np.testing.assert_allclose(signal, VPSDE().transition([0.2, 0.7], 0.0), atol=1e-6)
    np.testing.assert_allclose(root, VPSDE().root([0.2, 0.7]), atol=1e-6)


def test_it_may_be_solved_by_several_threads():
    sde, results = twin(VPSDE()), []
    threads = [threading.Thread(target=lambda: results.append(sde.root(0.5))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 3
    for result in results:
        np.testing.assert_array_equal(result, results[0])


# ---- a diffusion that nobody has solved on paper ----------------------------------------------


# It has two components, like CLD, and states that are not pixels, like BDM.
POSSIBLE = [name for name in SAMPLERS if not {("cld", name), ("bdm", name)} & IMPOSSIBLE]


@pytest.mark.parametrize("name", POSSIBLE)
def test_every_sampler_finds_the_data_of_blurred_langevin(name):
    sde, sampler = cases.sde("blurred_langevin"), SAMPLERS[name]
    mean = 0.5 * np.random.default_rng(0).standard_normal((4, 4, 1))
    data = Mixture.gaussian(sde, sde.from_pixels(tf.constant(mean[None]))[0], 1e-4)
    seeds = image_seeds(0, 0, 4)
    start = tf.cast(sde.prior((4, 4, 1), seeds), tf.float64)
    table = sampler.table(sde, budget(sampler, 32))
    images = sde.to_images(run(table, data.eps_fn(), start, seeds=seeds))
    # the data have the standard deviation 0.01; not all methods have converged
    deviation = np.sqrt(np.mean((images - mean) ** 2))
    assert 0.002 < deviation < (0.5 if name in ("euler", "fon") else 0.03)


def test_the_modes_of_blurred_langevin_decay_at_their_own_rates():
    sde = cases.sde("blurred_langevin")
    size = np.abs(sde.transition(1.0, 0.0)).max(axis=(-1, -2))
    assert np.all(np.diff(size) < 0)
    # the heat commutes with everything else
    heat = scipy.integrate.quad(lambda t: 0.5 * np.sin(0.5 * np.pi * t) ** 3, 0, 1, epsabs=1e-13)[0]
    rate = np.pi**2 * np.array([0, 1, 2]) / 16
    np.testing.assert_allclose(size[:3] / size[0], np.exp(-rate * heat), rtol=1e-10)


# ---- arguments -------------------------------------------------------------------------------


def test_scalars_are_matrices_of_one_component():
    sde = NumericalSDE(-1.0, np.sqrt(2.0), 0.0)
    assert sde.components == 1
    np.testing.assert_allclose(sde.covariance(0.5), [[1 - np.exp(-1.0)]], rtol=1e-11)
    np.testing.assert_array_equal(sde.root(0.0), [[0.0]])


def test_the_default_prior_is_the_covariance_at_the_last_time():
    sde = NumericalSDE(-1.0, 1.0, 0.25)
    np.testing.assert_allclose(sde.prior_scale() ** 2, sde.covariance(1.0), rtol=1e-14)


def good():
    return {"drift": -np.eye(2), "diffusion": np.eye(2), "initial_covariance": np.eye(2)}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"drift": np.eye(3)}, r"`drift` must have the shape \(2, 2\), received \(3, 3\)"),
        (
            {"drift": lambda t: np.zeros((2, 2, len(t)))},
            r"`drift` must have the shape \(5, 2, 2\), received \(2, 2, 5\)",
        ),
        ({"diffusion": lambda t: np.ones((3, 2, 2))}, r"`diffusion` must have .*\(3, 2, 2\)"),
        ({"drift": lambda t: 1 / t[:, None, None]}, "`drift` must be finite"),
        (
            {"prior_scale": np.ones(3)},
            r"`prior_scale` must have the shape \(2, 2\), received \(3,\)",
        ),
        ({"initial_covariance": np.ones((3, 2, 2))}, "`initial_covariance` must have the shape"),
        ({"initial_covariance": np.diag([1.0, 0.0])}, "positive definite, .* eigenvalue 0"),
        ({"initial_covariance": np.array([[1.0, 0.5], [0.0, 1.0]])}, "must be symmetric"),
        ({"t_min": 2.0}, "`t_min` and `t_max`"),
    ],
)
def test_arguments_are_checked(changed, message):
    with pytest.raises(ValueError, match=message), np.errstate(divide="ignore"):
        NumericalSDE(**{**good(), **changed})


def test_a_variance_must_not_be_negative():
    with pytest.raises(ValueError, match=r"`initial_covariance` must be at least 0, .* -0\.5"):
        NumericalSDE(-1.0, 1.0, -0.5)


@pytest.mark.parametrize("t", [-0.1, 1.1, np.nan])
def test_times_outside_the_interval_are_refused(t):
    sde = NumericalSDE(**good())
    with pytest.raises(ValueError, match=r"times must be in \[0, 1.0\], received"):
        sde.covariance(np.array([0.5, t]))


# ---- serialisation ---------------------------------------------------------------------------


def test_registered_functions_and_arrays_are_saved():
    sde = NumericalSDE(cases.third_order_drift, np.eye(3), np.eye(3), prior_scale=2 * np.eye(3))
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(sde))
    assert copy.get_config() == sde.get_config()
    assert copy.get_config()["drift"]["config"] == "gddim_tf_tests>third_order_drift"
    np.testing.assert_array_equal(copy.drift(0.3), sde.drift(0.3))
    np.testing.assert_array_equal(copy.prior_scale(), 2 * np.eye(3))


def test_modes_and_times_are_saved():
    index = np.array([[0], [1]])
    sde = NumericalSDE(-1.0, 1.0, 0.0, t_min=0.01, t_max=2.0, modes=(2,), mode_index=index)
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(sde))
    np.testing.assert_array_equal(copy.mode_index, index)
    assert (copy.t_min, copy.t_max, copy.modes, copy.components) == (0.01, 2.0, (2,), 1)


def test_other_functions_are_not():
    sde = NumericalSDE(lambda t: -np.ones((len(t), 1, 1)), 1.0, 1.0)
    with pytest.raises(ValueError, match="`drift` must be an array or a function registered"):
        sde.get_config()
    assert repr(sde) == "NumericalSDE(components=1, modes=(), t_min=0.001, t_max=1.0)"


def test_the_transpose_of_a_root_is_not_a_root():
    # guards the convention R R^T, which the scalar diffusions cannot see
    sde = cases.sde("third_order")
    root = sde.root(0.5)
    assert cases.relative_error(transpose(root) @ root, sde.covariance(0.5)) > 0.01
