import json
import os
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.atomic import DiskFullError
from gddim_tf.models import load, save
from gddim_tf.sealed import write_seal
from gddim_tf.training import Checkpoint
from tests.conftest import own_model

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")


def compiled(**overrides):
    model = own_model(**overrides)
    model.compile(keras.optimizers.Adam(1e-3, use_ema=True, ema_momentum=0.9))
    return model


def fit(model, directory, epochs, initial_epoch=0):
    batch = tf.data.Dataset.from_tensors(np.zeros((8, 8, 8, 1), np.float32)).repeat()
    model.fit(
        batch,
        epochs=epochs,
        initial_epoch=initial_epoch,
        steps_per_epoch=2,
        callbacks=[Checkpoint(directory)],
        verbose=0,
        shuffle=False,
    )


def test_restore_brings_back_weights_optimizer_and_epoch(tmp_path):
    model = compiled()
    fit(model, tmp_path, 3)
    again = compiled()
    assert Checkpoint.restore(again, tmp_path) == 3
    assert again.optimizer.iterations == 6
    assert len(again.optimizer.variables) == len(model.optimizer.variables)
    for a, b in zip(again.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_checkpoint_that_was_cut_short_is_passed_over(tmp_path):
    fit(compiled(), tmp_path, 3)
    newest = sorted(tmp_path.glob("*.keras"))[-1]
    newest.write_bytes(newest.read_bytes()[:-100])
    again = compiled()
    with pytest.warns(UserWarning, match="is not the file that"):
        assert Checkpoint.restore(again, tmp_path) == 2
    assert again.optimizer.iterations == 4


def test_only_two_are_kept_and_nothing_else(tmp_path):
    fit(compiled(), tmp_path, 4)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [f"epoch-{epoch:06d}.{kind}" for epoch in (3, 4) for kind in ("json", "keras")]


def test_what_could_not_be_saved_leaves_nothing_behind(tmp_path):
    (tmp_path / "epoch-000001.keras").mkdir()  # in the way
    with pytest.raises(OSError, match="epoch-000001"):
        fit(compiled(), tmp_path, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["epoch-000001.keras"]


def test_a_loss_that_is_not_a_number_is_not_saved(tmp_path):
    model = compiled()
    fit(model, tmp_path, 1)
    callback = Checkpoint(tmp_path)
    callback.set_model(model)
    callback.set_params({"epochs": 2})
    callback.on_epoch_end(1, {"loss": float("nan")})
    assert Checkpoint.restore(compiled(), tmp_path) == 1


def test_another_architecture_is_refused(tmp_path):
    fit(compiled(), tmp_path, 1)
    with pytest.raises(ValueError, match="another architecture"):
        Checkpoint.restore(compiled(filters=16), tmp_path)


def test_save_and_load_name_what_is_wrong(tmp_path):
    with pytest.raises(ValueError, match=r"`path` must end in \.keras"):
        save(own_model(), tmp_path / "model.h5")
    with pytest.raises(FileNotFoundError, match=r"must be a \.keras file"):
        load(tmp_path)
    (tmp_path / "model.keras").write_bytes(b"PK half a file")
    with pytest.raises(ValueError, match="was cut short"):
        load(tmp_path)
    keras.Sequential([keras.layers.Input([1]), keras.layers.Dense(1)]).save(
        tmp_path / "other.keras"
    )
    with pytest.raises(ValueError, match="not a DiffusionModel"):
        load(tmp_path / "other.keras")


def test_a_damaged_seal_is_passed_over(tmp_path):
    fit(compiled(), tmp_path, 2)
    newest = tmp_path / "epoch-000002.json"
    sha = json.loads(newest.read_text())["sha256"]
    far = json.dumps({"epoch": 999, "sha256": sha})
    again = compiled()
    for seal in ("", "garbage", "{}", "[]", '{"epoch": 2}', far, "null", None):
        newest.unlink() if seal is None else newest.write_text(seal)
        again.optimizer.iterations.assign(0)
        with pytest.warns(UserWarning, match=r"epoch-000002.*; trying the checkpoint before it"):
            assert Checkpoint.restore(again, tmp_path) == 1
        assert again.optimizer.iterations == 2


def test_a_run_none_of_whose_checkpoints_is_whole_is_not_begun_anew(tmp_path):
    fit(compiled(), tmp_path, 2)
    for seal in tmp_path.glob("*.json"):
        seal.write_text("{}")
    with pytest.raises(ValueError, match=r"no checkpoint in .* is whole .*put one back"):
        Checkpoint.restore(compiled(), tmp_path)


def test_checkpoints_of_earlier_versions_are_read(tmp_path):
    model = compiled()
    fit(model, tmp_path, 1)
    old = tmp_path / "epoch-000002.weights.h5"
    model.save_weights(old)
    write_seal(old, {"epoch": 2}, old)
    assert Checkpoint.restore(compiled(), tmp_path) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk must be mounted")
def test_a_full_disk_leaves_the_checkpoints_before_it(small_disk):
    model = compiled()
    fit(model, small_disk, 1)
    (small_disk / "filler").write_bytes(bytes(shutil.disk_usage(small_disk).free - 10_000))
    before = sorted(small_disk.iterdir())
    with pytest.raises(DiskFullError, match=r"no room on the disk for .*epoch-000002\.keras"):
        fit(model, small_disk, 2, initial_epoch=1)
    assert sorted(small_disk.iterdir()) == before
    assert Checkpoint.restore(compiled(), small_disk) == 1


def test_an_unfinished_run_is_opened_at_its_newest_whole_checkpoint(tmp_path):
    model = compiled()
    fit(model, tmp_path / "checkpoints", 3)  # which leaves the averages in the model
    with pytest.warns(UserWarning, match="has not ended: its checkpoint after epoch 3 is used"):
        opened = load(tmp_path)
    for a, b in zip(opened.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    (tmp_path / "checkpoints" / "epoch-000003.json").write_text("{}")
    with pytest.warns(UserWarning, match="its checkpoint after epoch 2 is used"):
        assert load(tmp_path).sample(1, nfe=2).shape == (1, 8, 8, 1)
