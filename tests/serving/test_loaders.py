"""Every signature through the loader of TF Serving and through `saved_model_cli`."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import tensorflow as tf

from gddim_tf.data import to_uint8
from gddim_tf.samplers import DDIM, run
from gddim_tf.samplers.strength import time_of_strength
from tests.serving.conftest import BUDGETS, assert_same_images

HERE = pathlib.Path(__file__).parent
# The upper half is known.
MASK = np.zeros((4, 8, 8, 1), np.uint8)
MASK[:, :4] = 1
LOAD = HERE.parents[1] / "benchmarks" / "load"  # and nothing of the package


def requests(served):
    """Of every signature: name -> inputs."""
    ones, image = np.ones(4, np.float32), served.images("sample_50")
    return {
        **{name: served.inputs(2.0) for name in BUDGETS},
        **{name.replace("_", "_png_"): served.inputs(2.0) for name in BUDGETS},
        "serving_default": served.inputs(),
        "sample": served.inputs(nfe=np.full(4, 50, np.int32)),
        "encode": {"image": image, "seed": served.seeds, "label": served.labels},
        "decode": {"state": served.state, "label": served.labels, "guidance": ones},
        "edit": {"image": image, "strength": 0.6 * ones, **served.inputs(2.0)},
        "decode_from": {
            "state": served.state,
            "strength": 0.6 * ones,
            "label": served.labels,
            "guidance": ones,
        },
        "inpaint": {"image": image, "mask": 255 * MASK, **served.inputs(2.0)},
        "denoise": {"state": served.state, "time": 0.3 * ones, "label": served.labels},
    }


def check(served, signature, outputs):
    """Compare with the model in Python."""
    model, labels = served.model, served.labels
    if signature in BUDGETS:
        assert_same_images(outputs["image"], served.images(signature, 2.0))
    elif "png" in signature:
        images = [tf.io.decode_png(bytes(data)).numpy() for data in outputs["image_bytes"]]
        assert_same_images(images, served.images(signature.replace("_png_", "_"), 2.0))
    elif signature in ("serving_default", "sample"):
        name = "sample_50" if signature == "sample" else "sample_10"
        assert_same_images(outputs["image"], served.images(name))
    elif signature in ("edit", "inpaint"):
        given = served.images("sample_50") / np.float32(127.5) - 1
        options = {"seed": 7, "labels": labels, "guidance": 2.0, "nfe": 50}
        if signature == "edit":
            expected = model.edit(given, 0.6, DDIM(), **options)
        else:
            expected = model.inpaint(given, MASK, **options)
            np.testing.assert_array_equal(
                outputs["image"][:, :4], served.images("sample_50")[:, :4]
            )
        assert_same_images(outputs["image"], np.asarray(to_uint8(expected)))
    elif signature == "decode_from":
        table = DDIM().table_from(model.sde, time_of_strength(model.sde, 0.6), 50)
        state = run(table, model.eps, served.state, context={"labels": tf.constant(labels)})
        assert_same_images(outputs["image"], np.asarray(to_uint8(state)))
    elif signature == "denoise":
        expected = model.eps(tf.constant(served.state), tf.fill([4], 0.3), labels)
        np.testing.assert_allclose(outputs["eps"], expected, atol=1e-5)
    else:
        context = {"labels": tf.constant(labels)}
        table = DDIM().table(model.sde, 50)
        if signature == "encode":
            table = DDIM().encode(model.sde, 50)
            signal = float(model.sde.transition(model.sde.t_min, 0.0).squeeze())
            start = signal * (served.images("sample_50") / np.float32(127.5) - 1)
            expected = run(table, model.eps, start.astype(np.float32), context=context)
            np.testing.assert_allclose(outputs["state"], expected, atol=1e-4)
        else:
            state = run(table, model.eps, served.state, context=context)
            expected = np.clip(np.round((state + 1) * 127.5), 0, 255)
            assert_same_images(outputs["image"], expected)


def test_the_c_loader_runs_every_signature_without_python_code(served, tmp_path):
    asked = requests(served)
    loaded = tf.saved_model.load(str(served.path))
    assert set(asked) == set(loaded.signatures)
    flat = {f"{name}/{key}": v for name, inputs in asked.items() for key, v in inputs.items()}
    np.savez(tmp_path / "requests.npz", **flat)
    command = [sys.executable, str(HERE / "run_c_session.py"), str(served.path)]
    files = [str(tmp_path / "requests.npz"), str(tmp_path / "answers.npz")]
    environment = {**os.environ, "PYTHONPATH": str(LOAD)}
    subprocess.run([*command, *files], check=True, cwd=HERE, env=environment)
    answers = {}
    for key, value in np.load(files[1]).items():
        signature, output = key.split("/")
        answers.setdefault(signature, {})[output] = value
    assert set(answers) == set(asked)
    for signature, outputs in answers.items():
        assert all(len(value) == 4 for value in outputs.values())
        check(served, signature, outputs)
