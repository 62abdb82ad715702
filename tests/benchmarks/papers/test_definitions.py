import pytest

from benchmarks.papers.definitions import TABLES
from benchmarks.papers.orderings import ORDERINGS
from benchmarks.papers.plan import budget
from benchmarks.papers.published import FIGURES, SOURCES
from gddim_tf.samplers import FPNDM, GDDIM, SPNDM, Heun, RhoRK

BY_NAME = {table.name: table for table in TABLES}


def test_budgets_are_those_that_the_papers_print():
    # the superscripts of DEIS's table
    printed = {
        "2heun": (6, 10, 16, 20, 50),
        "3kutta": (6, 12, 15, 21, 51),
        "4rk": (8, 12, 16, 20, 52),
    }
    for method, budgets in printed.items():
        sampler = RhoRK(method=method)
        assert tuple(budget(sampler, column) for column in (5, 10, 15, 20, 50)) == budgets
    assert budget(Heun(), 20) == 21
    assert budget(GDDIM(corrector="pece"), 50) == 51
    assert budget(SPNDM(), 50, "steps") == 51
    assert budget(FPNDM(), 50, "steps") == 59
    assert budget("rk45", 50) == 50


def test_a_budget_out_of_reach_is_named():
    with pytest.raises(ValueError, match="`column` 3 is no budget of FPNDM"):
        budget(FPNDM(), 3)


def test_published_figures_stand_beside_rows():
    assert set(SOURCES) == set(BY_NAME)
    for name, figures in FIGURES.items():
        table = BY_NAME[name]
        assert set(figures) <= {row.label for row in table.rows}
        assert {len(row) for row in figures.values()} == {len(table.columns)}


def test_labels_are_unique():
    for table in TABLES:
        labels = [row.label for row in table.rows]
        assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("ordering", ORDERINGS, ids=str)
def test_orderings_are_in_the_tables_and_hold_in_the_papers(ordering):
    table = BY_NAME[ordering.table]
    rows = {row.label: row for row in table.rows}
    for label, column in (ordering.better, ordering.worse):
        assert column in (rows[label].columns or table.columns)
    better, worse = (figure(table, place) for place in (ordering.better, ordering.worse))
    if better is not None and worse is not None:
        assert better < ordering.factor * worse


def figure(table, place):
    """A published number; None where there is none, and 100 for what is only said to exceed it."""
    row = FIGURES.get(table.name, {}).get(place[0])
    if row is None:
        return None
    value = row[table.columns.index(place[1])]
    return float(value.split()[0].removeprefix(">")) if isinstance(value, str) else value
