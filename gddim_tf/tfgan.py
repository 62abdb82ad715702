"""The one door to TF-GAN's evaluation functions.

`import tensorflow_gan` fails on every TensorFlow that ships Keras 3: `tf.estimator` is gone.
The evaluation functions themselves are two files which work. They are imported here below empty
parent packages, and afterwards `sys.modules` is as it was. What TensorFlow tells TF-GAN's authors
of an argument of theirs is not told to those who call them here.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import logging
import sys
import threading
import types
from collections.abc import Iterator
from pathlib import Path

from gddim_tf.extras import missing

_METRICS = "tensorflow_gan.python.eval.classifier_metrics"
_PARENTS = ("tensorflow_gan", "tensorflow_gan.python", "tensorflow_gan.python.eval")

_lock = threading.Lock()
_loaded: types.ModuleType | None = None


def classifier_metrics() -> types.ModuleType:
    """TF-GAN's module of classifier-based metrics, imported once and safely from any thread.

    A program that has managed to import `tensorflow_gan` by itself gets its own module back.

    Raises:
      ImportError: if TF-GAN cannot be imported; the message says what to install.
    """
    global _loaded
    with _lock:
        if _loaded is None:
            _loaded = _load()
        return _loaded


def _load() -> types.ModuleType:
    """Import the metrics, behind empty parents unless the real ones are already in use."""
    logging.getLogger("tensorflow").addFilter(_concerns_callers)
    try:
        if _PARENTS[0] in sys.modules:
            return importlib.import_module(_METRICS)
        folder = _package_folder()
        with _empty_parents(folder):
            return importlib.import_module(_METRICS)
    except ImportError as error:
        raise missing("evaluation", "TF-GAN, which computes the distances,", error) from error


def _concerns_callers(record: logging.LogRecord) -> bool:
    """All but the advice to write `tf.map_fn` otherwise than TF-GAN does."""
    told = record.getMessage()
    return not ("classifier_metrics.py" in told and "back_prop=False is deprecated" in told)


def _package_folder() -> Path:
    """Where TF-GAN lies, without importing it."""
    spec = importlib.util.find_spec(_PARENTS[0])
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"No module named {_PARENTS[0]!r}", name=_PARENTS[0])
    return Path(next(iter(spec.submodule_search_locations)))


@contextlib.contextmanager
def _empty_parents(folder: Path) -> Iterator[None]:
    """Stand empty packages in for TF-GAN's parents, and put `sys.modules` back on leaving."""
    before = _tfgan_modules()
    for name in before:
        del sys.modules[name]
    for name in _PARENTS:
        parent = types.ModuleType(name)
        parent.__path__ = [str(folder.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = parent
    try:
        yield
    finally:
        for name in _tfgan_modules():
            del sys.modules[name]
        sys.modules.update(before)


def _tfgan_modules() -> dict[str, types.ModuleType]:
    """The part of `sys.modules` that belongs to TF-GAN."""
    return {
        name: module for name, module in sys.modules.items() if name.split(".")[0] == _PARENTS[0]
    }
