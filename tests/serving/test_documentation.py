"""The commands of docs/serving.md, as they stand there."""

import pathlib
import re
import shlex

import numpy as np
import pytest
from absl import flags
from tensorflow.python.tools import saved_model_cli

from tests.serving.conftest import BUDGETS, assert_same_images

ROOT = pathlib.Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "serving.md").read_text()
COMMANDS = re.findall(r"^saved_model_cli (.*)$", TEXT, re.MULTILINE)


def test_saved_model_cli_runs_every_signature(served, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    called = set()
    for command in COMMANDS:
        arguments = shlex.split(command.replace("saved_models/digits_vp/1", str(served.path)))
        flags.FLAGS.unparse_flags()
        saved_model_cli.create_parser().parse_args(arguments).func()
        called.add(arguments[arguments.index("--signature_def") + 1])
    described = capsys.readouterr().out
    assert "inputs['seed'] tensor_info" in described
    drawn = {"serving_default", "sample_10", "sample_50", "sample_png_10", "sample_png_50"}
    assert called == drawn | {"sample", "encode", "decode", "denoise"}
    again = served.model.sample(1, *BUDGETS["sample_10"], seed=1, labels=0)
    expected = np.clip(np.round((again + 1) * 127.5), 0, 255)
    assert_same_images(np.load("images/image.npy")[:1], expected)


@pytest.mark.parametrize(
    "version",
    sorted((ROOT / "saved_models").glob("*/[0-9]*")),
    ids=lambda version: version.parent.name,
)
def test_the_models_of_the_repository_are_small(version):
    size = sum(path.stat().st_size for path in version.rglob("*") if path.is_file())
    assert size < (7_000_000 if version.parent.name.startswith("fashion") else 3_000_000)
