import argparse
import dataclasses
import importlib
import json
import os
import pathlib
import re
import subprocess
import sys
import warnings

import numpy as np
import pytest
from PIL import Image

from gddim_tf import checkpoints, cli, data, sdes
from gddim_tf.cli import arguments
from gddim_tf.models.prediction import PREDICTIONS
from gddim_tf.models.prediction_base import WEIGHTINGS
from gddim_tf.networks import PRESETS
from gddim_tf.samplers import default
from gddim_tf.samplers.parse import names
from gddim_tf.training import RECIPES, Recipe

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")

COMMANDS = sorted(cli.COMMANDS)
_MODULES = ["export", "--stablehlo", "--model", "m", "--out", "x"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(command, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main([command, "--help"])
    assert stop.value.code == 0
    assert f"gddim-tf {command}" in capsys.readouterr().out.split("For example:")[1]


def helps(command):
    """What `--help` says of each option, by its name in the program."""
    parser = argparse.ArgumentParser()
    importlib.import_module(f"gddim_tf.cli.{command}").add_arguments(parser)
    return {action.dest: action.help for action in parser._actions}


@pytest.mark.parametrize(
    ("command", "option", "known"),
    [
        ("train", "recipe", RECIPES),
        ("train", "dataset", data.names()),
        ("train", "sde", sdes.names()),
        ("train", "network", PRESETS),
        ("train", "prediction", PREDICTIONS),
        ("train", "weighting", WEIGHTINGS),
        ("sample", "sampler", names()),
        ("export", "sampler", names()),
        ("convert", "format", checkpoints.FORMATS),
        ("convert", "preset", PRESETS),
        ("convert", "sde", sdes.names()),
        ("prepare", "data", data.names()),
    ],
)
def test_help_lists_every_name(command, option, known):
    assert set(known) <= set(re.findall(r"[\w/]+", helps(command)[option]))


def test_help_tells_the_settings_of_a_run_without_a_recipe():
    told = helps("train")
    words = {True: "yes", False: "no"}
    for field in dataclasses.fields(Recipe):
        if field.default is not None:
            value = (
                words.get(field.default, field.default) if field.type == "bool" else field.default
            )
            assert told[field.name].endswith(f"({value})"), field.name


def test_help_imports_its_own_command_and_no_tensorflow():
    code = (
        "import sys\n"
        "from gddim_tf import cli\n"
        "try:\n"
        "    cli.main(['train', '--help'])\n"
        "except SystemExit:\n"
        "    pass\n"
        "found = {'tensorflow', 'keras', 'numpy', 'gddim_tf.cli.sample'} & set(sys.modules)\n"
        "sys.exit(f'imported {found}' if found else 0)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_a_mistyped_name_is_refused_before_tensorflow_is_imported():
    code = (
        "import sys\n"
        "from gddim_tf import cli\n"
        "code = cli.main(['train', '--sde', 'vpp', '--out', 'run'])\n"
        "sys.exit(code != 2 or 'tensorflow' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stderr=subprocess.DEVNULL)


def test_the_terminal_is_quiet_unless_more_is_asked_for():
    def told(*options):
        command = [sys.executable, "-m", "gddim_tf.cli", "prepare", "mnist-of-mars", *options]
        environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
        return subprocess.run(command, env=environment, capture_output=True, text=True).stderr

    quiet = told()
    assert quiet.count("\n") == 1 and "mnist-of-mars" in quiet
    assert told("--verbose").count("\n") > 1


def test_features_suit_the_data_set():
    assert arguments.features_for("digits", None) == "digits"
    assert arguments.features_for("cifar10", None) == "inception"
    assert arguments.features_for("fashion_mnist", None) == "fashion"
    clothes = pathlib.Path(__file__).parents[1] / "golden" / "fashion_mnist"
    assert arguments.features_for(f"idx:{clothes}", None) == "fashion"
    assert arguments.features_for("cifar10", "inception:folder") == "inception:folder"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "COMMAND"),
        (["paint"], "invalid choice: 'paint'"),
        (["train"], "--out"),
        (["train", "--out", "x", "--steps", "many"], "invalid int value: 'many'"),
        (["sample", "--model", "nowhere"], "received nowhere"),
        (["sample", "--labels", "a,,b"], "argument --labels: must be classes separated by commas"),
        (["client", "--labels", "1,"], "argument --labels: must be whole numbers separated by"),
        (["export", "--nfe", "10,x"], "argument --nfe: must be whole numbers separated by commas"),
        (["export", "--batch-sizes", ""], "argument --batch-sizes: must be whole numbers"),
        ([*_MODULES, "--jit", "--keep", "2"], "--stablehlo must stand without --keep, --jit"),
        ([*_MODULES, "--weights", "float32"], "--stablehlo must stand without --weights, which"),
        ([*_MODULES, "--batch-sizes", "1"], "--stablehlo must stand without --batch-sizes, which"),
        ([*_MODULES, "--largest-batch", "9"], "--stablehlo must stand without --largest-batch, "),
        ([*_MODULES, "--version", "1"], "--stablehlo must stand without --version, which is"),
        (["export", *_MODULES[2:], "--batch-size", "1"], "--batch-size needs --stablehlo, whose"),
        (["client", "--model", "m", "--token-file", "/bin/sh"], "must hold a token, received /bin"),
        (["prepare", "mnist-of-mars"], "mnist-of-mars"),
        (["train", "--out", ""], "`--out` must not be empty"),
        (["sample", "--model", ""], "`--model` must not be empty"),
        (["train", "--out", "x", "--virtual-devices", "0"], "`virtual_devices` must be at least 1"),
        (["train", "--out", "x", "--grid-every", "0"], "`every` must be at least 1, received 0"),
        (["train", "--out", "x", "--image-size", "32x20"], "given for images of 32 x 20: ddpm"),
    ],
)
def test_bad_arguments_give_one_line_and_code_2(arguments, message, capsys):
    try:
        code = cli.main(arguments)
    except SystemExit as stop:
        code = stop.code
    printed = capsys.readouterr()
    assert code == 2
    assert printed.out == ""
    assert message in printed.err
    assert printed.err.count("\n") == 1
    assert "Traceback" not in printed.err


def test_the_whole_path(flat_networks, tmp_path, capsys):
    run, served = str(tmp_path / "run"), str(tmp_path / "served")
    train = ["train", "--network", "ddpm_tiny", "--steps", "2", "--steps-per-epoch", "2"]
    assert cli.main([*train, "--conditional", "--out", run]) == 0
    assert cli.main(["export", "--model", run, "--nfe", "3", "--out", served]) == 0
    told = json.loads((tmp_path / "served/1/assets.extra/gddim_tf.json").read_text())
    assert told["signatures"]["sample_3"]["sampler"] == repr(default(sdes.VPSDE(), 3))
    for source in (run, served):
        picture, array, steps = (tmp_path / name for name in ("p.png", "p.npy", "steps.png"))
        arguments = ["sample", "--model", source, "--count", "6", "--nfe", "3", "--labels", "1,2"]
        arguments += ["--out", str(picture), "--array", str(array), "--steps-picture", str(steps)]
        assert cli.main(arguments) == 0
        assert Image.open(steps).size == (4 * 50 - 2, 4 * 50 - 2)  # noise and three steps, 4 images
        assert np.load(array).shape == (6, 8, 8, 1)
        assert Image.open(picture).size[0] > 8
        if source == run:
            first = np.load(array)
    assert np.abs(np.load(array).astype(int) - first.astype(int)).max() <= 1
    out = tmp_path / "evaluation"
    evaluate = ["evaluate", "--model", run, "--nfe", "2,3", "--count", "20", "--out", str(out)]
    assert cli.main([*evaluate, "--samplers", "ddim; ddim(eta=1)"]) == 0
    rows = json.loads((out / "results.json").read_text())["rows"]
    assert [(row["sampler"], row["nfe"]) for row in rows] == [
        ("DDIM", 2),
        ("DDIM", 3),
        ("DDIM(eta=1)", 2),
        ("DDIM(eta=1)", 3),
    ]
    table = (out / "results.md").read_text()
    assert "| DDIM(eta=1) | 3 | 20 |" in table
    assert "expected by chance alone" in table
    bits = tmp_path / "bits.json"
    likelihood = ["likelihood", "--model", served, "--levels", "17", "--tolerance", "1e-2"]
    options = ["--conditional", "--count", "3", "--probes", "1", "--out", str(bits)]
    capsys.readouterr()
    assert cli.main([*likelihood, *options]) == 0
    report = json.loads(bits.read_text())
    assert json.loads(capsys.readouterr().out) == report
    assert np.isfinite(report["bits_per_dim"])
    assert (report["images"], report["probes"], report["levels"]) == (3, 1, 17)
    assert cli.main([*train, "--seed", "5", "--out", run]) == 2
    assert "use another folder or the same settings" in capsys.readouterr().err


def test_other_images_are_trained_on_with_the_settings_of_digits_only_after_a_word():
    command = importlib.import_module("gddim_tf.cli.train")
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    options = parser.parse_args(["--out", "x", "--ema", "0.9"])
    with pytest.warns(UserWarning, match=r"digits: --learning-rate 0.002, --steps 3000$"):
        command._tell_of_digits(options, Recipe(dataset="cifar10", ema=0.9))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        command._tell_of_digits(options, Recipe(ema=0.9))
        options.recipe = "ddpm_cifar10"
        command._tell_of_digits(options, Recipe(dataset="cifar10", ema=0.9))


def test_nan_images_stop_training_with_one_line(flat_networks, tmp_path, capsys):
    # a picture cannot hold NaN, so the learning rate makes it
    arguments = ["train", "--network", "ddpm_tiny", "--steps", "4", "--steps-per-epoch", "2"]
    options = ["--learning-rate", "1e30", "--warmup", "0", "--clip", "1e30"]
    assert cli.main([*arguments, *options, "--out", str(tmp_path)]) == 2
    assert "the loss became" in capsys.readouterr().err
    assert not (tmp_path / "model.keras").exists()


def test_a_corrupt_picture_is_named(tmp_path, capsys):
    for index in range(3):
        Image.new("L", (8, 8), 40 * index).save(tmp_path / f"{index}.png")
    broken = tmp_path / "broken.png"
    broken.write_bytes((tmp_path / "0.png").read_bytes()[:40])
    arguments = ["train", "--data", f"folder:{tmp_path}", "--image-size", "8", "--steps", "1"]
    code = cli.main([*arguments, "--network", "ddpm_tiny", "--out", str(tmp_path / "run")])
    assert code == 2
    assert "broken.png" in capsys.readouterr().err


def test_an_empty_folder_is_named(tmp_path, capsys):
    arguments = ["train", "--data", f"folder:{tmp_path}/none", "--out", str(tmp_path / "run")]
    (tmp_path / "none").mkdir()
    assert cli.main(arguments) == 2
    assert "none" in capsys.readouterr().err
