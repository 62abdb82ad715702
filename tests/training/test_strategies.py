import pathlib
import subprocess
import sys

import numpy as np
import pytest

from gddim_tf.training import Recipe, strategy, train


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Of one device and of two, which only a process of its own can have."""
    path = tmp_path_factory.mktemp("replicas") / "results.npz"
    command = [sys.executable, "-m", "tests.training.replicas", str(path)]
    root = pathlib.Path(__file__).parents[2]
    process = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    return np.load(path)


def test_two_devices_train_like_one_with_the_whole_batch(results):
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(results[f"both_{name}"], results[f"one_{name}"], rtol=1e-6)
    weights = [name for name in results if name.startswith("one_weight")]
    assert len(weights) == 5
    for name in weights:
        np.testing.assert_allclose(results[name.replace("one", "both")], results[name], atol=1e-6)


def test_a_batch_is_that_of_all_devices_of_a_worker(results):
    np.testing.assert_array_equal(results["batch"], np.arange(8))


@pytest.mark.parametrize("name", ["default", "stochastic", "guided"])
def test_an_image_does_not_depend_on_the_number_of_devices(results, name):
    assert results[f"one_{name}"].shape == (7, 8, 8, 1)
    np.testing.assert_allclose(results[f"both_{name}"], results[f"one_{name}"], atol=1e-4)


def test_bad_arguments_are_named(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="`strategy` must be one of one, mirrored, workers, tpu"):
        strategy("many")
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(ValueError, match="`TF_CONFIG` must name the workers"):
        strategy("workers")
    for damaged in ("{", "[]", "3", "null", '{"cluster": null}', ""):
        monkeypatch.setenv("TF_CONFIG", damaged)
        with pytest.raises(ValueError, match="`TF_CONFIG` must name the workers"):
            strategy("workers")
    for devices in (0, -1, 10**9):
        with pytest.raises(ValueError, match=f"`virtual_devices` must be .*, received {devices}"):
            strategy("one", devices)


def test_what_several_devices_cannot_do_is_refused(tmp_path):
    class Three:
        num_replicas_in_sync = 3

    with pytest.raises(ValueError, match="`batch_size` must be a multiple of the 3 devices"):
        train(Recipe(batch_size=128), tmp_path, strategy=Three())
    with pytest.raises(ValueError, match="`jit` must be False on several devices"):
        train(Recipe(batch_size=126, jit=True), tmp_path, strategy=Three())
    with pytest.raises(ValueError, match="`accumulate` must be 1 on several devices"):
        train(Recipe(batch_size=126, accumulate=2), tmp_path, strategy=Three())
