"""The speed benchmark's arithmetic; times themselves are not tested."""

from benchmarks.speed.command import grown_ratios, row
from benchmarks.speed.turns import Measured, in_turn


def test_both_sides_run_in_turn_and_the_first_run_does_not_count():
    calls = []

    def side(name, seconds):
        left = iter(seconds)

        def run():
            calls.append(name)
            return next(left)

        return run

    line = in_turn(
        "x", side("a", [9, 1, 2, 3]), side("b", [9, 4, 4, 6]), runs=3, scale=10, unit="u"
    )
    assert calls == ["a", "b"] * 4
    assert line == Measured("x", "u", 20, 40, 0.5)
    assert in_turn("y", side("a", [9, 1, 2, 3]), runs=3, scale=1).ratio is None


def test_ratios_that_grew_are_told():
    before = {"loop": [Measured("x", "us", 5, 10, 0.5)._asdict(), Measured("y", "us", 1)._asdict()]}
    same = {"loop": [Measured("x", "us", 50, 92, 0.54), Measured("y", "us", 9)]}
    assert grown_ratios(same, before) == []
    worse = {"loop": [Measured("x", "us", 6, 10, 0.6)]}
    assert grown_ratios(worse, before) == ["loop: x: 0.5 -> 0.6"]


def test_a_row_without_a_peer():
    assert row(Measured("x", "us", 5.0)) == "| x | us | 5 |  |  |"
