import pathlib
import subprocess
import sys

import numpy as np
import pytest

from gddim_tf.training import Recipe, strategy, train


def test_two_devices_are_like_one_with_the_whole_batch(tmp_path):
    """What they read, train and draw in a process of its own, which alone can have two devices."""
    path, root = tmp_path / "results.npz", pathlib.Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.training.replicas", str(path)]
    process = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    results = np.load(path)
    np.testing.assert_array_equal(results["batch"], np.arange(8))  # that of both devices
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(results[f"both_{name}"], results[f"one_{name}"], rtol=1e-6)
    weights = [name for name in results if name.startswith("one_weight")]
    assert len(weights) == 5
    for name in weights:
        np.testing.assert_allclose(results[name.replace("one", "both")], results[name], atol=1e-6)
    for name in ("default", "stochastic", "guided"):
        one, both = results[f"one_{name}"], results[f"both_{name}"]
        assert one.shape == (7, 8, 8, 1)
        np.testing.assert_allclose(both, one, atol=1e-4, err_msg=name)


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
