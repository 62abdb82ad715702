"""Small tables on an untrained network, through the whole way from cells to the document."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from benchmarks.papers.definitions import ADAPTIVE, DEFAULT, Row, Table
from benchmarks.papers.make import Workshop
from benchmarks.papers.plan import Plan
from benchmarks.papers.subjects import DIGITS
from gddim_tf.samplers import DDIM, Heun
from tests.conftest import own_model

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")

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
def workshop(model, reference, tmp_path_factory):
    out = tmp_path_factory.mktemp("tables")
    told = {"command": "x"}
    return Workshop({"vp": model}, reference, PLAN, out, out / "cells", told, DIGITS, [TABLE])


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
    assert workshop.make(said.append, seconds=0).exists()
    return workshop.make(said.append), said


def test_an_interrupted_run_goes_on(made, workshop):
    assert "6 cells, 3 to make" in made[1]
    assert "3 cells are left for the next time" in made[1]  # of a call without any time
    again = []
    workshop.make(again.append)
    assert again == ["6 cells, 0 to make"]


def test_the_document_says_it_all(made, workshop):
    text = made[0].read_text()
    assert "- command: x" in text
    assert "20 per seed, 2 seed(s)" in text
    assert "real against real" in text
    assert "| NFE | 10 |" in text
    files = workshop.out.glob("cells/vp-*/measured/heun*.json")
    values = [json.loads(path.read_text())["measures"]["frechet"] for path in files]
    line = f"| DDPM, 2nd order Heun | {np.mean(values):.3g} ± {np.std(values, ddof=1):.2g} (+1) |"
    assert line in text
    assert "| *published* | *4.17* |" in text
    assert "CLD" not in text  # there was no such model
    assert "| gddim | DDPM, gDDIM at 10 beats DDPM, 2nd order Heun at 10 |" in text
    assert "| gddim | DDPM, default | 10 |" in text  # everything that was measured
    for name in ("results.png", "results_pairs_vp.png"):
        assert f"]({name})" in text
        assert Image.open(workshop.out / name).width > 100


def test_columns_of_one_tolerance_are_drawn_once(model, reference, tmp_path):
    row = Row("RK45", "vp", ADAPTIVE)
    table = Table(name="ddim", title="", note="", columns=(10, 11, 40), rows=(row,))
    plan = Plan(count=20, seeds=1, largest=40)
    options = {"cells": tmp_path / "cells", "settings": {}, "subject": DIGITS, "tables": [table]}
    workshop = Workshop({"vp": model}, reference, plan, tmp_path, **options)
    workshop.make(lambda line: None)
    cells = plan.all_cells([table], workshop.sdes)
    first, same, other = (workshop.finished(cell) for cell in cells)
    assert [cell.nfe for cell in cells] == [10, 11, 40]
    assert first.spent >= 11  # so that it serves both columns
    assert same == first  # the seconds, too
    assert len(list(tmp_path.glob("cells/*/images/rk45*"))) == 2
    assert tolerance(other) < tolerance(first)


def tolerance(result):
    return float(re.search(r"rtol=([^,]+)", result.arguments)[1])
