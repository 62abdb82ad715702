"""Parts of Keras that few programs use, imported when something of them is used.

With them Keras imports scikit-learn, for wrappers that make its classifiers of models, and
matplotlib, for galleries: a third of what TensorFlow and Keras take to import.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import threading
import types
from collections.abc import Sequence

_DEFERRED = frozenset(
    {
        "keras._tf_keras.keras.visualization",
        "keras._tf_keras.keras.wrappers",
        "keras.src.visualization",
        "keras.visualization",
        "keras.wrappers",
    }
)


def defer_imports() -> None:
    """Let the code of those parts run when something of them is asked for.

    Nothing else changes: `keras.wrappers.SKLearnClassifier` is what it is. Where Keras was imported
    before, this does nothing.
    """
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(importlib.abc.MetaPathFinder):
    """Finds those parts where Python does, and has them loaded by `_Loader`."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The specification of a deferred module, None for others."""
        if fullname not in _DEFERRED:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and type(spec.loader) is importlib.machinery.SourceFileLoader:
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    """Makes a module whose code waits until `run`."""

    def __init__(self, fullname: str, path: str) -> None:
        super().__init__(fullname, path)
        self._lock, self._waits = threading.RLock(), False

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        """The module, still empty."""
        return _Deferred(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing but to wait; Python has made the module what it is by now."""
        self._waits = True

    def run(self, module: types.ModuleType) -> None:
        """Run the code of the module, once; that code may ask for the module itself."""
        with self._lock:
            if not self._waits:
                return
            self._waits = False
            try:
                super().exec_module(module)
            except BaseException:
                self._waits = True  # whoever asks next is told the same
                raise


class _Deferred(types.ModuleType):
    """A module whose code runs when it is asked for what it has not got."""

    def __getattr__(self, name: str) -> object:
        _run(self)
        if name not in vars(self):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return vars(self)[name]

    def __dir__(self) -> list[str]:
        _run(self)
        return list(super().__dir__())


def _run(module: types.ModuleType) -> None:
    if isinstance(module.__loader__, _Loader):
        module.__loader__.run(module)
