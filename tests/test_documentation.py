"""The pages as they stand: their commands are understood, and their code runs."""

import argparse
import importlib
import json
import pathlib
import re
import shlex

import numpy as np
import pytest

from gddim_tf import cli
from gddim_tf.checkpoints.families import Checkpoint, score_sde_config
from gddim_tf.checkpoints.families.cld_sgm import CLDSGM
from gddim_tf.models.prediction import PREDICTIONS

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")

ROOT = pathlib.Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "saved_models" / "README.md", *sorted(ROOT.glob("docs/*.md"))]


MODULES = {
    **{f"gddim-tf {name}": f"gddim_tf.cli.{name}" for name in cli.COMMANDS},
    **{
        f"python -m benchmarks.{name}": f"benchmarks.{name}.command"
        for name in ("papers", "accuracy", "speed")
    },
    "python -m benchmarks.stablehlo": "benchmarks.stablehlo",
}


def commands():
    """Every whole command of the pages and of the commands' own help, with its module."""
    texts = [page.read_text() for page in PAGES]
    texts += [importlib.import_module(module).__doc__ for module in MODULES.values()]
    names = "gddim-tf [a-z]+|python -m benchmarks[.][a-z]+"
    pattern = re.compile(rf"(?:^ *|`(?=[^`]*--(?:out|to) ))({names})( [^`\n]+)", re.MULTILINE)
    texts = [text.replace("\\\n", " ") for text in texts]
    return sorted({command for text in texts for command in pattern.findall(text)})


@pytest.fixture(autouse=True)
def cheap(shipped_once, flat_networks):
    """The shipped models are read once, and new networks compile fast."""


@pytest.mark.parametrize(("program", "arguments"), commands())
def test_the_options_of_a_command_exist(program, arguments):
    parser = argparse.ArgumentParser()
    importlib.import_module(MODULES[program]).add_arguments(parser)
    parser.parse_args(shlex.split(arguments, comments=True))


def test_the_configuration_on_the_page_on_weights_is_complete():
    text = (ROOT / "docs" / "checkpoints.md").read_text()
    config = json.loads(re.search(r"```json\n(.*?)```", text, re.DOTALL)[1])
    options = score_sde_config.options(config, in_channels=6, out_channels=3)
    assert (options["components"], options["fir_kernel"]) == (2, (1, 3, 3, 1))
    assert CLDSGM().meaning(Checkpoint({}, config))[:2] == ("t", "velocity_mixed")


def python_of(page):
    """The code of a page; what a marker in front of a block shortens is shortened."""
    text = (ROOT / page).read_text()
    blocks = []
    marker = r"(?:<!-- in the tests: (.*?) -> (.*?) -->\n)?```python\n(.*?)```"
    for old, new, block in re.findall(marker, text, re.DOTALL):
        assert not old or block.count(old) == 1
        blocks.append(block.replace(old, new) if old else block)
    return "\n".join(blocks)


def test_the_first_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "saved_models").symlink_to(ROOT / "saved_models")
    page = {"eps_fn": lambda u, t: u, "u_T": np.zeros((1, 2, 2, 2))}
    exec(compile(python_of("README.md"), "README.md", "exec"), page)
    assert (tmp_path / "digits.png").exists()
    assert page["whole"].shape == (4, 8, 8, 1)


def test_the_page_on_own_diffusions_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = {}
    exec(compile(python_of("docs/diffusions.md"), "docs/diffusions.md", "exec"), page)
    assert page["images"].shape == (4, 8, 8, 1)
    np.testing.assert_allclose(page["same_images"], page["images"], atol=1e-4)
    again = page["again"].sample(4, nfe=20, seed=7)
    np.testing.assert_allclose(again, page["images"], atol=1e-4)
    assert np.std(page["sde"].to_images(page["u"]) - page["images"]) > 0.01  # the noisy ones


def test_the_page_on_evaluation_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "saved_models").symlink_to(ROOT / "saved_models")
    page = {}
    exec(compile(python_of("docs/evaluation.md"), "docs/evaluation.md", "exec"), page)
    assert 0 < page["distance"] < 20
    np.testing.assert_array_equal(page["again"].mean, page["real_statistics"].mean)


def test_the_page_on_extending_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "saved_models").symlink_to(ROOT / "saved_models")
    page = {}
    # what the page adds is its reader's, not that of the tests which follow
    monkeypatch.setitem(PREDICTIONS, "residual", PREDICTIONS["v"])
    exec(compile(python_of("docs/extending.md"), "docs/extending.md", "exec"), page)
    assert page["images"].shape == (4, 8, 8, 1)
    assert [table.nfe for table in page["tables"]] == [9, 9, 9]
    assert page["mean_gap"](page["features"](page["real"]), page["features"](page["fake"])) < 5
    printed = capsys.readouterr().out.splitlines()
    assert {"(4, 8, 8, 1)", f"True {len(page['tensors'])}"} < set(printed)
    assert printed[-1].startswith("CLD(")


def test_the_pages_on_mathematics_and_choice_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "saved_models").symlink_to(ROOT / "saved_models")
    exec(compile(python_of("docs/mathematics.md"), "docs/mathematics.md", "exec"), {})
    text = (ROOT / "docs" / "mathematics.md").read_text()
    assert re.search(r"```text\n(.*?)```", text, re.DOTALL)[1] in capsys.readouterr().out
    exec(compile(python_of("docs/choosing.md"), "docs/choosing.md", "exec"), {})
    errors = [float(line.split()[1]) for line in capsys.readouterr().out.splitlines()]
    assert len(errors) == 3
    assert max(errors) < 0.1


@pytest.mark.slow
def test_the_page_on_training_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = {}
    exec(compile(python_of("docs/training.md"), "docs/training.md", "exec"), page)
    assert page["best"].image_shape == page["images"].shape[1:]
    assert len(list((tmp_path / "samples").iterdir())) == 6


def test_the_page_on_data_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = {}
    exec(compile(python_of("docs/data.md"), "docs/data.md", "exec"), page)
    assert next(iter(page["batches"]))[0].shape == (32, 8, 8, 1)
    assert (tmp_path / "runs" / "mine" / "model.keras").exists()


@pytest.mark.slow  # a graph of the shipped network for each call
def test_the_page_on_editing_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "saved_models").symlink_to(ROOT / "saved_models")
    page, code = {}, re.sub(r"nfe=\d+", "nfe=3", python_of("docs/editing.md"))
    exec(compile(code, "docs/editing.md", "exec"), page)
    np.testing.assert_array_equal(page["whole"][:, :4], page["digits"][:, :4])
    np.testing.assert_allclose(page["down"].apply(page["large"]), page["small"], atol=1e-5)
    ends = [page["digits"][0], page["eights"][0]]
    np.testing.assert_allclose(page["ways"][[0, -1], 0], ends, atol=1e-5)
    assert page["sharp"].shape == page["threes"].shape == (4, 8, 8, 1)
