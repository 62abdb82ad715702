"""Loops as StableHLO modules, run by JAX as the example does."""

import importlib
import json

import numpy as np
import pytest

import gddim_tf as gd
from gddim_tf import sdes
from gddim_tf.samplers import DDIM, GDDIM, StochasticGDDIM
from gddim_tf.serving import export_stablehlo
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


def test_an_exported_model_and_what_its_runner_refuses(served, tmp_path, monkeypatch, capsys):
    model = gd.load(served.path)
    export_stablehlo(model, tmp_path, {"sample": (DDIM(), 2)}, 2)
    modes = {file.stat().st_mode for file in tmp_path.iterdir()}
    assert len(modes) == 1  # whoever can read one file can read all
    draw = run_stablehlo.Sampler(tmp_path)
    images = draw(seed=3, first=1, label=2, guidance=1.5)
    options = {"seed": 3, "first": 1, "labels": 2, "guidance": 1.5}
    np.testing.assert_allclose(images, model.sample(2, DDIM(), 2, **options), rtol=0, atol=1e-4)
    with pytest.raises(ValueError, match="`label` must be one of 3 classes, received 4"):
        draw(seed=3, label=4)
    with pytest.raises(ValueError, match="`seed` must have 32 bits, received 4294967296"):
        draw(seed=2**32, label=0)

    def refused(*words):
        monkeypatch.setattr("sys.argv", ["run_stablehlo.py", *map(str, words), "--out", "x.npy"])
        with pytest.raises(SystemExit, match="2"):
            run_stablehlo.main()
        return capsys.readouterr().err

    other = refused(tmp_path, "--module", "other")
    assert "`name` must be one of sample, received 'other'" in other
    assert "nowhere/stablehlo.json" in refused("nowhere")
    (tmp_path / "weights.safetensors").write_bytes(b"none")
    assert "SafetensorError" in refused(tmp_path)


def test_what_is_refused(tmp_path):
    model = own_model()
    with pytest.raises(ValueError, match=r"`batch_size` must be .* received 0"):
        export_stablehlo(model, tmp_path, {"sample": (DDIM(), 4)}, batch_size=0)
    with pytest.raises(ValueError, match="`samplings` must name at least one"):
        export_stablehlo(model, tmp_path, {}, batch_size=1)
    with pytest.raises(ValueError, match=r"`samplings` must have names of files, received "):
        export_stablehlo(model, tmp_path, {"../a": (DDIM(), 4)}, batch_size=1)
    assert not list(tmp_path.iterdir())
