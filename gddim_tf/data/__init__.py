"""Image data sets as `tf.data` pipelines: built into scikit-learn, from TFDS, or from a folder.

`load("digits")` and `load("photo_patches")` work on any machine without a network; `names()`
lists the rest, and `prepare(name)` puts those on disk. `folder:PATH` reads pictures, `idx:PATH`
files in MNIST's format.
"""

from __future__ import annotations

from gddim_tf.data.catalogue import fingerprint, info, names, prepare
from gddim_tf.data.data_info import DataInfo
from gddim_tf.data.idx_source import FASHION_MNIST_CLASSES
from gddim_tf.data.own import add
from gddim_tf.data.pipeline import load
from gddim_tf.data.pixels import from_uint8, to_uint8

__all__ = [
    "FASHION_MNIST_CLASSES",
    "DataInfo",
    "add",
    "fingerprint",
    "from_uint8",
    "info",
    "load",
    "names",
    "prepare",
    "to_uint8",
]
__dir__ = __all__.copy  # what editors complete
