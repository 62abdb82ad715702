"""The speed benchmark's arithmetic; times themselves are not tested."""

import json

import pytest

from benchmarks.speed.command import BASELINE, SECTIONS, grown_ratios, main, row
from benchmarks.speed.scaling import BATCH, SIZE, plot
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


def test_the_committed_numbers_can_be_compared_with():
    before = json.loads(BASELINE.read_text())
    assert before.keys() <= SECTIONS.keys()
    found = {name: [Measured(**line) for line in lines] for name, lines in before.items()}
    assert grown_ratios(found, before) == []
    assert sum(bool(line.ratio) for line in found["loop"]) > 10


def test_a_picture_of_what_grows(tmp_path):
    lines = [Measured(f"{name} {n}", "ms", n**0.5) for name in (BATCH, SIZE) for n in (1, 4, 16)]
    plot(lines, tmp_path / "scaling.png")
    assert (tmp_path / "scaling.png").read_bytes()[:4] == b"\x89PNG"


def test_a_picture_without_its_section_is_refused(capsys):
    with pytest.raises(SystemExit) as error:
        main(["--only", "tables", "--plot", "scaling.png"])
    assert error.value.code == 2
    assert "--plot needs the section scaling, received --only tables" in capsys.readouterr().err
