import pytest
from PIL import Image

from benchmarks.papers.definitions import Row, Table
from benchmarks.papers.plan import Plan
from benchmarks.papers.plots import curve, plot_tables
from benchmarks.papers.results import Results
from gddim_tf.evaluation.report import Result
from gddim_tf.samplers import DDIM
from gddim_tf.sdes import VPSDE

ROW = Row("eta = 0", "vp", DDIM())
TABLE = Table(name="ddim", title="By eta", note="", columns=(10, 20, 50), rows=(ROW,))
PLAN = Plan(count=4, seeds=2, long=((20, 2),), largest=20)


def finished(cell):
    told = {"sampler": "", "arguments": "", "nfe": cell.nfe, "spent": cell.nfe}
    return Result(**told, count=cell.count, measures={"frechet": 1.0 + cell.seed})


@pytest.fixture
def results():
    return Results([TABLE], PLAN, {"vp": VPSDE()}, finished)


def test_a_curve_tells_which_points_have_fewer_images(results):
    assert curve(results, TABLE, ROW.label) == [
        (10, 1.5, pytest.approx(0.5**0.5), False),
        (20, 1.0, 0.0, True),
    ]


def test_a_picture_is_drawn_if_there_is_something_to_draw(results, tmp_path):
    path = tmp_path / "plot.png"
    assert plot_tables(results, 0.9, path)
    assert Image.open(path).width > 100
    assert not plot_tables(Results([TABLE], PLAN, {}, finished), 0.9, path)
