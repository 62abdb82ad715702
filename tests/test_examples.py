"""The examples run, in quick mode."""

import importlib.util
import json
import pathlib

import numpy as np
import pytest
from PIL import Image

import gddim_tf as gd
from tests.conftest import own_model

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")

ROOT = pathlib.Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
WEIGHTS = ROOT / "tests" / "golden" / "diffusers_digits"


def run(name, *arguments):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main([*map(str, arguments), "--quick"])


@pytest.mark.slow
def test_own_images(tmp_path, capsys):
    for name in ("cat", "dog"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for i in range(20):
            picture = np.random.default_rng(i).integers(0, 256, (9, 12, 3), np.uint8)
            Image.fromarray(picture).save(tmp_path / "pictures" / name / f"{i}.png")
    run("own_images", tmp_path / "pictures", "--out", tmp_path / "run")
    assert "(4, 8, 8, 3) images from the exported model" in capsys.readouterr().out
    assert (tmp_path / "run" / "images.png").exists()
    assert "2: cat, dog" in (tmp_path / "run" / "README.md").read_text()


def test_published_weights(tmp_path, capsys):
    run("published_weights", WEIGHTS, "--nfe", 6, "--out", tmp_path)
    lines = capsys.readouterr().out.splitlines()[-3:]
    assert all(float(line.split()[-1]) < 1.0 for line in lines)


def test_own_diffusion(capsys):
    run("own_diffusion")
    errors = [float(line.split()[-1]) for line in capsys.readouterr().out.splitlines()[-5:]]
    assert max(errors[1:]) < errors[0] < 0.2


def test_own_network(tmp_path):
    run("own_network", "--out", tmp_path)
    assert (tmp_path / "model.keras").exists()
    assert (tmp_path / "images.png").exists()


def test_tuned(tmp_path, capsys):
    model = gd.save(own_model(), tmp_path / "model.keras")
    run("tuned", "--model", model, "--nfe", 3, "--out", tmp_path / "tuned.npz")
    errors = [float(line.split()[-1]) for line in capsys.readouterr().out.splitlines()[-4:]]
    assert np.isfinite(errors).all()
    assert gd.samplers.Tuned.load(tmp_path / "tuned.npz")


def test_every_example_is_on_their_page_and_tested():
    page = (EXAMPLES / "README.md").read_text()
    tests = pathlib.Path(__file__).read_text()
    for example in [*EXAMPLES.glob("*.py"), *EXAMPLES.glob("*.ipynb")]:
        assert f"({example.name})" in page
        elsewhere = example.suffix == ".ipynb" or example.stem == "run_stablehlo"
        assert f"test_{example.stem}(" in tests or elsewhere


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.ipynb")))
def test_notebooks(name, monkeypatch, shipped_once):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("MPLBACKEND", "agg")
    cells = json.loads((EXAMPLES / name).read_text())["cells"]
    page = {"QUICK": True}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), name, "exec"), page)
