import importlib
import subprocess
import sys
from concurrent import futures

import pytest

from gddim_tf import deferred

# Everything that somebody else may ask of the parts that wait, in one process.
_PROGRAM = """
import sys
import gddim_tf.models
import keras
import tensorflow as tf

waiting = {"sklearn", "matplotlib.pyplot"}
assert not waiting & set(sys.modules), waiting & set(sys.modules)
assert "SKLearnClassifier" in dir(keras.wrappers)
from keras.wrappers import SKLearnRegressor
from keras.visualization import plot_image_gallery
assert issubclass(SKLearnRegressor, sys.modules["sklearn"].base.RegressorMixin)
assert tf.keras.wrappers.SKLearnRegressor is SKLearnRegressor
assert tf.keras.visualization.plot_image_gallery is plot_image_gallery
assert not hasattr(keras.wrappers, "no_such_thing")
"""


def test_parts_of_keras_wait_until_they_are_used():
    subprocess.run([sys.executable, "-c", _PROGRAM], check=True)


@pytest.fixture
def part(tmp_path, monkeypatch):
    """A name to import, and the file of its code."""
    name = "part_that_waits"
    monkeypatch.setattr(deferred, "_DEFERRED", {name})
    monkeypatch.syspath_prepend(tmp_path)
    deferred.defer_imports()
    yield name, tmp_path / f"{name}.py"
    sys.modules.pop(name, None)


def test_a_part_runs_once_whoever_asks(part):
    name, path = part
    path.write_text("import builtins, sys\nprint('runs')\nfirst = sys.modules[__name__]\n")
    module = importlib.import_module(name)
    assert "first" not in vars(module) and module.__spec__.name == name
    with futures.ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(lambda _: module.first, range(16)))
    assert seen == [module] * 16
    assert "first" in dir(module)
    with pytest.raises(AttributeError, match="no attribute 'second'"):
        _ = module.second


def test_a_part_that_fails_says_so_each_time(part):
    name, path = part
    path.write_text("raise ImportError('no such library')\n")
    module = importlib.import_module(name)
    for _ in range(2):
        with pytest.raises(ImportError, match="no such library"):
            _ = module.anything


def test_the_finder_is_there_once():
    deferred.defer_imports()
    deferred.defer_imports()
    assert sum(type(finder).__name__ == "_Finder" for finder in sys.meta_path) == 1
