import concurrent.futures
import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.numerics.image_noise import image_seeds
from gddim_tf.samplers import DDIM, DEIS, FPNDM, GDDIM, Heun, StochasticGDDIM, run
from gddim_tf.samplers.loop import compiled_loop, loop_inputs
from gddim_tf.samplers.loop_inputs import Layout
from gddim_tf.sdes import BDM, CLD, VPSDE
from tests.samplers.cases import ALL_SDES, PAIRS, SAMPLERS, budget
from tests.samplers.replay import replay


def states(sde, batch=3, dtype=np.float64, seed=0):
    shape = (4, 4, 3) if sde.mode_index is not None else (2, 5)
    shape = (batch, *shape[:-1], sde.components * shape[-1])
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def network(u, t):
    """Something smooth that depends on the state and on the time, in the dtype it is given."""
    time = tf.reshape(t, [-1] + [1] * (u.shape.rank - 1))
    return tf.sin(u) * tf.cos(3 * time / (1 + time)) + 0.1


def eps(u, t):
    return np.sin(u) * np.cos(3 * t / (1 + t)) + 0.1


# The loop sees the shape of a table, not the diffusion: of three components, and of the rows before
# a sampler's where no signal is left, it runs those that have each column once.
SHAPES = {"gddim_pece", "gddim_lam", "heun", "dpm_solver_3", "unipc_3", "sscs", "restart", "sa_2"}
LOOPS = [
    (sde, sampler)
    for sde, sampler in PAIRS
    if sde not in ("psld", "hold", "flow", "zero_snr")
    or (sde in ("hold", "flow") and sampler in SHAPES)
]


@pytest.mark.parametrize(("sde", "sampler"), LOOPS)
def test_the_loop_is_what_the_table_says(sde, sampler):
    sde, sampler = ALL_SDES[sde], SAMPLERS[sampler]
    table = sampler.table(sde, budget(sampler, 7, sde))
    u_T = states(sde)
    noise = np.random.default_rng(1).standard_normal((table.nfe + 1, *u_T.shape))
    end, path = run(table, network, tf.constant(u_T), noise=noise, trajectory=True)
    expected, expected_path = replay(table, eps, u_T, noise)
    scale = np.abs(expected_path).max()
    np.testing.assert_allclose(end, expected, atol=1e-11 * scale)
    np.testing.assert_allclose(path, expected_path, atol=1e-11 * scale)


@pytest.mark.parametrize("name", ["ddim", "gddim_pece", "gddim_free", "gddim_start", "heun"])
def test_calls_of_the_network_are_counted(name):
    calls = tf.Variable(0)

    def counting(u, t):
        calls.assign_add(1)
        return network(u, t)

    sampler = SAMPLERS[name]
    for least in (1, 6, 20):
        nfe = budget(sampler, least)
        calls.assign(0)
        run(sampler.table(CLD(), nfe), counting, tf.constant(states(CLD())))
        assert int(calls) == nfe


def test_what_is_compiled_again():
    traces = []

    def traced(u, t):
        traces.append(u.dtype)
        return network(u, t)

    def sample(sampler, nfe, dtype=np.float32, batch=3, **columns):
        run(sampler.table(CLD(), nfe), traced, tf.constant(states(CLD(), batch, dtype)), **columns)
        return len(traces)

    one = sample(GDDIM(), 10)
    assert one >= 1
    assert sample(GDDIM(), 20) == one
    assert sample(GDDIM(), 50, batch=2) == one
    assert sample(GDDIM(variable="rho", root="L"), 7) == one
    assert sample(DEIS(order=2), 11) == one
    assert sample(GDDIM(order=3), 10) > one
    count = len(traces)
    assert sample(GDDIM(), 10, dtype=np.float64) > count


@pytest.mark.parametrize("sde", [VPSDE(), CLD(), BDM(4)], ids=["vp", "cld", "bdm"])
def test_single_precision_follows_double_precision(sde):
    table = GDDIM(order=2).table(sde, 20)
    double, single = (
        run(table, network, tf.constant(states(sde, dtype=dtype))).numpy()
        for dtype in (np.float64, np.float32)
    )
    assert double.dtype == np.float64
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, double, atol=1e-4 * np.abs(double).max())


def test_trajectory():
    sde, u_T = CLD(), states(CLD())
    table = GDDIM(order=1).table(sde, 6)
    end, path = run(table, network, tf.constant(u_T), trajectory=True)
    assert path.shape == (7, *u_T.shape)
    np.testing.assert_array_equal(path[0], u_T)
    np.testing.assert_array_equal(path[-1], end)
    np.testing.assert_array_equal(run(table, network, tf.constant(u_T)), end)


def test_kinds_of_rows():
    """Each sampler's graph holds what its rows do, and no more."""
    table = FPNDM().table(VPSDE(), 20)
    kinds = Layout.of(table).kinds
    assert [(kind.keep, kind.commit) for kind in kinds] == [
        (False, False),
        (False, True),
        (True, False),
        (True, True),
    ]
    used = [{j for name, j in kind.used if name == "prediction"} for kind in kinds]
    assert used == [{4}, {0, 4, 5, 6}, {0}, {0, 1, 2, 3}]
    assert len(Layout.of(GDDIM().table(CLD(), 9)).kinds) == 1


# ---- noise ------------------------------------------------------------------------------------


def test_images_do_not_see_their_batch():
    sde = CLD()
    table = StochasticGDDIM(lam=0.6).table(sde, 5)
    u_T, seeds = states(sde, 4, np.float32), image_seeds(3, 0, 4)
    together = run(table, network, tf.constant(u_T), seeds=seeds).numpy()
    for i in range(4):
        alone = run(table, network, tf.constant(u_T[i : i + 1]), seeds=seeds[i : i + 1])
        np.testing.assert_allclose(alone[0], together[i], rtol=1e-6, atol=1e-6)
    other = run(table, network, tf.constant(u_T), seeds=image_seeds(4, 0, 4)).numpy()
    assert np.abs(other - together).max(axis=(1, 2)).min() > 1e-2
    again = run(table, network, tf.constant(u_T), seeds=seeds).numpy()
    np.testing.assert_array_equal(again, together)


def test_seeds_draw_standard_normal_noise_afresh_in_every_row():
    sde = VPSDE()
    table = StochasticGDDIM(lam=1.0).table(sde, 2)
    quiet = dataclasses.replace(
        table, state=0 * table.state, prediction=0 * table.prediction, noise=np.ones((2, 1, 1))
    )
    u_T = tf.zeros([2000, 3], tf.float64)
    _, path = run(quiet, network, u_T, seeds=image_seeds(0, 0, 2000), trajectory=True)
    first, second = path.numpy()[1:]
    for draw in (first, second):
        assert abs(draw.mean()) < 0.05
        assert draw.std() == pytest.approx(1, abs=0.05)
    assert abs(np.mean(first * second)) < 0.05


def test_given_noise_is_used_in_the_order_of_the_rows():
    sde, u_T = VPSDE(), states(VPSDE())
    table = DDIM(eta=1.0).table(sde, 3)
    started = dataclasses.replace(table, start=(2 * np.eye(1), 0.5 * np.eye(1)))
    noise = np.random.default_rng(0).standard_normal((4, *u_T.shape))
    for rows in (table, started):
        end = run(rows, network, tf.constant(u_T), noise=noise)
        np.testing.assert_allclose(end, replay(rows, eps, u_T, noise)[0], atol=1e-12)


def test_noise_must_come_from_somewhere():
    table, u_T = DDIM(eta=1.0).table(VPSDE(), 3), tf.constant(states(VPSDE()))
    with pytest.raises(ValueError, match="`noise` or `seeds` must be given"):
        run(table, network, u_T)
    with pytest.raises(ValueError, match="`noise` must hold 3 draws, received 2"):
        run(table, network, u_T, noise=np.zeros((2, *u_T.shape)))
    with pytest.raises(ValueError, match=r"`noise` must have shape \[draws, .* received \(3, 1, "):
        run(table, network, u_T, noise=np.zeros((3, 1, *u_T.shape[1:])))
    with pytest.raises(ValueError, match=r"`seeds` must have shape \(3, 2\), received \(1, 2\)"):
        run(table, network, u_T, seeds=image_seeds(0, 0, 1))
    noise = np.ones((3, *u_T.shape))
    given = [run(table, network, u_T, noise=values) for values in (noise, noise.tolist())]
    np.testing.assert_array_equal(*given)


# ---- data prediction --------------------------------------------------------------------------


def test_stored_data_predictions_are_clipped():
    sde, u_T = CLD(), 3 * states(CLD())
    table = GDDIM(order=1).table(sde, 4)
    stored = dataclasses.replace(
        table,
        data_state=np.tile(np.eye(2), (4, 1, 1)),
        data_eps=np.tile(-0.5 * np.eye(2), (4, 1, 1)),
        clip=1.0,
    )
    end = run(stored, network, tf.constant(u_T))
    np.testing.assert_allclose(end, replay(stored, eps, u_T)[0], atol=1e-12)
    unclipped = dataclasses.replace(stored, clip=None)
    assert np.abs(run(unclipped, network, tf.constant(u_T)) - end).max() > 0.1


# ---- threads, XLA, a larger graph -------------------------------------------------------------


def test_threads_may_share_everything():
    sde = CLD()
    samplers = [GDDIM(), GDDIM(corrector="pece"), Heun(), DEIS()]

    def job(i):
        sampler = samplers[i % 4]
        u_T = states(sde, seed=i)
        return run(sampler.table(sde, 9), network, tf.constant(u_T)).numpy()

    alone = [job(i) for i in range(12)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        together = list(pool.map(job, range(12)))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ["gddim_2", "gddim_pece", "gddim_free", "gddim_lam"])
def test_xla_gives_the_same_numbers(name):
    sde, sampler = CLD(), SAMPLERS[name]
    table = sampler.table(sde, budget(sampler, 5))
    u_T, seeds = tf.constant(states(sde, dtype=np.float32)), image_seeds(0, 0, 3)
    plain = run(table, network, u_T, seeds=seeds)
    compiled = run(table, network, u_T, seeds=seeds, jit_compile=True)
    np.testing.assert_allclose(compiled, plain, rtol=1e-4, atol=1e-4)


def test_the_loop_inside_a_larger_graph():
    sde, u_T = CLD(), states(CLD(), dtype=np.float32)
    table = GDDIM().table(sde, 8)

    @tf.function
    def images(noise):
        inputs = loop_inputs(table, noise)
        state, _, failed = compiled_loop(network, Layout.of(table), inputs)(inputs)
        return sde.to_images(state), failed

    end, failed = images(tf.constant(u_T))
    assert int(failed) == -1
    expected = sde.to_images(run(table, network, tf.constant(u_T)))
    np.testing.assert_allclose(end, expected, atol=1e-5)


def test_context_reaches_the_network():
    def guided(u, t, shift):
        return network(u, t) + tf.reshape(shift, [-1, 1, 1])

    sde, u_T = CLD(), states(CLD())
    table = GDDIM().table(sde, 5)
    shift = np.array([0.0, 0.5, -1.0])
    end = run(table, guided, tf.constant(u_T), context={"shift": tf.constant(shift)})
    expected, _ = replay(table, lambda u, t: eps(u, t) + shift[:, None, None], u_T)
    np.testing.assert_allclose(end, expected, atol=1e-11)


# ---- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_the_evaluation_that_went_wrong_is_named(bad):
    table = GDDIM().table(VPSDE(), 10)
    limit = float(table.time[6])

    def breaking(u, t):
        return tf.where(t[0] > limit + 1e-6, network(u, t), tf.constant(bad, u.dtype))

    message = rf"received NaN or Inf at evaluation 7 of 10 \(t = {limit:.6g}\)"
    with pytest.raises(ValueError, match=message):
        run(table, breaking, tf.constant(states(VPSDE())))


def test_large_numbers_are_finite_even_if_their_sum_is_not():
    table = DDIM().table(VPSDE(), 2)
    quiet = dataclasses.replace(table, prediction=0 * table.prediction)
    u_T = tf.ones([2, 4])
    end = run(quiet, lambda u, t: tf.fill(tf.shape(u), tf.constant(3e38)), u_T)
    np.testing.assert_allclose(end, u_T * table.state.prod(), rtol=1e-5)


def test_a_network_that_cannot_be_remembered():
    class Unhashable(list):
        def __call__(self, u, t):
            return u

    with pytest.raises(TypeError, match="`eps_fn` must be hashable, received Unhashable"):
        run(DDIM().table(VPSDE(), 3), Unhashable(), tf.zeros([1, 2]))


def test_wrong_shapes():
    table, u_T = GDDIM().table(CLD(), 4), tf.constant(states(CLD()))
    with pytest.raises(ValueError, match="`eps_fn` must return the shape of the state"):
        run(table, lambda u, t: u[..., :3], u_T)
    for wrong in (tf.zeros([3, 4], tf.int32), tf.zeros([4])):
        with pytest.raises(ValueError, match=r"`u_T` must be floating-point \[batch, "):
            run(table, network, wrong)
    with pytest.raises(ValueError, match="`u_T` must pack 2 components along its last axis"):
        run(table, network, u_T[..., :3])
