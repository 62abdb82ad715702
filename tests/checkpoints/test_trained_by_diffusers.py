"""A model trained and saved by diffusers: one command, then what its own pipelines draw.

Made by `scripts/train_with_diffusers.py`; each scheduler has the spacing that is its default.
"""

import numpy as np
import pytest
import tensorflow as tf

from gddim_tf import checkpoints, cli, load
from gddim_tf.samplers import (
    DDIM,
    FPNDM,
    PLMS,
    DPMSolver,
    Euler,
    Heun,
    SubsequenceGrid,
    UniPC,
    run,
)
from tests.checkpoints.goldens import FOLDER

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")

PIPELINE = FOLDER / "diffusers_digits"
RECORD = np.load(FOLDER / "diffusers_digits.npz")
LEADING, SPARE = SubsequenceGrid(), SubsequenceGrid("linspace", spare=1)
EVEN = SubsequenceGrid("linspace", rounded=False)
SAMPLERS = {
    "ddim": DDIM(clip=1.0, clipped_eps=False, grid=LEADING),
    "pndm": FPNDM(grid=SubsequenceGrid(end="first")),
    "plms": PLMS(grid=SubsequenceGrid(end="first")),
    "deis": DPMSolver(
        prediction="eps",
        formula="polynomial",
        grid=SubsequenceGrid("linspace", spare=1, end="first"),
    ),
    "dpm": DPMSolver(grid=SPARE),
    "unipc": UniPC(grid=SPARE),
    "heun": Heun(flow="rho", grid=EVEN),
    "euler": Euler(flow="rho", grid=EVEN),
    "ancestral": DDIM(eta=1.0, grid=EVEN),
}
IN_SIGMA = ("heun", "euler", "ancestral")  # these start from sigma z instead of sqrt(1 + sigma^2) z


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    target = tmp_path_factory.mktemp("converted") / "digits.keras"
    assert cli.main(["convert", str(PIPELINE), "--to", str(target)]) == 0
    return load(target)


@pytest.mark.parametrize("steps", [10, 20, 50])
@pytest.mark.parametrize("name", SAMPLERS)
def test_the_pipelines_of_diffusers(model, name, steps):
    sampler = SAMPLERS[name]
    times = sampler.grid(model.sde, steps)
    table = sampler.fill(model.sde, times)
    start = RECORD["start"]
    if name in IN_SIGMA:
        sigma = model.sde.rho(times[0])
        start = start * np.float32(sigma / np.sqrt(1 + sigma**2))
    noise = None
    if table.noise is not None:
        noise = tf.constant(RECORD["draws"][: table.nfe])
    images = run(table, model.eps, tf.constant(start), noise=noise).numpy()
    np.testing.assert_allclose(images, RECORD[f"{name}_{steps}"], rtol=0, atol=2e-4)


def test_it_is_a_model_of_digits(model):
    """What DDIM makes of noise in 50 steps is mostly paper and stroke, not grey."""
    images = RECORD["ddim_50"]
    assert np.mean(np.abs(images) > 0.5) > 0.6
    assert checkpoints.read(PIPELINE).network.image_size == model.image_shape[0] == 8
