import importlib.abc
import logging
import subprocess
import sys
import textwrap
import types
from concurrent.futures import ThreadPoolExecutor

import pytest
import tensorflow as tf
from tensorflow.python.util import deprecation

from gddim_tf import tfgan


def tfgan_modules():
    return {name: module for name, module in sys.modules.items() if "tensorflow_gan" in name}


def test_metrics_are_loaded_and_sys_modules_is_left_alone(monkeypatch):
    monkeypatch.setattr(tfgan, "_loaded", None)
    leftover = types.ModuleType("tensorflow_gan.python.contrib_utils")
    monkeypatch.setitem(sys.modules, leftover.__name__, leftover)
    before = tfgan_modules()
    metrics = tfgan.classifier_metrics()
    assert callable(metrics.frechet_classifier_distance_from_activations)
    assert tfgan_modules() == before


def test_advice_to_the_authors_is_not_told_and_all_other_is(monkeypatch):
    class Kept(logging.Handler):
        def emit(self, record):
            told.append(record.getMessage())

    told, kept = [], Kept()
    tf.get_logger().addHandler(kept)
    try:
        monkeypatch.setattr(deprecation, "_PRINTED_WARNING", {})  # told once per process
        points = tf.constant([[0.0], [1.0], [3.0]])
        tfgan.classifier_metrics().kernel_classifier_distance_from_activations(points, points)
        assert deprecation._PRINTED_WARNING and not told
        monkeypatch.setattr(deprecation, "_PRINTED_WARNING", {})
        tf.map_fn(tf.negative, points, back_prop=False)
        tf.get_logger().warning("of classifier_metrics.py")
    finally:
        tf.get_logger().removeHandler(kept)
    assert len(told) == 2
    assert "back_prop=False is deprecated" in told[0]


def test_threads_share_one_module(monkeypatch):
    monkeypatch.setattr(tfgan, "_loaded", None)
    with ThreadPoolExecutor(8) as pool:
        modules = list(pool.map(lambda _: tfgan.classifier_metrics(), range(32)))
    assert len(set(map(id, modules))) == 1
    assert modules[0] is tfgan.classifier_metrics()


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        ("tensorflow_gan", "No module named 'tensorflow_gan'"),
        ("tensorflow_gan.python.eval.eval_utils", "'eval_utils'"),
    ],
)
def test_missing_package_is_named_with_its_cure(monkeypatch, missing, named):
    class Missing(importlib.abc.MetaPathFinder):
        def find_spec(self, name, path, target=None):
            if name == missing:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(tfgan, "_loaded", None)
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    before = tfgan_modules()
    with pytest.raises(
        ImportError, match=rf"TF-GAN.*pip install \"gddim_tf\[evaluation\]\".*{named}"
    ):
        tfgan.classifier_metrics()
    assert tfgan_modules() == before


def test_fresh_process_is_light_and_keras_stays_keras_3():
    program = """
        import sys, types
        import gddim_tf as gd
        gd.DiffusionModel, gd.samplers, gd.networks, gd.serving, gd.evaluation
        # Keras itself imports matplotlib, Pillow and scikit-learn where they are installed
        heavy = {"tensorflow_gan", "tensorflow_hub", "tensorflow_datasets"}
        assert not heavy & set(sys.modules), heavy & set(sys.modules)

        from gddim_tf.tfgan import _load, classifier_metrics
        metrics = classifier_metrics()
        assert not [name for name in sys.modules if name.startswith("tensorflow_gan")]
        import keras, tensorflow as tf
        assert keras.__version__.startswith("3.") and tf.keras.Model is keras.Model
        assert keras.Sequential([keras.layers.Dense(2)])(tf.ones([1, 3])).shape == (1, 2)

        # A user's own way around the broken import still works, and is then respected.
        for name in ("tensorflow_gan.python.estimator", "tensorflow_gan.python.train"):
            sys.modules[name] = types.ModuleType(name)
            sys.modules[name].__all__ = []
        import tensorflow_gan
        own = sys.modules["tensorflow_gan.python.eval.classifier_metrics"]
        assert own is not metrics
        assert _load() is own
        assert classifier_metrics() is metrics
        print("all well")
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tfgan.__file__.rsplit("/gddim_tf/", 1)[0],
    )
    assert result.stdout.strip() == "all well", result.stderr
