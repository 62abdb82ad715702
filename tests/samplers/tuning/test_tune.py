import functools
import re
import warnings

import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.models import GenerativeModel
from gddim_tf.samplers import (
    GDDIM,
    Ancestral,
    NotFiniteError,
    NotInvertibleError,
    Tuned,
    tune,
)
from gddim_tf.samplers.loop import run
from gddim_tf.samplers.parse import parse
from gddim_tf.samplers.tuning.bands import Bands
from gddim_tf.samplers.tuning.fit import Fit, fit
from gddim_tf.samplers.tuning.gap import Gap, gap, gap_of_table
from gddim_tf.samplers.tuning.refine import refined
from gddim_tf.samplers.tuning.second_moments import SecondMoments
from gddim_tf.samplers.tuning.task import Task
from gddim_tf.samplers.tuning.teacher import Teacher
from gddim_tf.samplers.tuning.tune import _chosen
from gddim_tf.sdes import BDM, CLD, VPSDE
from tests.oracles import Mixture

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")

SDES = {"vp": VPSDE(), "cld": CLD(), "bdm": BDM(2, sigma_blur=1.0)}
FEW = {"count": 48, "evaluations": 20}


class Known(GenerativeModel):
    """Data whose score is known, as a model."""

    image_shape, num_classes = (2, 2, 1), 0

    def __init__(self, data, name="known"):
        self.sde, self._network, self._name = data.sde, data.eps_fn(), name

    def eps(self, u, t, labels=None):
        return self._network(u, t)

    def fingerprint(self):
        return self._name


class TwoClasses(GenerativeModel):
    """A Gaussian of its own for each of two classes, and a broader one for none."""

    sde, image_shape, num_classes = VPSDE(), (2, 2, 1), 2

    def eps(self, u, t, labels=None):
        signal, root = (matrix[..., None] for matrix in self.sde.kernel(t))
        labels = tf.fill(tf.shape(t), 2) if labels is None else labels
        mean, variance = (
            tf.gather(tf.constant(values), labels)[:, None, None, None]
            for values in ([0.8, -0.8, 0.0], [0.05, 0.2, 0.7])
        )
        return root * (u - signal * mean) / (signal**2 * variance + root**2)

    def fingerprint(self):
        return "two classes"


def model(name, modes=2, weights="known"):
    sde = SDES[name]
    means = np.array([[0.8, -0.6, 0.5, 0.1], [-0.7, 0.4, 0.2, -0.9]])[:modes]
    means = means.reshape(modes, 2, 2, 1)
    shares = [0.6, 0.4] if modes == 2 else [1.0]
    return Known(Mixture(sde, shares, means, np.full((modes, 4), 0.05)), weights)


@functools.cache
def tuned(name):
    return tune(model(name), 4, **FEW)


def test_one_step_is_exact_on_gaussian_data():
    record = tune(model("vp", modes=1), 1, ridge=0.0, **FEW).budgets[1].record
    assert record["error_after"] < 1e-4 * record["error_before"]


@pytest.mark.parametrize("name", SDES)
def test_it_beats_the_untuned_table_on_seeds_that_were_not_fitted_on(name):
    record = tuned(name).budgets[4].record
    assert record["kept"]
    assert record["error_after"] < 0.8 * record["error_before"]
    assert record["teacher_error"] < 0.5 * record["error_after"]


def test_a_table_that_is_not_better_on_the_seeds_kept_apart_is_not_kept():
    base = tuned("vp")
    stiff = tune(model("vp"), 4, ridge=1e15, base=base, **FEW).budgets[4]
    assert not stiff.record["kept"]
    for column, values in base.budgets[4].table.arrays().items():
        np.testing.assert_array_equal(stiff.table.arrays()[column], values)


def graded(fitted, choosing, detail=1.0):
    """A fit of which only the errors and the detail count."""
    return Fit(None, (), (), Gap({"fit": fitted, "choose": choosing}, {}, {"choose": detail}))


def test_grids_that_are_as_good_on_the_seeds_that_choose_are_told_apart_by_the_others():
    fits = {"a": graded(0.3, 1.0), "b": graded(0.2, 1.04), "c": graded(0.1, 1.1)}
    assert _chosen(fits) == "b"
    assert _chosen({"a": fits["a"], "c": fits["c"]}) == "a"


def test_a_grid_that_smooths_detail_away_is_passed_over():
    smooth, whole = graded(0.1, 1.0, 0.9), graded(0.3, 1.2, 0.96)
    assert _chosen({"smooth": smooth, "whole": whole, "poor": graded(0.3, 1.3, 1.0)}) == "whole"
    assert _chosen({"smooth": smooth, "no better": graded(0.3, 1.2, 0.94)}) == "smooth"


def test_refining_moves_times_and_gains_on_the_seeds_that_choose():
    known = model("vp")
    task = Task(known.sde, known.eps, known.image_shape, 48)
    teacher = Teacher(task, 20)
    poor = fit(task, teacher, [0, 1, 2, 20], ridge=1e-6)
    better = refined(task, teacher, poor, ridge=1e-6)
    assert better.gap.errors["choose"] < 0.7 * poor.gap.errors["choose"]
    assert better.nodes[0] == 0 <= better.asked[0]
    assert better.nodes[-1] == 20
    assert sorted({*better.nodes}) == [*better.nodes]
    assert sorted({*better.asked}) == [*better.asked]
    assert better.asked != better.nodes[:-1]
    np.testing.assert_array_equal(better.table.time, teacher.times[[*better.asked]])
    again = gap_of_table(task, teacher, better.table)
    np.testing.assert_allclose(again.errors["report"], better.gap.errors["report"], rtol=1e-4)
    record = tune(known, 3, refine=True, **FEW).budgets[3].record
    assert record["grid"].endswith(", refined")
    assert record["error_after"] < record["error_before"]


@pytest.mark.parametrize("name", SDES)
def test_a_stiff_prior_leaves_the_analytic_weights(name):
    known = model(name)
    task = Task(known.sde, known.eps, known.image_shape, 32)
    teacher = Teacher(task, 8)
    table = fit(task, teacher, [0, 2, 3, 5, 8], ridge=1e15).table
    times = teacher.times[[0, 2, 3, 5, 8]]
    analytic = GDDIM(order=2, variable="sqrt_vp_time").fill(known.sde, times)
    np.testing.assert_allclose(table.state, analytic.state, atol=1e-10)
    np.testing.assert_allclose(table.prediction[:, :3], analytic.prediction, atol=1e-10)
    np.testing.assert_allclose(table.prediction[:, 3:], 0.0, atol=1e-10)


@pytest.mark.parametrize("name", SDES)
def test_images_keep_the_second_moment_that_least_squares_takes(name):
    known = model(name)
    task = Task(known.sde, known.eps, known.image_shape, 32)
    teacher = Teacher(task, 8)
    table = fit(task, teacher, [0, 3, 8], ridge=1e-6).table
    bands = Bands(known.sde, known.image_shape)
    ends = [run(table, known.eps, task.prior(batch)) for batch in task.batches("fit")]
    made, goal = (
        np.square(bands.per_value(np.concatenate(states))).sum(axis=0)
        for states in (ends, [teacher.states[-1, task.parts["fit"]]])
    )
    for members in bands.members:
        np.testing.assert_allclose(made[members].sum(0), goal[members].sum(0), rtol=2e-3)


def test_a_row_is_scaled_to_the_second_moments_of_each_component_as_far_as_its_prior_lets_it():
    moments = SecondMoments(Bands(SDES["cld"], (2, 2, 1)))
    moments.add(tf.constant([2.0, 3.0]) * tf.ones([5, 2, 2, 2]), np.full((5, 2, 2, 2), 6.0))
    row = np.eye(2), np.ones((3, 2, 2))
    state, weights = moments.kept(*row, 0.0)
    np.testing.assert_allclose(state, np.diag([3.0, 2.0]))
    np.testing.assert_allclose(weights, np.broadcast_to([[3.0], [2.0]], (3, 2, 2)))
    np.testing.assert_allclose(moments.kept(*row, 1.0)[0], np.diag([2.0, 1.5]))
    np.testing.assert_allclose(moments.kept(*row, 1e15)[0], np.eye(2))
    untold = SecondMoments(Bands(SDES["cld"], (2, 2, 1)))
    np.testing.assert_allclose(untold.kept(*row, 0.0)[0], np.eye(2))


def test_detail_is_the_difference_between_neighbours():
    known = model("vp")
    task = Task(known.sde, known.eps, known.image_shape, 32)
    teacher = Teacher(task, 8)
    fine = teacher.states[-1]
    for change, detail in ((0.5 * fine, 0.25), (fine + 0.3, 1.0)):
        ends = [(batch, tf.constant(change[batch])) for batch in task.batches("choose")]
        found = gap(task, teacher, ends)
        assert found.details["choose"] == pytest.approx(detail, rel=1e-5)
        assert found.lost == pytest.approx(1 - detail, abs=1e-5)


def test_the_file_gives_the_same_sampler(tmp_path):
    known, sampler = model("vp"), tuned("vp")
    sampler.save(tmp_path / "four.npz")
    sampler.save(tmp_path / "all")
    for text in (f"tuned:{tmp_path}/four.npz", f"tuned:{tmp_path}/all"):
        again = parse(text)
        assert repr(again) == repr(sampler)
        np.testing.assert_array_equal(
            known.sample(3, sampler=again, nfe=4), known.sample(3, sampler=sampler, nfe=4)
        )


def test_a_cut_or_edited_file_is_refused(tmp_path):
    path = tmp_path / "four.npz"
    tuned("vp").save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="must be a file of a tuned table, and is damaged"):
        Tuned.load(path)
    path.write_bytes(whole)
    with np.load(path) as file:
        arrays = dict(file)
    arrays["table/state"] = 2 * arrays["table/state"]
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match="its digest does not fit its contents"):
        Tuned.load(path)
    with pytest.raises(FileNotFoundError):
        Tuned.load(tmp_path / "none.npz")


def test_what_it_was_not_tuned_for_is_refused():
    sampler = tuned("vp")
    with pytest.raises(ValueError, match="`nfe` must be 4 for this tuned sampler, received 5"):
        sampler.table(VPSDE(), 5)
    with pytest.raises(ValueError, match="`sde` must be the diffusion that the table was tuned"):
        sampler.table(VPSDE(beta_max=10.0), 4)
    with pytest.raises(ValueError, match="`sde` must be the diffusion that the table was tuned"):
        sampler.table(CLD(), 4)
    with pytest.raises(NotInvertibleError, match="cannot be inverted"):
        sampler.encode(VPSDE(), 4)
    with pytest.warns(UserWarning, match="tuned for the weights known, the model has other"):
        model("vp", weights="other").sample(1, sampler=sampler, nfe=4)


def test_classes_and_guidance_are_those_of_the_draw():
    known = TwoClasses()
    sampler = tune(known, 3, guidance=2.0, labels=1, **FEW)
    record = sampler.budgets[3].record
    assert (record["labels"], record["guidance"]) == ("[1]", 2.0)
    assert record["error_after"] < 0.5 * record["error_before"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        images = known.sample(32, sampler=sampler, nfe=3, seed=5, labels=1, guidance=2.0)
    fine = known.sample(32, nfe=30, seed=5, labels=1, guidance=2.0)
    plain = known.sample(32, nfe=3, seed=5, labels=1, guidance=2.0)
    assert np.square(images - fine).mean() < 0.25 * np.square(plain - fine).mean()
    with pytest.warns(
        UserWarning, match="tuned for guidance 2.0 and is used with 1.0: tune it again"
    ):
        known.sample(1, sampler=sampler, nfe=3, labels=1)
    assert tune(known, 1, **FEW).budgets[1].record["labels"] == "[0 1]"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"base": Ancestral()}, "`base` must neither draw noise nor clip"),
        ({"count": 16}, "`count` must be a multiple of 4 and at least 32, received 16"),
        ({"evaluations": 6}, "`nfe` must be at most 3, half of the teacher's evaluations"),
        ({"guidance": 2.0}, "`guidance` needs a model with classes"),
        ({"ridge": -1.0}, "`ridge` must be at least 0"),
        ({"batch_size": 0}, "`batch_size` must be at least 1, received 0"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        tune(model("vp"), 4, **{**FEW, **arguments})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"nfe": []}, "`nfe` must hold at least one budget, received none"),
        ({"nfe": "four"}, "`nfe` must be a whole number of at least 1, received 'four'"),
        ({"count": 48.0}, "`count` must be a multiple of 4 and at least 32, received 48.0"),
        ({"evaluations": 20.5}, "`evaluations` must be a whole number"),
        ({"ridge": "small"}, "`ridge` must be a number, received 'small'"),
        ({"base": "ddim"}, "`base` must be a sampler, such as `DDIM()`, received 'ddim'"),
    ],
)
def test_arguments_of_another_kind_are_named(arguments, message):
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        tune(model("vp"), **{"nfe": 4, **FEW, **arguments})


def test_a_network_that_fails_is_named():
    known = model("vp")
    known.eps = lambda u, t, labels=None: tf.fill(tf.shape(u), np.float32(np.nan))
    with pytest.raises(NotFiniteError, match="the network must return finite values"):
        tune(known, 4, **FEW)
