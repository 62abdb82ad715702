import json
import warnings

import numpy as np
import pytest
from PIL import Image

from gddim_tf import data
from gddim_tf.evaluation.compare import compare
from gddim_tf.models import DiffusionModel
from gddim_tf.samplers import DDIM, default
from gddim_tf.sdes import VPSDE
from tests.conftest import own_model

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")


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
    assert row["sampler"] == f"default, {default(model.sde, 2)}"
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
    coverage = f"{row['precision']:.2f} | {row['recall']:.2f} | "  # no label was told
    assert f"| {row['kernel']:.4f} | {coverage} | {row['inception_score']:.2f} |" in text
    assert 1 <= row["inception_score"] <= 10
    assert f"- DDIM, NFE 2: {written['rows'][1]['verdict']}" in text
    assert written["kernel_floor"] == report.kernel_floor < 0
    # every line of the table has a cell below each title
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 5
    assert {line.count("|") for line in table} == {14}


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


def test_images_of_another_diffusion_or_prediction_are_refused(made, model):
    options = {"dataset": "digits", "directory": made[0], "count": 20, "seed": 7}
    faster = DiffusionModel(model.network, VPSDE(beta_max=10.0), "v")
    with pytest.raises(ValueError, match="holds images with sde = 'VPSDE"):
        compare(faster, [DDIM()], [2], **options)
    of_noise = DiffusionModel(model.network, model.sde, "eps")
    with pytest.raises(ValueError, match="holds images with prediction = 'v', received 'eps'"):
        compare(of_noise, [DDIM()], [2], **options)


def test_too_few_images_are_refused_before_any_is_made(model, tmp_path):
    with pytest.raises(ValueError, match=r"`count` must be at least 4, .* received 2 and 1500"):
        compare(model, [DDIM()], [2], dataset="digits", directory=tmp_path, count=2)
    assert list(tmp_path.iterdir()) == []  # nor were the real ones looked at


@pytest.mark.parametrize(
    ("test", "why"),
    [
        (slice(None), "at least half of the held-out images are among the training images"),
        (None, "all training images are equal"),
    ],
    ids=["seen", "equal"],
)
def test_what_memorisation_cannot_be_judged_by_is_told(model, tmp_path, test, why):
    images = np.random.default_rng(0).integers(0, 255, (9, 8, 8), np.uint8)
    if test is None:
        data.add("unjudged", np.repeat(images[:1], 9, axis=0))
    else:
        data.add("unjudged", images, images[test])
    report = compare(model, [DDIM()], [1], dataset="unjudged", directory=tmp_path, count=9)
    (row,) = report.rows
    assert row.verdict == f"Not checked for memorisation: {why}."
    assert (row.measures.keys() & {"frechet", "median_ratio"}, row.pairs) == ({"frechet"}, None)
    assert f"- DDIM, NFE 1: {row.verdict}" in report.markdown()


def test_guidance_reaches_the_sampler(conditional_model, tmp_path):
    options = {"dataset": "digits", "directory": tmp_path, "count": 10, "guidance": 3.0}
    report = compare(conditional_model, [DDIM()], [1], **options)
    assert report.settings["guidance"] == 3.0
    assert report.settings["labels"] == "image i has class i mod 10"
    assert 0 <= report.rows[0].measures["agreement"] <= 1 and report.agreement_floor > 0.97
    assert f"| {report.agreement_floor:.1%} |" in report.markdown()
    (path,) = tmp_path.glob("images/*guidance3/0*.npz")
    expected = conditional_model.sample(10, DDIM(), 1, labels=np.arange(10), guidance=3.0)
    difference = np.load(path)["images"] - np.clip((expected + 1) * 127.5, 0, 255)
    assert np.abs(difference).max() <= 0.51


def test_guidance_needs_classes(model, tmp_path):
    with pytest.raises(ValueError, match="`labels` must be given with `guidance`"):
        compare(model, [DDIM()], [2], dataset="digits", directory=tmp_path, count=10, guidance=2.0)


def test_grey_and_coloured_images_are_not_compared(model, tmp_path):
    with pytest.raises(ValueError, match=r"must have images of 1 channels, .* received 3 of"):
        compare(model, [None], [2], dataset="photo_patches", directory=tmp_path, features="random")
    assert list(tmp_path.iterdir()) == []


def test_images_of_another_size_are_told(model, tmp_path):
    data.add("tall", np.random.default_rng(0).integers(0, 255, (9, 12, 8), np.uint8))
    told = "the images of tall .* are taken as 8 x 8 from 12 x 8"
    with pytest.warns(UserWarning, match=told):
        report = compare(model, [], [], dataset="tall", directory=tmp_path, count=9)
    expected = "9 images of tall, split train, taken as 8 x 8 from 12 x 8"
    assert report.settings["reference"] == expected
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = compare(model, [], [], dataset="digits", directory=tmp_path, count=9)
    assert report.settings["reference"] == "1500 images of digits, split train"
