"""What a person sees of a table."""

import numpy as np
import pytest

from gddim_tf import sdes
from gddim_tf.samplers import DDIM, GDDIM, Heun


@pytest.mark.parametrize("sde", [sdes.VPSDE(), sdes.CLD(), sdes.BDM(8)], ids=str)
def test_a_table_prints_a_line_for_each_row(sde):
    table = GDDIM(order=1).table(sde, 5)
    assert repr(table).startswith("Table(nfe=5, history=2")
    shown = str(table).splitlines()
    assert len(shown) == 2 + 5
    assert [float(line.split()[1]) for line in shown[2:]] == pytest.approx(table.time, rel=1e-5)


def test_the_numbers_are_those_of_the_table():
    table = DDIM().table(sdes.VPSDE(), 3)
    row = str(table).splitlines()[3].split()
    assert float(row[2]) == pytest.approx(table.state[1].item(), abs=1e-4)
    assert float(row[3]) == pytest.approx(table.prediction[1, 0].item(), abs=1e-4)


def test_many_rows_are_cut_and_what_a_row_does_not_do_is_said():
    long = str(DDIM(eta=1.0).table(sdes.VPSDE(), 100)).splitlines()
    assert len(long) == 2 + 24 + 1
    assert "noise" in long[2]
    assert long[-1].split()[0] == "99"
    assert "(inside a step)" in str(Heun().table(sdes.VPSDE(), 3))


def test_a_table_is_drawn(tmp_path):
    from PIL import Image

    GDDIM(order=2).table(sdes.CLD(), 6).plot(tmp_path / "table.png")
    assert np.asarray(Image.open(tmp_path / "table.png")).std() > 10
