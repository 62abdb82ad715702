import dataclasses

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from gddim_tf.samplers import DDIM, GDDIM, ListGrid, Table
from gddim_tf.samplers.builder import Row, pack, steps_within
from gddim_tf.samplers.table import multistep_table
from gddim_tf.sdes import BDM, CLD, VPSDE
from tests.samplers.cases import ALL_SDES, PAIRS, SAMPLERS, budget


@pytest.mark.parametrize(("sde", "sampler"), PAIRS)
@hypothesis.settings(max_examples=4, deadline=None)
@hypothesis.given(least=st.integers(1, 60))
def test_every_table_is_finite_and_costs_what_it_says(sde, sampler, least):
    nfe = budget(SAMPLERS[sampler], least, ALL_SDES[sde])
    check(SAMPLERS[sampler].table(ALL_SDES[sde], nfe), ALL_SDES[sde], nfe)


@pytest.mark.slow
@pytest.mark.parametrize(("sde", "sampler"), PAIRS)
@pytest.mark.parametrize("least", [200, 1000])
def test_long_tables(sde, sampler, least):
    nfe = budget(SAMPLERS[sampler], least, ALL_SDES[sde])
    check(SAMPLERS[sampler].table(ALL_SDES[sde], nfe), ALL_SDES[sde], nfe)


def check(table, sde, nfe):
    assert table.nfe == len(table.time) == nfe
    assert table.components == sde.components
    assert table.commit[-1]
    assert np.all((table.time >= 0) & (table.time <= sde.t_max))
    matrices = (nfe, *sde.modes, sde.components, sde.components)
    assert table.state.shape == matrices
    assert table.prediction.shape == (nfe, table.history + table.scratch, *matrices[1:])
    for column in table.arrays().values():
        assert column.dtype.kind != "f" or np.all(np.isfinite(column))


def test_the_number_of_evaluations_is_checked():
    for wrong in (0, -3, 2.5, True):
        with pytest.raises(ValueError, match="`nfe` must be a whole number of at least 1"):
            GDDIM().table(VPSDE(), wrong)


def test_a_table_must_be_finite():
    table = DDIM().table(VPSDE(), 3)
    broken = table.state.copy()
    broken[1] = np.nan
    with pytest.raises(ValueError, match="the column `state` of the table is not finite"):
        dataclasses.replace(table, state=broken)


def test_a_singular_grid_is_named():
    # log rho is not finite where there is no noise, and the second step uses the first time
    encode = GDDIM(variable="log_rho", grid=ListGrid([0.0, 0.4, 0.8]))
    with (
        np.errstate(divide="ignore", invalid="ignore"),
        pytest.raises(ValueError, match="a matrix of the SDE is singular"),
    ):
        encode.table(VPSDE(), 2)


def test_multistep_rows_are_padded():
    one = np.ones((1, 1))
    table = multistep_table(np.arange(2.0), np.ones((2, 1, 1)), [[one], [2 * one, 3 * one]])
    assert table.history == 2
    assert table.scratch == 0
    np.testing.assert_array_equal(table.prediction[..., 0, 0], [[1, 0], [2, 3]])
    assert table.keep.all()
    assert table.commit.all()


def test_packed_rows():
    one = np.ones((1, 1))
    rows = [
        Row(1.0, one, [one], keep=True, commit=False),
        Row(0.8, one, [2 * one], [3 * one], keep=False),
        Row(0.5, one, [4 * one, 5 * one], corrected_state=6 * one, corrected=[7 * one]),
        Row(0.2, one, [8 * one], noise=9 * one),
    ]
    table = pack(rows, VPSDE())
    assert (table.history, table.scratch, table.nfe) == (2, 1, 4)
    expected = [[1, 0, 0], [2, 0, 3], [4, 5, 0], [8, 0, 0]]
    np.testing.assert_array_equal(table.prediction[..., 0, 0], expected)
    np.testing.assert_array_equal(table.corrected_state[:, 0, 0], [1, 1, 6, 1])
    np.testing.assert_array_equal(
        table.corrected_prediction[..., 0, 0], [[1, 0, 0], [2, 0, 3], [7, 0, 0], [8, 0, 0]]
    )
    np.testing.assert_array_equal(table.noise[:, 0, 0], [0, 0, 0, 9])
    np.testing.assert_array_equal(table.keep, [True, False, True, True])
    np.testing.assert_array_equal(table.commit, [False, True, True, True])


def test_columns_that_are_not_there():
    table = GDDIM().table(CLD(), 4)
    assert sorted(table.arrays()) == ["commit", "keep", "prediction", "state", "time"]
    assert "mode_index" in GDDIM().table(BDM(4), 4).arrays()
    start = (np.eye(2), np.zeros((2, 2)))
    started = dataclasses.replace(table, start=start).arrays()
    np.testing.assert_array_equal(started["start_matrix"], start[0])
    np.testing.assert_array_equal(started["start_noise"], start[1])


@hypothesis.given(nfe=st.integers(1, 500), per=st.integers(1, 5), extra=st.integers(0, 7))
def test_steps_within_a_budget(nfe, per, extra):
    def cost(steps):
        return per * steps + extra

    possible = nfe > extra and (nfe - extra) % per == 0
    if possible:
        assert cost(steps_within(nfe, cost, "it")) == nfe
    else:
        with pytest.raises(ValueError, match=f"for it, received {nfe}") as error:
            steps_within(nfe, cost, "it")
        named = [int(word) for word in str(error.value).split() if word.isdigit()][:-1]
        assert named
        assert all(number > extra and (number - extra) % per == 0 for number in named)


def nbytes(table):
    return sum(column.nbytes for column in table.arrays().values())


def test_frequencies_that_decay_alike_share_their_matrices():
    table = GDDIM(order=3).table(BDM(32), 10)
    distinct = {i**2 + j**2 for i in range(32) for j in range(32)}
    assert table.state.shape == (10, len(distinct), 1, 1)
    assert nbytes(table) < 0.5 * 10 * 5 * 32 * 32 * 8


@pytest.mark.slow
def test_a_table_for_large_blurred_images_is_small():
    table = GDDIM(order=3).table(BDM(256), 50)
    assert nbytes(table) < 50e6
    assert isinstance(table, Table)
