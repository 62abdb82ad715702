import pytest

from gddim_tf.evaluation.tables.document import document
from gddim_tf.evaluation.tables.orderings import Judged, Ordering, judge
from gddim_tf.evaluation.tables.plan import Plan
from gddim_tf.evaluation.tables.results import Entry, Results

PLACES = ("a", 10), ("b", 20)


class Found:
    """Results with two places."""

    def __init__(self, better, worse):
        self.entries = dict(zip(PLACES, (better, worse), strict=True))

    def entry(self, table, label, column):
        return self.entries[label, column] if table == "t" else None


def entry(*frechet, column=10):
    return Entry(column, tuple({"frechet": value, "spent": column} for value in frechet))


@pytest.mark.parametrize(
    ("better", "worse", "factor", "verdict"),
    [
        (entry(1.0, 1.1, 0.9), entry(2.0, 2.1, 1.9), 1.0, "held"),
        (entry(2.0, 2.1, 1.9), entry(1.0, 1.1, 0.9), 1.0, "not held"),
        (entry(1.0, 1.3, 0.7), entry(1.1, 1.4, 0.8), 1.0, "within the spread"),
        (entry(1.2, 1.2, 1.2), entry(1.0, 1.0, 1.0), 1.25, "held"),
        (entry(1.3, 1.3, 1.3), entry(1.0, 1.0, 1.0), 1.25, "not held"),
        (entry(1.0), Entry(20, ({"diverged": "NaN", "spent": 20},)), 1.0, "held"),
        (Entry(10, ({"diverged": "NaN", "spent": 10},)), entry(9.0), 1.0, "not held"),
    ],
)
def test_verdicts(better, worse, factor, verdict):
    (judged,) = judge((Ordering("t", *PLACES, factor),), Found(better, worse))
    assert judged.verdict == verdict


def test_what_was_not_made_is_not_judged():
    assert judge((Ordering("other", *PLACES),), Found(entry(1.0), entry(2.0))) == []
    assert judge((Ordering("t", *PLACES),), Found(entry(1.0), None)) == []


def test_reasons_are_given_once_and_for_digits_only(tmp_path):
    missed = [
        Judged(
            Ordering("t", (label, 10), ("b", 20), why="Because."), entry(2.0), entry(1.0), verdict
        )
        for label, verdict in (("a", "not held"), ("c", "within the spread"), ("d", "held"))
    ]
    nothing = Results(tmp_path, [], Plan(), {}, {})
    text = document(nothing, missed, {}, {}, reasons=True)
    assert text.count("Because.") == 1
    assert "Because.\n\n- a at 10 beats b at 20\n- c at 10 beats b at 20\n" in text
    assert "1 held, 1 within the spread, 1 not held" in text
    assert "Because." not in document(nothing, missed, {}, {})


def test_an_entry_sums_up_its_seeds():
    found = entry(1.0, 2.0, 3.0)
    assert (found.frechet, found.spread) == (2.0, 1.0)
    assert found.error == pytest.approx(3**-0.5)
    assert Entry(10, ({"frechet": 1.0, "spent": 12},)).extra == 2
