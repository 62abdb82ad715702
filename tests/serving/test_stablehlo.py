"""Loops as StableHLO modules, run by JAX as the example does."""

import importlib
import json

import numpy as np
import pytest

import gddim_tf as gd
from gddim_tf import sdes
from gddim_tf.samplers import DDIM, GDDIM, StochasticGDDIM
from gddim_tf.serving import export, export_stablehlo
from tests.conftest import FLAT, own_model, tiny_model

pytest.importorskip("jax", reason="a development extra")
run_stablehlo = importlib.import_module("examples.run_stablehlo")

CASES = {
    "vp": (sdes.VPSDE(), GDDIM(order=2)),
    "vp_noise": (sdes.VPSDE(), DDIM(eta=1.0)),
    "cld": (sdes.CLD(), GDDIM(order=1)),
    "cld_noise": (sdes.CLD(), StochasticGDDIM(lam=0.5)),
    "bdm": (sdes.BDM(8), GDDIM(order=1)),
    "bdm_noise": (sdes.BDM(8), DDIM(eta=1.0)),
}


@pytest.mark.parametrize("case", CASES)
def test_jax_draws_the_images_of_the_model(case, tmp_path):
    sde, sampler = CASES[case]
    model = own_model(sde)
    export_stablehlo(model, tmp_path, {"sample": (sampler, 4)}, batch_size=3)
    images = run_stablehlo.Sampler(tmp_path)(seed=5, first=2)
    expected = model.sample(3, sampler, 4, seed=5, first=2)
    # an eighth of a grey level: two compilers round float32 convolutions, BDM amplifies that
    np.testing.assert_allclose(images, expected, rtol=0, atol=1e-3)


def test_classes_and_guidance(tmp_path):
    model = tiny_model(num_classes=10, **FLAT)
    export_stablehlo(model, tmp_path, {"sample": (GDDIM(order=1), 2)}, batch_size=2)
    description = json.loads((tmp_path / "stablehlo.json").read_text())
    assert description["inputs"] == ["seed", "label", "guidance"]
    assert description["num_classes"] == 10
    images = run_stablehlo.Sampler(tmp_path)(seed=1, label=3, guidance=1.5)
    expected = model.sample(2, GDDIM(order=1), 2, seed=1, labels=3, guidance=1.5)
    np.testing.assert_allclose(images, expected, rtol=1e-3, atol=1e-4)


def test_an_exported_model_and_what_its_runner_refuses(tmp_path, monkeypatch, capsys):
    """Of a graph with weights in 16 bits; the runner's command line draws the model's images."""
    model = own_model(sdes.BDM(8))
    export(model, tmp_path / "served", {"sample_2": (DDIM(), 2)}, weights="float16")
    served = gd.load(tmp_path / "served")
    out = tmp_path / "images.npy"
    export_stablehlo(served, tmp_path, {"one": (DDIM(), 2), "two": (DDIM(eta=1.0), 3)}, 2)

    def run(*arguments, folder=tmp_path):
        words = ["run_stablehlo.py", str(folder), "--out", str(out), *arguments]
        monkeypatch.setattr("sys.argv", words)
        try:
            run_stablehlo.main()
        except SystemExit as error:
            return error.code, capsys.readouterr().err
        return 0, capsys.readouterr().out

    assert run("--module", "two", "--seed", "3")[0] == 0
    expected = served.sample(2, DDIM(eta=1.0), 3, seed=3)
    np.testing.assert_allclose(np.load(out), expected, rtol=0, atol=1e-3)
    for arguments, message in (
        (["--module", "three"], "`name` must be one of one, two, received 'three'"),
        (["--label", "0"], "`label` must be one of 0 classes, received 0"),
        (["--seed", "4294967296"], "`seed` must have 32 bits, received 4294967296"),
    ):
        code, text = run(*arguments)
        assert (code, message in text) == (2, True), text
    assert "nowhere/stablehlo.json" in run(folder="nowhere")[1]
    (tmp_path / "weights.safetensors").write_bytes(b"none")
    assert run()[0] == 2


def test_what_is_refused(tmp_path):
    model = own_model()
    with pytest.raises(ValueError, match=r"`batch_size` must be .* received 0"):
        export_stablehlo(model, tmp_path, {"sample": (DDIM(), 4)}, batch_size=0)
    with pytest.raises(ValueError, match="`samplings` must name at least one"):
        export_stablehlo(model, tmp_path, {}, batch_size=1)
    with pytest.raises(ValueError, match=r"`samplings` must have names of files, received "):
        export_stablehlo(model, tmp_path, {"../a": (DDIM(), 4)}, batch_size=1)
    assert not list(tmp_path.iterdir())
