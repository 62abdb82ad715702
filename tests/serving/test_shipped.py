"""What is in saved_models: what it offers, and what the digits draw through the C loader."""

import pathlib

import numpy as np
import pytest
from tensorflow.core.protobuf import saved_model_pb2

from benchmarks.load.c_session import CSession
from gddim_tf.models import ServedModel
from gddim_tf.samplers import GDDIM

FOLDER = pathlib.Path(__file__).parents[2] / "saved_models"
NAMES = [f"{data}_{kind}" for data in ("digits", "fashion") for kind in ("bdm", "cld", "vp")]
SHIPPED = [FOLDER / name / "1" for name in NAMES]
BUDGETS = (10, 20, 50)
SIGNATURES = {"serving_default", "sample", "encode", "decode", "denoise"}
SIGNATURES |= {"edit", "decode_from", "inpaint"}
SIGNATURES |= {f"sample_{nfe}" for nfe in BUDGETS} | {f"sample_png_{nfe}" for nfe in BUDGETS}


@pytest.mark.parametrize("folder", SHIPPED, ids=NAMES)
def test_every_signature_is_there(folder):
    read = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    assert set(read.meta_graphs[0].signature_def) - {"__saved_model_init_op"} == SIGNATURES


def asked(folder, **others):
    """Two grey images of a class, and what is asked of them."""
    session = CSession(folder)
    image = np.full((2, 8, 8, 1), 100, np.uint8)
    seed = np.array([[3, 0], [3, 1]], np.int32)
    told = {"label": np.array([3, 8], np.int32), "guidance": np.ones(2, np.float32)}
    return session, {"image": image, "seed": seed, **told, **others}


@pytest.mark.slow
def test_a_shipped_model_edits_and_fills_in_through_the_c_loader():
    folder = FOLDER / "digits_vp" / "1"
    mask = np.zeros((2, 8, 8, 1), np.uint8)
    mask[:, :4] = 1
    session, inputs = asked(folder, mask=mask)
    filled = session.run("inpaint", inputs)["image"]
    np.testing.assert_array_equal(filled[:, :4], inputs["image"][:, :4])
    assert filled[:, 4:].std() > 20
    del inputs["mask"]
    gaps = []
    for strength in (0.2, 0.8):
        edited = session.run("edit", {**inputs, "strength": np.full(2, strength, np.float32)})
        gaps.append(np.abs(edited["image"].astype(int) - 100).mean())
    assert 5 < gaps[0] < gaps[1]


@pytest.mark.slow
@pytest.mark.parametrize("folder", SHIPPED[:3], ids=NAMES[:3])
def test_the_c_loader_draws_what_python_draws(folder):
    session, inputs = asked(folder)
    model, given = ServedModel(folder), inputs["image"] / np.float32(127.5) - 1
    mask = np.zeros((2, 8, 8, 1), np.uint8)
    mask[:, :4] = 1
    options = {"seed": 3, "labels": [3, 8], "nfe": 50}
    for name, more, expected in (
        ("edit", {"strength": np.float32([0.6, 0.6])}, model.edit(given, 0.6, GDDIM(), **options)),
        ("inpaint", {"mask": mask}, model.inpaint(given, mask, **options)),
    ):
        image = session.run(name, {**inputs, **more})["image"]
        levels = np.clip((expected + 1) * 127.5, 0, 255)
        assert np.abs(image - levels).max() <= 1.01, name
