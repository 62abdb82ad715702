import keras
import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.models import load, save
from gddim_tf.training import Checkpoint
from tests.conftest import own_model


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
    newest = sorted(tmp_path.glob("*.h5"))[-1]
    newest.write_bytes(newest.read_bytes()[:-100])
    again = compiled()
    with pytest.warns(UserWarning, match="cut short"):
        assert Checkpoint.restore(again, tmp_path) == 2
    assert again.optimizer.iterations == 4


def test_only_two_are_kept_and_nothing_else(tmp_path):
    fit(compiled(), tmp_path, 4)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [
        f"epoch-{epoch:06d}.weights.{kind}" for epoch in (3, 4) for kind in ("h5", "json")
    ]


def test_what_could_not_be_saved_leaves_nothing_behind(tmp_path):
    (tmp_path / "epoch-000001.weights.h5").mkdir()  # in the way
    with pytest.raises(OSError, match="epoch-000001"):
        fit(compiled(), tmp_path, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["epoch-000001.weights.h5"]


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
