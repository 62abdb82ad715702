"""Small tables on an untrained network, through the whole way from cells to the document."""

import json

import numpy as np
import pytest
from PIL import Image

from benchmarks.papers import Plan, Row, Table, Workshop
from benchmarks.papers.cells import Cell
from benchmarks.papers.definitions import ADAPTIVE, DEFAULT
from benchmarks.papers.drawing import run_cell, sample, tolerance_for
from gddim_tf import evaluation
from gddim_tf.evaluation.images import as_uint8
from gddim_tf.evaluation.reference import Reference
from gddim_tf.samplers import DDIM, Heun, default
from tests.conftest import own_model

TABLE = Table(
    name="gddim",
    title="A small table",
    note="Of an untrained network.",
    columns=(10, 20, 50, 100, 1000),
    rows=(
        Row("DDPM, gDDIM", "vp", DDIM()),
        Row("DDPM, 2nd order Heun", "vp", Heun(), (10,)),
        Row("DDPM, default", "vp", DEFAULT, (10,)),
        Row("CLD, EM", "cld", DDIM()),
    ),
)
PLAN = Plan(count=20, seeds=2, largest=10)


@pytest.fixture(scope="module")
def model():
    return own_model()


@pytest.fixture(scope="module")
def reference():
    return Reference("digits", evaluation.DigitsFeatures(), 8)


@pytest.fixture(scope="module")
def workshop(model, reference, tmp_path_factory):
    out = tmp_path_factory.mktemp("tables")
    return Workshop({"vp": model}, reference, PLAN, out, out / "cells", {"command": "x"}, [TABLE])


@pytest.fixture(scope="module")
def made(workshop):
    said = []

    def stop(line):
        said.append(line)
        if line.startswith("3/6"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        workshop.make(stop)
    assert said[0] == "6 cells, 6 to make"
    return workshop.make(said.append), said


def test_an_interrupted_run_goes_on(made, workshop):
    assert "6 cells, 3 to make" in made[1]
    again = []
    workshop.make(again.append)
    assert again == ["6 cells, 0 to make"]


def test_the_document_says_it_all(made, workshop):
    text = made[0].read_text()
    assert "- command: x" in text
    assert "20 per seed, 2 seed(s)" in text
    assert "real against real" in text
    assert "| NFE | 10 |" in text
    results = [json.loads(path.read_text()) for path in workshop.out.glob("cells/*heun*.json")]
    values = [result["frechet"] for result in results]
    line = f"| DDPM, 2nd order Heun | {np.mean(values):.3g} ± {np.std(values, ddof=1):.2g} (+1) |"
    assert line in text
    assert "| *published* | *4.17* |" in text
    assert "CLD" not in text  # there was no such model
    assert "| gddim | DDPM, gDDIM at 10 beats DDPM, 2nd order Heun at 10 |" in text
    assert "| gddim | DDPM, default | 10 |" in text  # kernel distance and memorisation
    for name in ("results.png", "results_pairs_vp.png"):
        assert f"]({name})" in text
        assert Image.open(workshop.out / name).width > 100


def test_images_are_those_of_the_model(model):
    cell = Cell(kind="vp", sampler=DDIM(eta=1.0), nfe=3, count=7, seed=4)
    images, spent = sample(model, cell, batch_size=3)
    expected = as_uint8(model.sample(7, DDIM(eta=1.0), 3, seed=4)).astype(int)
    assert spent == 3
    assert np.abs(images.astype(int) - expected).max() <= 1


def test_labels_are_shared_out_evenly(conditional_model):
    cell = Cell(kind="vp", sampler=DDIM(), nfe=1, count=13, seed=0)
    images, _ = sample(conditional_model, cell, batch_size=5)
    expected = as_uint8(conditional_model.sample(13, DDIM(), 1, labels=np.arange(13) % 10))
    assert np.abs(images.astype(int) - expected.astype(int)).max() <= 1


def test_other_weights_or_settings_are_other_cells(tmp_path):
    cell = Cell(kind="vp", sampler=default(own_model().sde, 10), nfe=10, count=20, seed=0)
    cell.store(tmp_path, "these", {"frechet": 1.0})
    assert cell.stored(tmp_path, "these")["frechet"] == 1.0
    assert cell.stored(tmp_path, "those") is None
    other = Cell(kind="vp", sampler=DDIM(), nfe=10, count=20, seed=0)
    assert other.stored(tmp_path, "these") is None


def test_divergence_is_a_result(model, reference):
    class Diverging(type(model)):
        def eps(self, u, t, labels=None):
            return u / 0.0

    broken = Diverging(model.network, model.sde, "v")
    result = run_cell(broken, Cell(kind="vp", sampler=DDIM(), nfe=2, count=4, seed=0), reference, 4)
    assert result == {"failed": "diverged", "spent": 2}


def test_rk45_reports_what_it_spent(model):
    cell = Cell(kind="vp", sampler=ADAPTIVE, nfe=20, count=4, seed=0)
    images, spent = sample(model, cell, 4, tolerance=1.0)
    assert images.shape == (4, 8, 8, 1)
    assert 10 < spent < 40


def test_the_tolerance_of_rk45_comes_near_to_the_budget(model):
    cell = Cell(kind="vp", sampler=ADAPTIVE, nfe=30, count=100, seed=0)

    def miss(tolerance):
        return abs(np.log(sample(model, cell, 100, tolerance=tolerance)[1] / 30))

    found = tolerance_for(model, 30)
    assert miss(found) <= min(miss(other) for other in 10.0 ** np.arange(0.5, -1.1, -0.25))


def test_columns_of_one_tolerance_are_drawn_once(model, reference, tmp_path):
    row = Row("RK45", "vp", ADAPTIVE)
    table = Table(name="ddim", title="", note="", columns=(10, 11, 40), rows=(row,))
    plan = Plan(count=20, seeds=1, largest=40)
    workshop = Workshop({"vp": model}, reference, plan, tmp_path, tmp_path / "cells", {}, [table])
    workshop.make(lambda line: None)
    cells = [json.loads(path.read_text()) for path in tmp_path.glob("cells/*.json")]
    first, same, other = sorted(cells, key=lambda cell: cell["nfe"])
    assert [cell["nfe"] for cell in (first, same, other)] == [10, 11, 40]
    assert first["spent"] >= 11  # so that it serves both columns
    assert same == {**first, "nfe": 11}  # the seconds, too
    assert other["tolerance"] < first["tolerance"]
