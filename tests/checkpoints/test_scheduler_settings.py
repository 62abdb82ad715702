"""Pipelines with schedulers of many settings, converted, draw what diffusers drew."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from gddim_tf import checkpoints
from gddim_tf.samplers import DDIM, DynamicThreshold, ListGrid, SubsequenceGrid, run
from tests.checkpoints.goldens import FOLDER

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")

RECORD = np.load(FOLDER / "scheduler_settings.npz")
SETTINGS = json.loads(str(RECORD["settings"]))
START = np.load(FOLDER / "diffusers_digits.npz")["start"]
TRAILING = SubsequenceGrid("trailing")
SAMPLERS = {
    "zero_snr": DDIM(grid=TRAILING),
    "zero_snr_scaled": DDIM(grid=TRAILING),
    "offset": DDIM(grid=SubsequenceGrid(offset=1, end="first")),
    "hundred": DDIM(grid=SubsequenceGrid()),
    "five_hundred": DDIM(grid=TRAILING),
    "trained": DDIM(grid=SubsequenceGrid()),
    "range": DDIM(grid=SubsequenceGrid(), clip=0.6, clipped_eps=False),
    "threshold": DDIM(
        grid=SubsequenceGrid(), clip=DynamicThreshold(0.9, largest=1.5), clipped_eps=False
    ),
}

QUICK = ("flow_shift", "zero_snr", "offset", "hundred", "threshold")


@pytest.mark.parametrize(
    "name",
    [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in SETTINGS],
)
def test_a_pipeline_of_these_settings(name, tmp_path):
    folder = tmp_path / "pipeline"
    shutil.copytree(FOLDER / "diffusers_digits", folder)
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(SETTINGS[name]))
    model = checkpoints.load(folder)
    times = RECORD[f"{name}_times"]
    if name.startswith("flow"):  # whose time steps are the noise level in thousandths
        shift, total = SETTINGS[name]["shift"], SETTINGS[name]["num_train_timesteps"]
        sigma = times / total
        grid = ListGrid([*(sigma / (shift - (shift - 1) * sigma)), 0.0])
        sampler = DDIM(grid=grid)
    else:
        sampler = SAMPLERS[name]
        np.testing.assert_array_equal(sampler.grid(model.sde, 10)[: len(times)], times + 1)
    table = sampler.fill(model.sde, sampler.grid(model.sde, 10)) if name == "offset" else None
    table = table or sampler.table(model.sde, 10)
    end = run(table, model.eps, tf.constant(START)).numpy()
    scale = np.abs(RECORD[name]).max()
    np.testing.assert_allclose(end, RECORD[name], rtol=0, atol=1e-4 * scale)
