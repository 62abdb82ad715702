import json

import numpy as np
import pytest
import tensorflow as tf
from safetensors.numpy import save_file

from gddim_tf import checkpoints, cli, load, sdes
from gddim_tf.checkpoints.families import FAMILIES, Checkpoint
from gddim_tf.checkpoints.imported import Imported
from gddim_tf.checkpoints.model import with_diffusion
from gddim_tf.networks import ScoreUNet, UnitRange
from gddim_tf.samplers import DDIM, SubsequenceGrid, run
from tests.checkpoints.goldens import FOLDER, flax_checkpoint, golden

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")


@pytest.fixture(scope="module")
def diffusers_folder(tmp_path_factory):
    """The tiny network as diffusers lays a pipeline out."""
    reference = golden("unet_diffusers_ddpm32_a")
    root = tmp_path_factory.mktemp("pipeline")
    for name in ("unet", "scheduler"):
        (root / name).mkdir()
    save_file(reference.tensors, root / "unet" / "diffusion_pytorch_model.safetensors")
    (root / "unet" / "config.json").write_text(json.dumps(reference.config))
    scheduler = {"beta_start": 1e-4, "beta_end": 0.02, "beta_schedule": "linear"}
    (root / "scheduler" / "scheduler_config.json").write_text(json.dumps(scheduler))
    return root / "unet"


def test_ddim_gives_the_images_of_the_diffusers_pipeline(diffusers_folder):
    recorded = np.load(FOLDER / "diffusers_pipeline.npz")
    model = checkpoints.load(diffusers_folder)
    table = DDIM(grid=SubsequenceGrid("uniform")).table(model.sde, 10)
    np.testing.assert_array_equal(model.sde.time_label(table.time), np.arange(900, -1, -100))
    images = run(table, model.eps, tf.constant(recorded["noise"])).numpy()
    gap = np.abs(images - recorded["images"]).max() / np.abs(recorded["images"]).max()
    assert gap < 1e-4


@pytest.mark.parametrize("schedule", ["scaled_linear", "squaredcos_cap_v2"])
def test_the_schedulers_betas_are_read(diffusers_folder, schedule, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    for file in diffusers_folder.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "scheduler_config.json").write_text(json.dumps({"beta_schedule": schedule}))
    betas = checkpoints.load(folder).sde.betas
    middle = {"scaled_linear": 0.0058, "squaredcos_cap_v2": 0.00310}[schedule]
    np.testing.assert_allclose(betas[499], middle, rtol=0.02)
    file = folder / "diffusion_pytorch_model.safetensors"
    alone = checkpoints.load(file, config=folder / "config.json")
    np.testing.assert_array_equal(alone.sde.betas, betas)
    (folder / "scheduler_config.json").write_text(json.dumps({"prediction_type": "score"}))
    with pytest.raises(ValueError, match=r"`prediction_type` .* must be epsilon, sample, v_pred"):
        checkpoints.load(folder)


@pytest.mark.parametrize(
    ("kind", "prediction"), [("sample", "x0"), ("v_prediction", "v"), ("epsilon", "eps")]
)
def test_what_the_scheduler_says_is_predicted(kind, prediction, tmp_path):
    """The network's number is x0, or v = alpha eps - sigma x0 (Salimans and Ho 2022), or eps."""
    reference = golden("unet_diffusers_ddpm32_a")
    save_file(reference.tensors, tmp_path / "diffusion_pytorch_model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(reference.config))
    (tmp_path / "scheduler_config.json").write_text(json.dumps({"prediction_type": kind}))
    model = checkpoints.load(tmp_path)
    assert model.prediction == prediction
    t = tf.constant(reference.time + 1.0, tf.float32)
    eps = model.eps(tf.constant(reference.x), t).numpy()
    alpha = np.exp(model.sde.log_signal(reference.time + 1.0))[:, None, None, None]
    sigma = np.sqrt(1 - alpha**2)
    expected = {
        "sample": (reference.x - alpha * reference.y) / sigma,
        "v_prediction": alpha * reference.y + sigma * reference.x,
        "epsilon": reference.y,
    }[kind]
    np.testing.assert_allclose(eps, expected, atol=1e-4 * np.abs(expected).max())


def test_convert_writes_a_model_that_samples(diffusers_folder, tmp_path, capsys):
    target = tmp_path / "ddpm.keras"
    assert cli.main(["convert", str(diffusers_folder), "--to", str(target)]) == 0
    assert "DiscreteVPSDE" in capsys.readouterr().out
    model = load(target)
    assert model.sample(1, nfe=2).shape == (1, 32, 32, 3)
    assert cli.main(["convert", str(tmp_path / "none"), "--to", str(target)]) == 2
    assert "none" in capsys.readouterr().err


def test_edm_weights_are_preconditioned_as_in_the_paper():
    reference = golden("unet_edm_ncsnpp_a")
    assert reference.x.shape[-1] == 3
    sde = sdes.VESDE.karras()
    sigma, std = np.array([0.3, 5.0], np.float32), 0.5
    x = np.asarray(reference.x[:2]) * sigma[:, None, None, None]
    model = _edm_model(reference)
    eps = model.eps(tf.constant(x), tf.constant(sigma)).numpy()
    total = (sigma**2 + std**2)[:, None, None, None]
    s = sigma[:, None, None, None]
    network = np.asarray(model.network(x / np.sqrt(total), np.log(sigma) / 4))
    denoised = std**2 / total * x + s * std / np.sqrt(total) * network
    np.testing.assert_allclose(eps, (x - denoised) / s, atol=2e-4 * np.abs(eps).max())
    assert repr(model.sde) == repr(sde)


def _edm_model(reference):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        save_file(reference.tensors, f"{folder}/edm.safetensors")
        return checkpoints.load(f"{folder}/edm.safetensors", config=reference.config)


def test_a_gddim_checkpoint_becomes_a_blurring_diffusion(tmp_path):
    path, record, config = flax_checkpoint("flax_checkpoint_bdm", tmp_path)
    model = checkpoints.load(path, config=config, sde="bdm")
    assert type(model.sde) is sdes.BDM
    state = model.sde.from_pixels(tf.constant(record["x"]))
    t = tf.constant(record["time"] / 999.0, tf.float32)
    eps = model.sde.to_pixels(model.eps(state, t)).numpy()
    assert np.abs(eps - record["y"]).max() < 1e-4 * np.abs(record["y"]).max()


def imported(family, config, **changed):
    """A tiny network of score_sde, as if it had been read."""
    options = {"image_size": 8, "embedding": "fourier", "out_channels": 1, **changed}
    network = ScoreUNet.from_preset("ddpm_tiny", **options)
    family = next(known for known in FAMILIES if known.name == family)
    return Imported(network, family, Checkpoint({}, config))


@pytest.mark.parametrize("family", ["score_sde_torch", "score_sde_flax"])
def test_exploding_networks_of_images_in_0_1_are_for_images_in_minus_1_1(family):
    config = {"training": {"sde": "vesde"}, "model": {"sigma_min": 0.01, "sigma_max": 348}}
    options = {"scale_by_sigma": True}
    model = with_diffusion(imported(family, config, centered=False, **options))
    assert isinstance(model.network, UnitRange)
    assert repr(model.sde) == repr(sdes.VESDE(0.02, 696.0))
    assert model.sample(1, "ddim", nfe=1).shape == (1, 8, 8, 1)
    model = with_diffusion(imported(family, config, centered=False, **options), sdes.VESDE(0.1, 9))
    assert repr(model.sde) == repr(sdes.VESDE(0.2, 18.0))
    model = with_diffusion(imported(family, config, **options))
    assert isinstance(model.network, ScoreUNet)
    assert repr(model.sde) == repr(sdes.VESDE(0.01, 348.0))
    with pytest.raises(ValueError, match="`sde` must be VESDE for a network that was trained on"):
        with_diffusion(imported(family, config, centered=False, **options), sdes.VESDE.karras())
    with pytest.raises(ValueError, match="`centered` must be true unless the diffusion is var"):
        with_diffusion(imported(family, {"training": {"sde": "vpsde"}}, centered=False))


@pytest.mark.parametrize("centered", [True, False])
def test_exploding_networks_of_diffusers_draw_images_in_0_1(centered):
    """As its `ScoreSdeVePipeline` clamps them, whatever `center_input_sample` says."""
    kind = next(known for known in FAMILIES if known.name == "diffusers")
    options = {"image_size": 8, "embedding": "fourier", "scale_by_sigma": True}
    network = ScoreUNet.from_preset("ddpm_tiny", centered=centered, **options)
    config = {"time_embedding_type": "fourier"}
    for scheduler, sde in (
        ({"sigma_max": 348.0}, sdes.VESDE(0.02, 696.0)),
        ({"snr": 0.15}, sdes.VESDE(0.02, 2696.0)),  # the library's own sigma_max is 1348
        ({}, sdes.VESDE(0.02, 100.0)),
    ):
        checkpoint = Checkpoint({}, config, scheduler)
        model = with_diffusion(Imported(network, kind, checkpoint))
        assert isinstance(model.network, UnitRange)
        assert repr(model.sde) == repr(sde)
