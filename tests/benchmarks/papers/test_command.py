import os
import pathlib
import subprocess
import sys
import textwrap

import pytest

from benchmarks.papers.command import main
from gddim_tf.networks import PRESETS
from gddim_tf.training import Recipe, train
from tests.conftest import FLAT

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")

VP = pathlib.Path(__file__).parents[3] / "saved_models" / "digits_vp"
CLOTHES = pathlib.Path(__file__).parents[2] / "golden" / "fashion_mnist"
VARIABLES = "TF_NUM_INTRAOP_THREADS", "TF_ENABLE_ONEDNN_OPTS"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "gddim,ddpm"], "`--only` must name some of gddim, lambda"),
        (["--only", "grid, grid"], "`--only` must name each table once, received 'grid, grid'"),
        (
            ["--only", " lambda,root", "--models", f"vp={VP}"],
            "`--only` lambda, root has rows of cld, received models of vp",
        ),
        (["--dataset", "nosuch", "--models", f"vp={VP}"], "received 'nosuch'"),
        (["--models", "vp=x,mars=y"], "KIND one of vp, cld, bdm"),
        (["--models", "vp=x,vp=y"], "`--models` must name each kind once"),
        (["--seeds", "0"], "`--seeds` must be at least 1, received 0"),
        (["--batch-size", "0"], "`--batch-size` must be at least 1, received 0"),
        (["--minutes", "nan"], "`--minutes` must be at least 0, received nan"),
        (["--checkpoint", ""], "`--checkpoint` must not be empty"),
        (["--models", ""], "`--models` must not be empty"),
        (["--models", "vp=x", "--checkpoint", "y"], "exclude each other"),
        (["--models", f"vp={VP}", "--count", "1"], "`count` must be at least "),
        (["--models", "vp=nowhere"], "received nowhere: there is no such file"),
        (["--models", f"cld={VP}"], "`--models` cld must have that diffusion, received VPSDE("),
    ],
)
def test_bad_arguments_are_named(arguments, message, tmp_path, capsys):
    assert main(["--out", str(tmp_path), *arguments]) == 2
    printed = capsys.readouterr().err
    assert message in printed
    assert printed.count("\n") == 1


@pytest.mark.parametrize(
    ("dataset", "threads"), [("digits", "1"), (f"idx:{CLOTHES}", None)], ids=["digits", "clothes"]
)
def test_tensorflow_is_not_imported_before_its_variables_are_set(dataset, threads, tmp_path):
    program = f"""
        import os, sys
        from benchmarks.papers import command

        def start():
            assert "tensorflow" not in sys.modules
            assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == "1"
            assert os.environ.get("TF_NUM_INTRAOP_THREADS") == {threads!r}
            print("all well")
            sys.exit()

        command.start_tensorflow = start
        command.main(["--dataset", {dataset!r}, "--out", {str(tmp_path)!r}])
    """
    told = {k: v for k, v in os.environ.items() if k not in VARIABLES}
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
        cwd=VP.parents[1],
        env=told,
    )
    assert ended.stdout.strip() == "all well", ended.stderr


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:  # the network compiles fast
        patch.setitem(PRESETS, "ddpm_tiny", {**PRESETS["ddpm_tiny"], **FLAT})
        train(Recipe(network="ddpm_tiny", steps=2, steps_per_epoch=2, conditional=True), folder)
    return folder


def test_one_table_of_one_model(run, tmp_path, capsys):
    arguments = ["--checkpoint", str(run), "--quick", "--count", "4", "--only", "grid"]
    arguments += ["--minutes", "9"]
    assert main([*arguments, "--out", str(tmp_path)]) == 0
    assert "8 cells, 8 to make" in capsys.readouterr().out
    text = (tmp_path / "results.md").read_text()
    assert f"`python -m benchmarks.papers --out {tmp_path} --checkpoint {run}" in text
    assert "--minutes" not in text
    assert "| DDPM, DDIM, linear |" in text
    kept = ["--cells", str(tmp_path / "cells"), "--out", str(tmp_path / "again")]
    assert main([*arguments, *kept]) == 0
    assert "8 cells, 0 to make" in capsys.readouterr().out


@pytest.mark.slow
def test_quick_makes_all_tables(run, tmp_path, capsys):
    assert main(["--models", f"vp={run}", "--quick", "--out", str(tmp_path)]) == 0
    text = (tmp_path / "results.md").read_text()
    for title in ("gDDIM on three diffusions", "DDIM by eta", "Pseudo numerical methods", "DEIS"):
        assert f"## {title}" in text
    assert "Do the published orderings hold?" in text
    assert "*published*" in text
