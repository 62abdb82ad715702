import numpy as np
import pytest

from benchmarks.papers.definitions import ADAPTIVE, TABLES
from benchmarks.papers.ordering import Ordering
from benchmarks.papers.plan import Plan, evaluations
from gddim_tf import sdes
from gddim_tf.samplers import GDDIM, RhoRK

SDES = {"vp": sdes.VPSDE(), "cld": sdes.CLD(), "bdm": sdes.BDM(8)}
BY_NAME = {table.name: table for table in TABLES}


def cells(table, label, column):
    table = BY_NAME[table]
    (row,) = (row for row in table.rows if row.label == label)
    return Plan().cells(table, row, column, SDES[row.kind])


def test_a_cell_has_three_seeds_and_a_long_one_has_one():
    short, long = cells("gddim", "DDPM, EM", 100), cells("gddim", "DDPM, EM", 1000)
    assert [(cell.seed, cell.count) for cell in short] == [(0, 2000), (1, 2000), (2, 2000)]
    assert [(cell.seed, cell.count) for cell in long] == [(0, 1000)]


def test_equal_samplers_share_their_cells():
    assert cells("deis", "DDIM", 10) == cells("ddim", "eta = 0", 10)
    assert cells("deis", "tAB3", 20) == cells("gddim", "DDPM, gDDIM", 20)
    assert cells("lambda", "EM, lambda = 1", 50) == cells("gddim", "CLD, EM", 50)
    assert cells("corrector", "predictor, order 0", 50) == cells("lambda", "gDDIM, lambda = 0", 50)
    wanted = Plan().all_cells(TABLES, SDES)
    assert len(set(wanted)) == len(wanted)


def test_cheap_cells_come_first_and_models_that_lack_are_left_out():
    wanted = Plan().all_cells(TABLES, SDES)
    rounds = [sum(cell.nfe > limit for limit in (20, 50, 200)) for cell in wanted]
    assert rounds == sorted(rounds)
    assert {cell.kind for cell in Plan().all_cells(TABLES, {"vp": SDES["vp"]})} == {"vp"}


def test_telling_cells_come_first_also_where_another_table_shares_them():
    telling = (
        Ordering("gddim", ("CLD, gDDIM", 20), ("CLD, EM", 100), telling=True),
        Ordering("ddim", ("eta = 0", 10), ("eta = 1", 10), telling=True),
    )
    wanted = Plan().all_cells(TABLES, SDES, telling)
    assert sorted(wanted, key=repr) == sorted(Plan().all_cells(TABLES, SDES), key=repr)
    first = [
        *cells("gddim", "CLD, gDDIM", 20),
        *cells("gddim", "CLD, EM", 100),
        *cells("ddim", "eta = 0", 10),
        *cells("ddim", "eta = 1", 10),
    ]
    assert set(wanted[: len(first)]) == set(first)


def test_what_a_paper_is_known_for_is_compared_with_all_seeds():
    plan = Plan(count=250, seeds=6, long=((50, 250), (1000, 100)))
    places = ("BDM, gDDIM", 10), ("BDM, ancestral sampling", 100)
    plain, telling = (Ordering("gddim", *places, telling=told) for told in (False, True))
    assert (plan.compared(plain), plan.compared(telling)) == ((250, 1), (250, 6))
    alone, compared = (set(plan.all_cells(TABLES, SDES, (one,))) for one in (plain, telling))
    assert {(cell.kind, cell.nfe, cell.count) for cell in compared - alone} == {("bdm", 100, 250)}
    assert {cell.seed for cell in compared - alone} == {1, 2, 3, 4, 5}


def test_what_decides_an_ordering_comes_first_among_cells_of_its_cost():
    ordering = Ordering("ddim", ("sigma-hat", 1000), ("eta = 0", 1000))
    wanted = Plan().all_cells(TABLES, SDES, (ordering,))
    deciding = [wanted.index(cells("ddim", *place)[0]) for place in ordering.places]
    long = [number for number, cell in enumerate(wanted) if cell.nfe == 1000]
    assert sorted(deciding) == long[:2]


def test_the_default_sampler_follows_the_budget():
    few, more = cells("gddim", "BDM, default", 10), cells("gddim", "BDM, default", 20)
    assert few[0].sampler != more[0].sampler


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_table_has_a_quick_form(table):
    wanted = Plan.quick().all_cells([table], SDES)
    assert wanted
    assert all(cell.count == 200 and cell.seed == 0 and cell.nfe <= 50 for cell in wanted)


def test_work_is_counted_in_evaluations():
    one, *others = cells("gddim", "DDPM, EM", 100)
    assert evaluations([one, *others]) == 3 * 100 * 2000
    assert evaluations([one, *others], done=[one]) == 2 * 100 * 2000


def test_places_that_are_compared_with_a_long_one_are_drawn_as_it_is():
    ordering = Ordering("gddim", ("BDM, gDDIM", 20), ("BDM, ancestral sampling", 1000))
    alone, compared = (Plan().all_cells(TABLES, SDES, given) for given in ((), (ordering,)))
    (more,) = set(compared) - set(alone)
    assert (more.kind, more.nfe, more.seed, more.count) == ("bdm", 20, 0, 1000)
    short = Plan(largest=100)
    assert short.all_cells(TABLES, SDES, (ordering,)) == short.all_cells(TABLES, SDES)


def test_the_larger_a_column_the_fewer_its_images():
    plan = Plan(count=500, long=((50, 250), (1000, 100)))
    assert [plan.draws(column) for column in (20, 50, 100, 1000)] == [
        (500, 3),
        (250, 1),
        (250, 1),
        (100, 1),
    ]
    ordering = Ordering("pndm", ("F-PNDM", 50), ("DDIM", 1000))
    alone, compared = (plan.all_cells(TABLES, SDES, given) for given in ((), (ordering,)))
    (more,) = set(compared) - set(alone)
    assert (more.kind, more.nfe, more.seed, more.count) == ("vp", 59, 0, 100)


def test_every_row_has_a_table_on_a_table_of_betas():
    betas = {"vp": sdes.VPSDE.from_betas(np.linspace(1e-4, 0.02, 1000))}
    cells = [cell for cell in Plan.quick().all_cells(TABLES, betas) if cell.sampler != ADAPTIVE]
    assert {type(cell.sampler) for cell in cells} > {RhoRK, GDDIM}
    for cell in cells:
        assert cell.sampler.table(betas["vp"], cell.nfe).nfe == cell.nfe
