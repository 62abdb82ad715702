import csv
import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys

import keras
import numpy as np
import pytest
from PIL import Image

from gddim_tf.cli import main
from gddim_tf.locking import exclusive
from gddim_tf.models import DiffusionModel, load
from gddim_tf.networks import PRESETS
from gddim_tf.reading import DamagedFileError
from gddim_tf.sdes import VPSDE
from gddim_tf.training import AveragingAdam, Checkpoint, Recipe, train
from gddim_tf.training.run_folder import RunFolder
from tests.conftest import FLAT, OwnNetwork

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")

RECIPE = ["--network", "ddpm_tiny", "--steps", "24", "--steps-per-epoch", "2", "--warmup", "0"]


@keras.saving.register_keras_serializable(package="tests")
class DroppingNetwork(OwnNetwork):
    """A small network with dropout, with so many weights that they are most of its files."""

    def __init__(self, components=1, filters=2000, dropout=0.0, **kwargs):
        super().__init__(components, filters, **kwargs)
        self.dropping = keras.layers.Dropout(dropout, seed=0)

    def call(self, x, time, labels=None, training=False):
        return super().call(self.dropping(x, training=training), time)

    def get_config(self):
        return {**super().get_config(), "dropout": self.dropping.rate}


class OwnRecipe(Recipe):
    """A run of that network: a step compiles in a tenth of the time of a U-Net's."""

    def model(self):
        keras.utils.set_random_seed(self.seed)
        network = DroppingNetwork(dropout=self.dropout or 0.0)
        model = DiffusionModel(network, VPSDE(), self.prediction, seed=self.seed)
        model.compile(
            AveragingAdam(self.schedule(), ema_momentum=self.ema, global_clipnorm=self.clip)
        )
        return model


SHORT = OwnRecipe(steps=16, steps_per_epoch=2, batch_size=32, warmup=0)
TRAIN = """
import sys
from gddim_tf.training import train
from tests.training.test_run import SHORT
train(SHORT, sys.argv[1])
"""


def command(directory, *options):
    return [
        *(sys.executable, "-m", "gddim_tf.cli", "train", "--out", str(directory)),
        *RECIPE,
        *options,
    ]


def epochs(directory):
    with (directory / "log.csv").open() as file:
        return [int(row["epoch"]) for row in csv.DictReader(file)]


def kill_at(process, text):
    for line in process.stdout:
        if line.startswith(text):
            break
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_killed_training_goes_on_and_ends_in_the_same_number_of_steps(tmp_path):
    run = tmp_path / "run"
    training = [sys.executable, "-c", TRAIN, str(run)]
    process = subprocess.Popen(training, stdout=subprocess.PIPE, text=True)
    kill_at(process, "Epoch 3/8")
    assert not (run / "model.keras").exists()
    train(SHORT, run)
    assert epochs(run) == list(range(8))
    model = SHORT.model()
    assert Checkpoint.restore(model, run / "checkpoints") == 8
    assert model.optimizer.iterations == 16
    assert load(run).sample(2, nfe=2).shape == (2, 8, 8, 1)


@pytest.mark.slow
def test_ten_kills_at_random_moments_end_like_a_run_without(tmp_path):
    rng = np.random.default_rng(0)
    whole, often = tmp_path / "whole", tmp_path / "often"
    options = ["--steps", "800", "--steps-per-epoch", "20", "--learning-rate", "0.002"]
    subprocess.run(command(whole, *options), check=True, capture_output=True)
    kills = 0
    while kills < 10:
        process = subprocess.Popen(
            command(often, *options),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            process.wait(timeout=rng.uniform(5, 25))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.returncode == -signal.SIGKILL, "the run ended before it was killed ten times"
        kills += 1
    subprocess.run(command(often, *options), check=True, capture_output=True)
    assert sorted(set(epochs(often))) == epochs(whole) == list(range(40))
    finals = []
    for run in (whole, often):
        model = Recipe(network="ddpm_tiny").model()
        assert Checkpoint.restore(model, run / "checkpoints") == 40
        assert model.optimizer.iterations == 800
        with (run / "log.csv").open() as file:
            finals.append(np.array([float(row["val_loss"]) for row in csv.DictReader(file)][-5:]))
    assert abs(finals[0].mean() - finals[1].mean()) < 0.02 * finals[0].mean()


def test_a_finished_run_is_loaded_and_another_recipe_refused(tmp_path):
    recipe = OwnRecipe(steps=4, steps_per_epoch=2)
    first = train(recipe, tmp_path)
    # the file holds the weights and not the optimizer's state
    assert (tmp_path / "model.keras").stat().st_size < 2 * 4 * first.count_params() + 300_000
    again = train(recipe, tmp_path)
    np.testing.assert_array_equal(first.sample(2, nfe=2), again.sample(2, nfe=2))
    for name, value in {"steps": 2, "batch_size": 64}.items():
        other = dataclasses.replace(recipe, **{name: value})
        with pytest.raises(ValueError, match=f"holds a run with {name} = .*, received {value}"):
            train(other, tmp_path)

    # a lost model is made again from the checkpoint, and the log holds every epoch once
    (tmp_path / "model.keras").unlink()
    with (tmp_path / "log.csv").open("a") as log:
        log.write("2,0.5,0.5\r\n3,0.")
    again = train(recipe, tmp_path)
    np.testing.assert_array_equal(first.sample(2, nfe=2), again.sample(2, nfe=2))
    assert epochs(tmp_path) == [0, 1]

    longer = train(dataclasses.replace(recipe, steps=6), tmp_path)
    assert longer.optimizer.iterations == 6
    assert epochs(tmp_path) == [0, 1, 2]
    assert load(tmp_path / "model-4.keras").count_params() == first.count_params()
    with pytest.raises(ValueError, match="holds a run with steps = 6, received 4"):
        train(recipe, tmp_path)


def test_a_start_that_fails_does_not_claim_the_folder(tmp_path):
    recipe = Recipe(network="ddpm_tiny", steps=2, steps_per_epoch=2, flip=True)
    with pytest.raises(ValueError, match="`flip` must not be True for digits"):
        train(recipe, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_model_ruined_by_its_last_step_is_not_kept(tmp_path):
    recipe = OwnRecipe(steps=1, batch_size=4, warmup=0, learning_rate=1e30)
    with pytest.raises(
        ValueError, match=r"a weight became (1e\+30|9\.9\d*e\+29) in epoch 1; a smaller"
    ):
        train(recipe, tmp_path)
    assert not (tmp_path / "model.keras").exists()


class Stop(keras.callbacks.Callback):
    """Ends a run in the middle of an epoch, as a kill does, but in this process."""

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.optimizer.iterations) == 5:
            raise KeyboardInterrupt


def losses(directory):
    with (directory / "log.csv").open() as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


def test_a_stopped_run_sees_what_one_sees_that_never_was(tmp_path):
    recipe = OwnRecipe(steps=7, steps_per_epoch=2, batch_size=16, warmup=0, dropout=0.2)
    whole = train(recipe, tmp_path / "whole")
    assert whole.steps_done == whole.optimizer.iterations == 7  # not rounded up to epochs
    assert epochs(tmp_path / "whole") == [0, 1, 2, 3]
    with pytest.raises(KeyboardInterrupt):
        train(recipe, tmp_path / "stopped", callbacks=[Stop()])
    stopped = train(recipe, tmp_path / "stopped")
    assert stopped.steps_done == 7
    assert epochs(tmp_path / "stopped") == [0, 1, 2, 3]
    # the loss of every batch is that of its images, noise and dropout; threads round differently
    np.testing.assert_allclose(losses(tmp_path / "stopped"), losses(tmp_path / "whole"), rtol=1e-3)
    for a, b in zip(stopped.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


_BITWISE = """
import sys, keras, numpy as np, tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
tf.config.experimental.enable_op_determinism()
from gddim_tf.networks import PRESETS
from gddim_tf.training import Recipe, train
from tests.conftest import FLAT
from tests.training.test_run import Stop

PRESETS["ddpm_tiny"] |= FLAT
recipe = Recipe(
    network="ddpm_tiny", steps=9, steps_per_epoch=2, batch_size=16, warmup=2, dropout=0.3,
    conditional=True,
)
whole = train(recipe, sys.argv[1] + "/whole")
for _ in range(2):
    try:
        train(recipe, sys.argv[1] + "/stopped", callbacks=[Stop()])
    except KeyboardInterrupt:
        pass
stopped = train(recipe, sys.argv[1] + "/stopped")
for a, b in zip(stopped.get_weights(), whole.get_weights(), strict=True):
    np.testing.assert_array_equal(a, b)
for a, b in zip(stopped.optimizer.variables, whole.optimizer.variables, strict=True):
    np.testing.assert_array_equal(a, b)
"""


@pytest.mark.slow
def test_without_threads_a_stopped_run_is_bit_for_bit_one_that_never_was(tmp_path):
    subprocess.run([sys.executable, "-c", _BITWISE, tmp_path], check=True, capture_output=True)


@pytest.fixture
def pictures(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for index in range(2):
            image = Image.fromarray(np.full((16, 16), index, np.uint8))
            image.save(tmp_path / "pictures" / name / f"{index}.png")
    return tmp_path / "pictures"


def test_a_setting_that_an_earlier_version_did_not_have_is_its_default(tmp_path):
    recipe = Recipe(network="ddpm_tiny", image_size=(8, 16))
    RunFolder(tmp_path, recipe).claim()
    path = tmp_path / "recipe.json"
    told = json.loads(path.read_text())
    del told["data_std"]
    path.write_text(json.dumps(told))
    assert RunFolder(tmp_path, recipe).steps == 3000
    with pytest.raises(ValueError, match=r"a run with data_std = 1\.0, received 0\.5; use another"):
        RunFolder(tmp_path, dataclasses.replace(recipe, data_std=0.5))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda root: (root / "cat").rename(root / "zebra"), r"classes = \['dog', 'zebra'\]"),
        (
            lambda root: Image.fromarray(np.zeros((32, 32), np.uint8)).save(root / "cat/2.png"),
            "images = 5 and not 4",
        ),
        (
            lambda root: [
                Image.fromarray(np.zeros((32, 32), np.uint8)).save(file)
                for file in root.rglob("*.png")
            ],
            "image_size = 32 and not 16",
        ),
        (
            lambda root: Image.fromarray(np.ones((16, 16), np.uint8)).save(root / "cat/0.png"),
            "other images of the same number",
        ),
        (
            lambda root: Image.fromarray(np.ones((16, 16, 3), np.uint8)).save(root / "cat/0.png"),
            "channels = 3 and not 1",
        ),
    ],
    ids=["renamed class", "one more", "larger", "other content", "colour"],
)
def test_a_run_refuses_data_that_have_changed(tmp_path, pictures, change, message):
    recipe = Recipe(dataset=f"folder:{pictures}", network="ddpm_tiny")
    RunFolder(tmp_path, recipe).claim()
    told = json.loads((tmp_path / "recipe.json").read_text())["data"]
    assert (told["images"], told["classes"]) == (4, ["cat", "dog"])
    assert RunFolder(tmp_path, recipe).steps == 3000
    change(pictures)
    with pytest.raises(ValueError, match=f"data that have changed: folder:.* now has {message}"):
        train(recipe, tmp_path)


@pytest.mark.parametrize("content", ["", "{}", "[]", "recipe", '{"steps": "many"}'])
def test_a_damaged_recipe_is_one_sentence(tmp_path, content):
    (tmp_path / "recipe.json").write_text(content)
    with pytest.raises(
        DamagedFileError, match=r"recipe\.json must be the recipe of a run, and is damaged"
    ):
        train(Recipe(network="ddpm_tiny"), tmp_path)


def test_a_folder_in_which_another_process_trains_is_refused(tmp_path, capsys):
    with exclusive(tmp_path):
        assert main(command(tmp_path)[3:]) == 2
    told = capsys.readouterr().err
    assert f"is in use by process {os.getpid()} on" in told
    assert "Traceback" not in told


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk must be mounted")
def test_a_full_disk_ends_training_with_a_sentence_and_nothing_left_behind(
    small_disk, monkeypatch, capsys
):
    # compiles fast, and is too large for the disk
    wide = {**PRESETS["ddpm_tiny"], **FLAT, "base_channels": 32}
    monkeypatch.setitem(PRESETS, "ddpm_tiny", wide)
    assert main(command(small_disk / "run", "--batch-size", "32")[3:]) == 2
    told = capsys.readouterr().err
    assert "there is no room on the disk for" in told.splitlines()[-1]
    assert "Traceback" not in told
    left = [file.name for file in (small_disk / "run").rglob("*") if file.is_file()]
    assert sorted(left) == ["data.png", "log.csv", "recipe.json"]


def workers(directory, *options):
    """Two processes that train together."""
    ports = []
    for _ in range(2):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            ports.append(listener.getsockname()[1])
    processes = []
    for index in range(2):
        cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
        config = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})
        process = subprocess.Popen(
            command(directory, "--strategy", "workers", *options),
            env={**os.environ, "TF_CONFIG": config},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
    return processes


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_lost_worker_stops_the_others_with_a_message_and_all_go_on_later(tmp_path, victim):
    run = tmp_path / "run"
    processes = workers(run, "--steps", "4000")
    kill_at(processes[victim], "Epoch 3/")
    _, errors = processes[1 - victim].communicate(timeout=90)
    assert processes[1 - victim].returncode == 2
    assert "another worker was lost in epoch" in errors.splitlines()[-1]
    done = max(int(path.stem[6:12]) for path in (run / "checkpoints").glob("*.json"))
    assert done >= 2
    again = workers(run, "--steps", "4000")
    for line in again[0].stdout:
        if line.startswith("Epoch"):
            assert int(line.split()[1].split("/")[0]) > done
            break
    for process in again:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_two_workers_train_and_one_writes(tmp_path):
    run = tmp_path / "run"
    for process in workers(run):
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
    assert epochs(run) == list(range(12))
    assert load(run).sample(2, nfe=2).shape == (2, 8, 8, 1)
