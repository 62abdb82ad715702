import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from gddim_tf import data
from gddim_tf.data.pixels import as_uint8
from gddim_tf.evaluation import FrechetMonitor, SampleGrid, frechet_distance
from gddim_tf.evaluation.features import feature_extractor
from gddim_tf.models.averaging_adam import averaged_weights
from gddim_tf.training import AveragingAdam
from tests.conftest import own_model

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")


def fit(model, callbacks, epochs=3):
    batch = tf.data.Dataset.from_tensors(np.zeros((8, 8, 8, 1), np.float32)).repeat()
    options = {"steps_per_epoch": 2, "verbose": 0, "shuffle": False}
    return model.fit(batch, epochs=epochs, callbacks=callbacks, **options).history


def compiled():
    model = own_model()
    model.compile(AveragingAdam(1e-2, ema_momentum=0.9))
    return model


def test_the_average_is_put_in_and_taken_out_again():
    model = compiled()
    seen = []

    def look(epoch, logs):
        raw = np.array(model.network.out.bias)
        with averaged_weights(model):
            seen.append((raw, np.array(model.network.out.bias)))
        np.testing.assert_allclose(model.network.out.bias, raw, atol=1e-7)

    fit(model, [keras.callbacks.LambdaCallback(on_epoch_end=look)])
    assert all(np.abs(raw - average).max() > 1e-5 for raw, average in seen)
    np.testing.assert_allclose(model.network.out.bias, seen[-1][1], atol=1e-7)


def test_the_grid_is_drawn_when_it_is_due_with_the_averaged_weights(tmp_path):
    model = compiled()
    fit(model, [SampleGrid(tmp_path, every=2, count=9, nfe=3)])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "epoch-000002.png",
        "epoch-000003.png",
    ]
    fit(compiled(), [SampleGrid(tmp_path / "more", every=5, count=1, nfe=1)], epochs=1)
    assert (tmp_path / "more" / "epoch-000001.png").exists()
    picture = np.asarray(Image.open(tmp_path / "epoch-000003.png").convert("L"))
    best = as_uint8(model.sample(1, nfe=3))[0, 0, 0, 0]  # after fit it holds the average
    assert best in picture


def test_the_distance_is_logged_under_its_count_and_is_that_of_the_model():
    model = compiled()
    monitor = FrechetMonitor("digits", every=2, count=70, nfe=2, split="test")
    with pytest.warns(UserWarning, match="few for 64 dimensions"):
        history = fit(model, [monitor])
    values = history["frechet_70"]
    assert np.isnan(values[0]) and np.isfinite(values[1:]).all()
    extractor = feature_extractor("digits")
    real = next(iter(data.load("digits", "test", batch_size=297)))
    with pytest.warns(UserWarning, match="few for 64 dimensions"):
        expected = frechet_distance(
            extractor(as_uint8(real.numpy())), extractor(as_uint8(model.sample(70, nfe=2)))
        )
    np.testing.assert_allclose(values[-1], expected, rtol=1e-3)


@pytest.mark.parametrize(
    ("names", "columns"),
    [((), 0), (("a", "b"), 10), (("a", "b", "c"), 9), ("x" * 20, 20), ("x" * 21, 0)],
)
def test_a_column_of_the_grid_is_a_class_where_there_are_few(names, columns, tmp_path):
    grid = SampleGrid(tmp_path, count=100)
    grid.set_model(types.SimpleNamespace(class_names=tuple(names)))
    assert grid._titles() == [names[i % len(names)] for i in range(columns)]


def test_pictures_reach_tensorboard(tmp_path):
    pytest.importorskip("tensorboard")
    fit(compiled(), [SampleGrid(tmp_path, count=4, nfe=1, log_dir=tmp_path / "logs")], epochs=1)
    (events,) = (tmp_path / "logs").glob("events*")
    records = tf.data.TFRecordDataset(str(events))
    assert any(b"samples" in record.numpy() for record in records)


def test_bad_arguments_are_named(tmp_path):
    with pytest.raises(ValueError, match="`every` must be at least 1, received 0"):
        SampleGrid(tmp_path, every=0)
    with pytest.raises(ValueError, match="`count` must be at least 1, received 0"):
        FrechetMonitor("digits", count=0)
