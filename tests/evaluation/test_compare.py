import json

import numpy as np
import pytest
from PIL import Image

from gddim_tf.evaluation.compare import compare
from gddim_tf.samplers import DDIM, default
from tests.conftest import own_model


@pytest.fixture(scope="module")
def model():
    return own_model()


@pytest.fixture(scope="module")
def made(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluation")
    report = compare(
        model, [None, DDIM()], [2], dataset="digits", directory=folder, count=20, seed=7
    )
    report.write(folder)
    return folder, report


def test_the_report_repeats_itself(made, model):
    folder, report = made
    written = json.loads((folder / "results.json").read_text())
    row = written["rows"][0]
    assert row["arguments"] == repr(default(model.sde, 2))  # with its grid
    assert row["sampler"].startswith("default, GDDIM(")
    assert (row["nfe"], row["count"]) == (2, 20)
    assert row["seconds_per_image"] == pytest.approx(row["seconds"] / 20)
    told = written["settings"]
    assert (told["seed"], told["guidance"], told["labels"]) == (7, None, "none")
    assert told["sde"] == repr(model.sde)
    assert "digits-" in told["features"]
    assert {"weights", "reference", "real against real", "tensorflow", "keras"} <= set(told)
    text = (folder / "results.md").read_text()
    assert text == report.markdown()
    assert "| DDIM | 2 | 20 |" in text


def test_every_row_has_its_closest_pairs(made):
    folder, report = made
    for row in report.rows:
        assert row.verdict
        assert f"]({row.pairs})" in row.markdown()
        assert Image.open(folder / row.pairs).width > 10 * 8


def test_images_are_not_made_again(made, model):
    folder, report = made
    files = {path: path.stat().st_mtime_ns for path in folder.glob("images/*/*.npz")}
    assert len(files) == 2
    again = compare(
        model, [None, DDIM()], [2], dataset="digits", directory=folder, count=20, seed=7
    )
    assert again == report
    assert {path: path.stat().st_mtime_ns for path in folder.glob("images/*/*.npz")} == files


def test_images_of_other_weights_are_refused(made):
    other = own_model()
    other.network.hidden.kernel.assign(2 * other.network.hidden.kernel)
    with pytest.raises(ValueError, match="holds images with weights"):
        compare(other, [DDIM()], [2], dataset="digits", directory=made[0], count=20, seed=7)


def test_guidance_reaches_the_sampler(conditional_model, tmp_path):
    options = {"dataset": "digits", "directory": tmp_path, "count": 10, "guidance": 3.0}
    report = compare(conditional_model, [DDIM()], [1], **options)
    assert report.settings["guidance"] == 3.0
    assert report.settings["labels"] == "image i has class i mod 10"
    (path,) = tmp_path.glob("images/*guidance3/0*.npz")
    expected = conditional_model.sample(10, DDIM(), 1, labels=np.arange(10), guidance=3.0)
    difference = np.load(path)["images"] - np.clip((expected + 1) * 127.5, 0, 255)
    assert np.abs(difference).max() <= 0.51


def test_guidance_needs_classes(model, tmp_path):
    with pytest.raises(ValueError, match="`labels` must be given with `guidance`"):
        compare(model, [DDIM()], [2], dataset="digits", directory=tmp_path, count=10, guidance=2.0)
