import pytest

from benchmarks.papers.cells import Cell
from benchmarks.papers.document import document
from benchmarks.papers.judging import Judged, judge, judged
from benchmarks.papers.ordering import Ordering
from benchmarks.papers.plan import Plan
from benchmarks.papers.results import Entry, Results
from benchmarks.papers.subjects import CIFAR10, Subject
from gddim_tf.evaluation.report import Result
from gddim_tf.samplers import DDIM

PLACES = ("a", 10), ("b", 20)


class Found:
    """Results with two places, of several seeds or, for places of a long column, of one."""

    plan = Plan()

    def __init__(self, better, worse, places=PLACES, draws=(2000, 3)):
        self.entries = {
            (*place, draws): entry for place, entry in zip(places, (better, worse), strict=True)
        }

    def entry(self, table, label, column, draws):
        return self.entries.get((label, column, draws)) if table == "t" else None


def entry(*frechet, column=10, spent=None, chosen=False):
    told = {"sampler": "", "arguments": "", "nfe": column, "count": 10}
    results = [Result(**told, spent=spent or column, measures={"frechet": f}) for f in frechet]
    cells = tuple(
        Cell(kind="vp", sampler=DDIM(), nfe=column, count=10, seed=seed)
        for seed, _ in enumerate(results)
    )
    return Entry(column, tuple(results), cells, chosen)


def surely(better, worse, factor):
    """The error of a gap that no chance moves."""
    return 0.0


FAILED = Entry(
    10, (Result(sampler="", arguments="", nfe=10, count=10, spent=10, failed="diverged"),)
)


@pytest.mark.parametrize(
    ("better", "worse", "factor", "verdict"),
    [
        (entry(1.0, 1.1, 0.9), entry(2.0, 2.1, 1.9), 1.0, "held"),
        (entry(2.0, 2.1, 1.9), entry(1.0, 1.1, 0.9), 1.0, "not held"),
        # the seeds differ by more than the samplers, but all of them in the same direction
        (entry(1.0, 1.3, 0.7), entry(1.1, 1.41, 0.8), 1.0, "held"),
        (entry(1.1, 1.41, 0.8), entry(1.0, 1.3, 0.7), 1.0, "not held"),
        (entry(1.0, 1.3, 0.7), entry(0.8, 1.1, 1.4), 1.0, "within the spread"),
        # 2.9 standard errors are not much with three seeds: Student's quantile is 4.3
        (entry(1.0, 1.0, 1.0), entry(1.1, 1.2, 1.3 + 0.05), 1.0, "within the spread"),
        (entry(1.0, 1.0, 1.0), entry(1.2, 1.2, 1.3), 1.0, "held"),
        (entry(1.2, 1.2, 1.2), entry(1.0, 1.0, 1.0), 1.25, "held"),
        (entry(1.3, 1.3, 1.3), entry(1.0, 1.0, 1.0), 1.25, "not held"),
        (entry(1.0), FAILED, 1.0, "held"),
        (FAILED, entry(9.0), 1.0, "not held"),
        # RK45 needed many more evaluations to be better, or fewer to be worse
        (entry(1.0), entry(0.5, spent=13, chosen=True), 1.0, "other budgets"),
        (entry(1.0), entry(0.5, spent=12, chosen=True), 1.0, "not held"),
        (entry(1.0), entry(2.0, spent=7, chosen=True), 1.0, "other budgets"),
        (entry(1.0), entry(2.0, spent=13, chosen=True), 1.0, "held"),
        (entry(1.0), entry(0.5, spent=13), 1.0, "not held"),  # the column says so
    ],
)
def test_verdicts(better, worse, factor, verdict):
    (judged,) = judge((Ordering("t", *PLACES, factor),), Found(better, worse), surely)
    assert judged.verdict == verdict


@pytest.mark.parametrize(
    ("gap", "verdict"),
    [
        (2.3, "held"),  # Student's quantile with nine degrees of freedom is 2.26
        (2.2, "within the spread"),
        (-2.2, "within the spread"),
        (-2.3, "not held"),
    ],
)
def test_one_seed_is_judged_by_the_error_of_its_gap(gap, verdict):
    asked = []

    def one(better, worse, factor):
        asked.append((better.nfe, worse.nfe, factor))
        return 1.0

    sides = entry(5.0), entry(4 + 0.8 * gap, column=20)
    (judged,) = judge((Ordering("t", *PLACES, 1.25),), Found(*sides), one)
    assert (judged.verdict, judged.seeds) == (verdict, 1)
    assert asked == [(10, 20, 1.25)]


def test_what_was_not_made_is_not_judged():
    assert judge((Ordering("other", *PLACES),), Found(entry(1.0), entry(2.0)), surely) == []
    assert judge((Ordering("t", *PLACES),), Found(entry(1.0), None), surely) == []


def test_a_long_column_is_compared_with_what_was_drawn_like_it():
    places = ("a", 10), ("b", 1000)
    ordering = Ordering("t", *places)
    (judged,) = judge((ordering,), Found(entry(1.0), entry(2.0), places, (1000, 1)), surely)
    assert (judged.verdict, judged.seeds) == ("held", 1)
    assert judge((ordering,), Found(entry(1.0), entry(2.0), places), surely) == []


def test_reasons_are_given_once_and_where_there_are_some():
    missed = [
        Judged(Ordering("t", (label, 10), ("b", 20), why="noise"), entry(2.0), entry(1.0), verdict)
        for label, verdict in (("a", "not held"), ("c", "within the spread"), ("d", "held"))
    ]
    nothing = Results([], Plan(), {}, lambda cell: None)
    small = Subject(told="dots", reasons={"noise": "Because.", "hidden": "No."})
    text = document(nothing, missed, [], {}, {}, small)
    assert "Why some do not hold on dots" in text
    assert "No." not in text
    assert text.count("Because.") == 1
    assert "- a at 10 beats b at 20: not held\n- c at 10 beats b at 20: within the" in text
    assert "1 held, 1 within the spread, 1 not held; for " in text
    assert "**not held**, one seed |" in text
    assert "Because." not in document(nothing, missed, [], {}, {}, CIFAR10)


def test_what_does_not_hold_is_told_by_the_flow_too():
    nothing = Results([], Plan(), {}, lambda cell: None)
    ordering = Ordering("t", *PLACES)
    missed = Judged(ordering, entry(2.0), entry(1.0), "not held")
    text = document(
        nothing, [missed], [judged(ordering, entry(0.5), entry(4.0), surely)], {}, {}, CIFAR10
    )
    assert "Of 1, 1 hold by it" in text
    assert "| t | a at 10 beats b at 20 | 2 against 1 | **not held**, one seed |" in text
    assert "| t | a at 10 beats b at 20 | 0.5 against 4 | held, one seed |" in text
    assert "Is it the sampler" not in document(nothing, [missed], [], {}, {}, CIFAR10)


def test_an_entry_sums_up_its_seeds():
    found = entry(1.0, 2.0, 3.0)
    assert (found.frechet, found.spread) == (2.0, 1.0)
    assert list(found.values("frechet")) == [1.0, 2.0, 3.0]
    assert entry(1.0, spent=12).extra == 2
