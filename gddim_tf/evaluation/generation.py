"""Images of an evaluation, kept on disk as they are made, so that nothing is made twice."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import time
import warnings
import zipfile
import zlib
from typing import Any

import numpy as np
import tensorflow as tf
from tqdm.auto import tqdm

from gddim_tf.atomic import atomic_write
from gddim_tf.digest import arrays_digest
from gddim_tf.evaluation.images import as_uint8
from gddim_tf.reading import read_json
from gddim_tf.samplers import Sampler

_CHUNK = 500  # images in a file, or a batch if that is more


@dataclasses.dataclass(frozen=True)
class Generated:
    """What `generate` made.

    Attributes:
      images: uint8 `[count, height, width, C]`.
      seconds: time spent on all of them, without tracing the graph; if some of a file's images
        were not asked for, their share of its time.
    """

    images: np.ndarray
    seconds: float


def generate(
    model: Any,
    sampler: Sampler,
    nfe: int,
    count: int,
    *,
    seed: int = 0,
    labels: np.ndarray | None = None,
    guidance: float | None = None,
    directory: str | os.PathLike | None = None,
    batch_size: int = _CHUNK,
    progress: bool = True,
) -> Generated:
    """Sample images for an evaluation.

    Args:
      model: a `DiffusionModel`.
      sampler: how.
      nfe: network evaluations per image.
      count: how many images; image i depends on `(seed, i)` alone.
      seed: of all of them.
      labels: None, or one class per image.
      guidance: as in `DiffusionModel.sample`.
      directory: where finished chunks are kept and looked for, each named by its first image; None
        keeps nothing. A damaged file is made again, with a warning.
      batch_size: images per pass.
      progress: show a progress bar.

    Returns:
      The images and the time that they took when they were made.
    """
    options: dict[str, Any] = {"sampler": sampler, "nfe": nfe, "seed": seed, "guidance": guidance}
    folder = None if directory is None else pathlib.Path(directory)
    chunks, start, seconds, warm = [], 0, 0.0, False
    with tqdm(total=count, unit="image", desc=f"{sampler} NFE {nfe}", disable=not progress) as bar:
        while start < count:
            path = None if folder is None else folder / f"{start:06d}.npz"
            images, spent = _kept(path)
            if not len(images):
                if not warm:
                    _trace(model, labels, options)
                    warm = True
                size = min(max(_CHUNK, batch_size), count - start)
                rows = None if labels is None else labels[start : start + size]
                began = time.perf_counter()
                images = as_uint8(
                    model.sample(size, labels=rows, first=start, batch_size=batch_size, **options)
                )
                spent = time.perf_counter() - began
                if path is not None:
                    with atomic_write(path) as draft:
                        digest = arrays_digest([images])
                        np.savez_compressed(draft, images=images, seconds=spent, sha256=digest)
            chunks.append(images[: count - start])
            seconds += spent * len(chunks[-1]) / len(images)
            start += len(chunks[-1])
            bar.update(len(chunks[-1]))
    return Generated(np.concatenate(chunks), seconds)


def _kept(path: pathlib.Path | None) -> tuple[np.ndarray, float]:
    """The images of a file and the time that they took; none if it is not there or damaged."""
    if path is not None and path.exists():
        try:
            with path.open("rb") as file, np.load(file) as kept:
                images = kept["images"]
                if str(kept["sha256"]) != arrays_digest([images]):
                    raise ValueError("its images are not those that were drawn")
                return images, float(kept["seconds"])
        except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError) as error:
            warnings.warn(f"{path} is damaged and made again: {error}", stacklevel=3)
    return np.zeros(0), 0.0


def _trace(model: Any, labels: np.ndarray | None, options: dict[str, Any]) -> None:
    """Trace the graph: on several devices two sizes of batch make one that takes any."""
    devices = tf.distribute.get_strategy().num_replicas_in_sync
    label = None if labels is None else labels[0]
    model.sample(3 * devices, labels=label, batch_size=2 * devices, **options)


def even_labels(model: Any, count: int) -> np.ndarray | None:
    """Classes `[count]` by which a model makes as many images of each; None without classes."""
    return np.arange(count) % model.num_classes if model.num_classes else None


def claim(directory: str | os.PathLike, description: dict[str, Any]) -> None:
    """Mark a folder of generated images with what made them.

    Args:
      directory: of the images.
      description: plain values.

    Raises:
      ValueError: if the folder holds images of something else.
    """
    path = pathlib.Path(directory) / "made-by.json"
    if path.exists():
        found = read_json(path, "the description of a folder of images")
        for key, value in description.items():
            if found.get(key) != value:
                raise ValueError(
                    f"{directory} holds images with {key} = {found.get(key)!r}, received "
                    f"{value!r}; use another folder"
                )
        return
    with atomic_write(path) as draft:
        draft.write_text(json.dumps(description, indent=2) + "\n")
