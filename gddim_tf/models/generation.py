"""Images of an evaluation, kept on disk as they are made, so that nothing is made twice."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import re
import time
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from tqdm.auto import tqdm

from gddim_tf.atomic import atomic_write
from gddim_tf.data.pixels import as_uint8
from gddim_tf.digest import arrays_digest, digest
from gddim_tf.models.drawing import Batch, draw
from gddim_tf.models.generative_model import GenerativeModel
from gddim_tf.reading import DamagedFileError, read_arrays, read_json, reading
from gddim_tf.samplers import RK45, Sampler

_CHUNK = 500  # images in a file, or those of a pass of every worker if they are more


@dataclasses.dataclass(frozen=True)
class Job:
    """What is drawn; a model with classes makes as many images of each.

    Attributes:
      sampler: how.
      nfe: network evaluations per image; `RK45` chooses its own number.
      count: images.
      seed: of all of them; image i depends on `(seed, i)` alone.
      guidance: None for the plain model, or the weight of the class.
    """

    sampler: Sampler | RK45
    nfe: int
    count: int
    seed: int = 0
    guidance: float | None = None

    @property
    def name(self) -> str:
        """The name of the folder of its images, which any number of them share."""
        slug = re.sub(r"[^a-z0-9.]+", "-", str(self.sampler).lower()).strip("-")[:60]
        name = f"{slug}-{digest([repr(self.sampler).encode()])[:8]}"
        name += "" if isinstance(self.sampler, RK45) else f"-nfe{self.nfe}"
        name += f"-seed{self.seed}"
        return name if self.guidance is None else f"{name}-guidance{self.guidance:g}"


@dataclasses.dataclass(frozen=True)
class Generated:
    """What `generate` made.

    Attributes:
      images: uint8 `[count, height, width, C]`.
      nfe: network evaluations per image, their mean where the sampler chooses.
      seconds: time spent on all of them, without tracing the graph; if some of a file's images
        were not asked for, their share of its time.
    """

    images: np.ndarray
    nfe: float
    seconds: float

    def first(self, count: int) -> Generated:
        """So many of the images, or all of them, with their share of the time."""
        images = self.images[:count]
        return Generated(images, self.nfe, self.seconds * len(images) / len(self.images))


def generate(
    model: GenerativeModel,
    job: Job,
    directory: str | os.PathLike[str] | None = None,
    *,
    batch_size: int = _CHUNK,
    workers: int = 1,
    progress: bool = True,
) -> Generated:
    """Draw images for an evaluation.

    Args:
      model: whatever knows eps.
      job: what to draw.
      directory: where finished chunks are kept and looked for, each named by its first image; None
        keeps nothing. A damaged file is made again, with a warning.
      batch_size: images per pass.
      workers: passes side by side.
      progress: show a progress bar.

    Returns:
      The images, and the evaluations and the time that they took when they were made.

    Raises:
      ValueError: if the sampler cannot spend the budget, or an argument is out of range.
      NotFiniteError: if the network returns something that is not finite.
      StepLimitError: if an adaptive solver needs more steps than it may take.
    """
    size, chunks, start, traced = max(_CHUNK, batch_size * workers), [], 0, False
    title = f"{job.sampler} NFE {job.nfe}"
    with tqdm(total=job.count, unit="image", desc=title, disable=not progress) as bar:
        while start < job.count:
            path = None if directory is None else pathlib.Path(directory, f"{start:06d}.npz")
            chunk = _kept(path)
            if chunk is None:
                if not traced:
                    _trace(model, job)
                    traced = True
                stop = min(start + size, job.count)
                chunk = _made(model, job, start, stop, batch_size, workers)
                _keep(chunk, path)
            chunks.append(chunk.first(job.count - start))
            start += len(chunks[-1].images)
            bar.update(len(chunks[-1].images))
    images = np.concatenate([chunk.images for chunk in chunks])
    nfe = sum(chunk.nfe * len(chunk.images) for chunk in chunks) / job.count
    return Generated(images, nfe, sum(chunk.seconds for chunk in chunks))


def even_labels(model: GenerativeModel, count: int) -> np.ndarray | None:
    """Classes `[count]` by which a model makes as many images of each; None without classes."""
    return np.arange(count) % model.num_classes if model.num_classes else None


def _made(
    model: GenerativeModel, job: Job, start: int, stop: int, batch_size: int, workers: int
) -> Generated:
    """A chunk; its time is measured."""
    began = time.perf_counter()
    images, nfes = zip(*_batches(model, job, start, stop, batch_size, workers), strict=True)
    seconds = time.perf_counter() - began
    return Generated(as_uint8(np.concatenate(images)), float(np.mean(nfes)), seconds)


def _trace(model: GenerativeModel, job: Job) -> None:
    """Trace the graph: on several devices two sizes of batch make one that takes any."""
    devices = tf.distribute.get_strategy().num_replicas_in_sync
    for _ in _batches(model, job, 0, 3 * devices, 2 * devices):
        pass


def _batches(
    model: GenerativeModel, job: Job, start: int, stop: int, batch_size: int, workers: int = 1
) -> Iterator[Batch]:
    labels = even_labels(model, stop)
    return draw(
        model,
        job.sampler,
        job.nfe,
        stop - start,
        seed=job.seed,
        first=start,
        labels=None if labels is None else labels[start:],
        guidance=job.guidance,
        batch_size=batch_size,
        workers=workers,
    )


def _keep(chunk: Generated, path: pathlib.Path | None) -> None:
    if path is not None:
        with atomic_write(path) as draft:
            sha256 = arrays_digest([chunk.images])
            np.savez_compressed(draft, **dataclasses.asdict(chunk), sha256=sha256)


def _kept(path: pathlib.Path | None) -> Generated | None:
    """The chunk of a file; None if it is not there or damaged."""
    if path is None or not path.exists():
        return None
    try:
        arrays = read_arrays(path, "a file of images")
        with reading(path, "a file of images"):
            images = arrays["images"]
            if str(arrays["sha256"]) != arrays_digest([images]):
                raise ValueError("its images are not those that were drawn")
            return Generated(images, float(arrays["nfe"]), float(arrays["seconds"]))
    except DamagedFileError as error:
        warnings.warn(f"{path} is damaged and made again: {error}", stacklevel=3)
        return None


def described(model: GenerativeModel) -> dict[str, str]:
    """What the images of a model depend on; an export does not know what its network predicts."""
    told = {"weights": model.fingerprint(), "sde": repr(model.sde)}
    return told if model.prediction is None else {**told, "prediction": model.prediction}


def claim(directory: str | os.PathLike[str], job: Job, made_by: dict[str, str]) -> None:
    """Mark a folder of generated images with what made them.

    Args:
      directory: of the images.
      job: what was drawn.
      made_by: by which model, see `described`.

    Raises:
      ValueError: if the folder holds images of something else.
    """
    path = pathlib.Path(directory) / "made-by.json"
    description: dict[str, Any] = {"sampler": repr(job.sampler), **made_by}
    if not isinstance(job.sampler, RK45):
        description["nfe"] = job.nfe
    description |= {"seed": job.seed, "guidance": job.guidance}
    if not path.exists():
        with atomic_write(path) as draft:
            draft.write_text(json.dumps(description, indent=2) + "\n")
        return
    found = read_json(path, "the description of a folder of images")
    for key, value in description.items():
        if found.get(key) != value:
            raise ValueError(
                f"{directory} holds images with {key} = {found.get(key)!r}, received "
                f"{value!r}; use another folder"
            )
