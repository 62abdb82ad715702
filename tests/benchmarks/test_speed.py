"""The speed benchmark's arithmetic; times themselves are not tested."""

import sys

import pytest

from benchmarks.speed.command import (
    BASELINE,
    SECTIONS,
    compared,
    earlier,
    grown_ratios,
    main,
    row,
)
from benchmarks.speed.peer import Peer, peer_python
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
    assert compared(same, before) == [("loop: x", 0.5, 0.54)]
    assert compared(same, {}) == []
    worse = {"loop": [Measured("x", "us", 6, 10, 0.6)]}
    assert grown_ratios(worse, before) == ["loop: x: 0.5 -> 0.6"]


def test_a_row_without_a_peer():
    assert row(Measured("x", "us", 5.0)) == "| x | us | 5 |  |  |"


def test_the_committed_numbers_can_be_compared_with():
    before = earlier(BASELINE)
    assert before.keys() <= SECTIONS.keys()
    found = {name: [Measured(**line) for line in lines] for name, lines in before.items()}
    assert grown_ratios(found, before) == []
    assert sum(bool(line.ratio) for line in found["loop"]) > 10


def test_a_picture_of_what_grows(tmp_path):
    lines = [Measured(f"{name} {n}", "ms", n**0.5) for name in (BATCH, SIZE) for n in (1, 4, 16)]
    plot(lines, tmp_path / "scaling.png")
    assert (tmp_path / "scaling.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "tables", "--plot", "x.png"], "--plot needs the section scaling, received --o"),
        (["--only", "loop,lop"], "--only must name some of network, training, loop, "),
        (["--only", ""], "received ''"),
        (["--runs", "0"], "--runs must be at least 1, received 0"),
        (["--plot", "x.json"], "`--plot` must end in .png"),
        (["--json", "."], "`--json` must be a file, received the folder ."),
        (["--compare", "nowhere.json"], "nowhere.json"),
        (["--compare", __file__], "must be numbers that --json wrote, and is damaged"),
        (["--peer", "nowhere"], "`--peer` must be the Python of an environment that scripts/peer."),
        (["--peer", sys.executable], "ended while it ran {'job': 'versions'}; --peer none leaves"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_timed(arguments, message, capsys):
    # this environment has no torch, so that its Python is no peer
    try:
        code = main(arguments)
    except SystemExit as error:
        code = error.code
    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    assert message in captured.err


def test_numbers_of_another_kind_are_not_compared_with(tmp_path):
    (tmp_path / "now.json").write_text('{"loop": [{"name": "x", "ours": 1}]}')
    with pytest.raises(ValueError, match="must be numbers that --json wrote, and is damaged: Type"):
        earlier(tmp_path / "now.json")


def test_a_peer_is_left_out_if_it_is_not_wanted():
    assert peer_python("none") is None
    assert str(peer_python(sys.executable)) == sys.executable


def test_a_peer_that_lacks_torch_says_so(capfd):
    with pytest.raises(ConnectionError, match=r"the peer .* ended while it ran"):
        Peer(peer_python(sys.executable))
    assert "must have torch and diffusers (scripts/peer.sh): No module" in capfd.readouterr().err
