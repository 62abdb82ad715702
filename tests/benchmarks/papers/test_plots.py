import pytest
from PIL import Image

from benchmarks.papers import Plan, Row, Table
from benchmarks.papers.plots import curve, plot_tables
from benchmarks.papers.results import Results
from gddim_tf.samplers import DDIM
from gddim_tf.sdes import VPSDE

ROW = Row("eta = 0", "vp", DDIM())
TABLE = Table(name="ddim", title="By eta", note="", columns=(10, 20, 50), rows=(ROW,))
PLAN = Plan(count=4, seeds=2, long_from=20, long_count=2, largest=20)


@pytest.fixture
def results(tmp_path):
    sde = VPSDE()
    for column in (10, 20):
        for cell in PLAN.cells(TABLE, ROW, column, sde):
            cell.store(tmp_path, "it", {"spent": column, "frechet": 1.0 + cell.seed})
    return Results(tmp_path, [TABLE], PLAN, {"vp": sde}, {"vp": "it"})


def test_a_curve_tells_which_points_have_fewer_images(results):
    assert curve(results, TABLE, ROW.label) == [
        (10, 1.5, pytest.approx(0.5**0.5), False),
        (20, 1.0, 0.0, True),
    ]


def test_a_picture_is_drawn_if_there_is_something_to_draw(results, tmp_path):
    path = tmp_path / "plot.png"
    assert plot_tables(results, 0.9, path)
    assert Image.open(path).width > 100
    assert not plot_tables(Results(tmp_path, [TABLE], PLAN, {}, {}), 0.9, path)
