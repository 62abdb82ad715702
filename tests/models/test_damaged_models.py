"""Models that are damaged or ask for too much: an error that names the file, at once."""

import json
import resource
import shutil
import zipfile

import pytest

from gddim_tf import cli, serving
from gddim_tf.models import DiffusionModel
from gddim_tf.models.opening import load, save
from gddim_tf.networks import ScoreUNet
from gddim_tf.reading import DamagedFileError
from gddim_tf.sdes import VPSDE
from tests.conftest import FLAT, own_model

SDE = {"module": "gddim_tf.sdes", "registered_name": None}


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    network = ScoreUNet.from_preset("ddpm_tiny", out_channels=1, **FLAT)
    path = tmp_path_factory.mktemp("archive") / "tiny.keras"
    return save(DiffusionModel(network, VPSDE(), "v"), path)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "m"
    return serving.export(own_model(), folder, {"s": ("ddim", 1)}, batch_sizes=[1])


def changed(archive, path, **parts):
    """A copy with other contents of some parts; None leaves one out."""
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = parts.get(name.partition(".")[0], old.read(name))
            if content is not None:
                new.writestr(name, content)
    return path


def refused(path, capsys):
    """The one line of the command, after the error in Python."""
    with pytest.raises(DamagedFileError):
        load(path)
    assert cli.main(["sample", "--model", str(path), "--count", "1", "--nfe", "1"]) == 2
    printed = capsys.readouterr().err.strip().splitlines()[-1]
    assert str(path) in printed and "Traceback" not in printed
    return printed


def test_parts_of_an_archive(archive, tmp_path, capsys):
    model = zipfile.ZipFile(archive).read("model.weights.h5")
    for number, parts in enumerate(
        [
            {"config": b"{"},
            {"config": b"[]"},
            {"config": b"{}"},
            {"config": b"[" * 10**5},
            {"config": b'{"class_name": "ScoreUNet", "config": 3}'},
            {"config": None},
            {"model": None},
            {"model": b""},
            {"model": model[: len(model) // 2]},
            {"model": bytes(len(model))},
        ]
    ):
        refused(changed(archive, tmp_path / f"{number}.keras", **parts), capsys)
    whole = archive.read_bytes()
    cut = tmp_path / "cut.keras"
    cut.write_bytes(whole[:100] + bytes(400) + whole[500:])
    refused(cut, capsys)


def test_an_archive_that_asks_for_more_than_it_holds(archive, tmp_path, capsys):
    told = json.loads(zipfile.ZipFile(archive).read("config.json"))
    options = told["config"]["network"]["config"]
    for name, value in (
        ("base_channels", 2**14),
        ("blocks_per_level", 10**9),
        ("channel_multipliers", [1] * 10**4),
        ("num_classes", 10**9),
    ):
        before = options[name]
        options[name] = value
        path = changed(archive, tmp_path / f"{name}.keras", config=json.dumps(told).encode())
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert "its network" in refused(path, capsys)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 100_000  # kilobytes
        options[name] = before
    bomb = changed(archive, tmp_path / "bomb.keras", model=bytes(10**8))
    assert "it unpacks to" in refused(bomb, capsys)


@pytest.mark.parametrize(
    "changes",
    [
        {"image_shape": [10**5, 10**5, 1]},
        {"image_shape": [8, 8]},
        {"image_shape": [8, 8, 0]},
        {"image_shape": [8.0, 8, 1]},
        {"image_shape": [True, 8, 1]},
        {"image_shape": "888"},
        {"image_shape": 8},
        {"image_shape": [16, 16, 1]},
        {"num_classes": -1},
        {"num_classes": 10**12},
        {"num_classes": None},
        {"class_names": ["a"]},
        {"class_names": 3},
        {"sde": None},
        {"sde": 3},
        {"sde": {"class_name": "dict", "module": "builtins", "config": {}}},
        {"sde": {**SDE, "class_name": "BDM", "config": {"image_size": 10**5}}},
        {"sde": {**SDE, "class_name": "VPSDE", "config": {"beta_min": "low"}}},
        {"sde": {**SDE, "class_name": "Nothing", "config": {}}},
    ],
    ids=str,
)
def test_descriptions_of_an_export(exported, changes, tmp_path, capsys):
    copy = tmp_path / "m" / "1"
    shutil.copytree(exported, copy)
    file = copy / "assets.extra" / "gddim_tf.json"
    told = json.loads(file.read_text())
    file.write_text(json.dumps(told | changes))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(copy, capsys)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 100_000


def test_files_of_an_export(exported, tmp_path, capsys):
    for number, (name, content) in enumerate(
        [
            ("assets.extra/gddim_tf.json", b"{"),
            ("assets.extra/gddim_tf.json", b"{}"),
            ("saved_model.pb", b"\xff" * 100),
            ("saved_model.pb", b""),
            ("variables/variables.index", b"not an index"),
            ("variables/variables.data-00000-of-00001", b""),
        ]
    ):
        copy = tmp_path / str(number)
        shutil.copytree(exported, copy)
        (copy / name).write_bytes(content)
        refused(copy, capsys)
