"""The likelihood of a data split, with everything needed to measure it again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from gddim_tf import data
from gddim_tf.checks import whole
from gddim_tf.evaluation.likelihood import bits_per_dim
from gddim_tf.evaluation.report import versions
from gddim_tf.image_size import compact
from gddim_tf.models.generative_model import GenerativeModel
from gddim_tf.samplers import RK45
from gddim_tf.samplers.density import first_time


def split_bits_per_dim(
    model: GenerativeModel,
    dataset: str,
    split: str = "test",
    *,
    count: int | None = None,
    conditional: bool = False,
    batch_size: int = 100,
    levels: int = 256,
    probes: int | None = None,
    seed: int = 0,
    start: float | None = None,
    solver: RK45 | None = None,
    progress: bool = False,
) -> dict[str, Any]:
    """Mean bits per dimension of the images of a split, and what it was measured with.

    Args:
      model: a `DiffusionModel` or a `ServedModel`.
      dataset: a name that `data.load` knows.
      split: of the data set; images are taken in its order.
      count: how many images; all if None.
      conditional: whether each image is judged given its class.
      batch_size: images per pass.
      levels: grey levels of the data, in [2, 256].
      probes: 0 for the exact trace, or the number of probes of Hutchinson's estimate; None is 0 for
        states of at most 256 numbers and 1 for larger ones.
      seed: of all noise; that of image i of the split depends on `(seed, i)` alone.
      start: the time at which the images are put; the model's `first_time` if None.
      solver: of the probability flow; `RK45()` if None.
      progress: whether to show a progress bar.

    Returns:
      A dictionary for JSON: mean, standard error (None for one image), NFE (mean over the batches),
      and settings. Where `start_noise_hides_levels`, the largest standard deviation of the noise at
      `start` in a coordinate of the image, `start_noise`, is above the width of a level, and the
      bits are those of noisier images.

    Raises:
      ValueError: if there are no images or no classes, or `bits_per_dim` refuses an argument.
    """
    if conditional and not model.num_classes:
        raise ValueError("`conditional` must be False for a model without classes, received True")
    if count is not None:
        whole("count", count, 1)
    whole("batch_size", batch_size, 1)
    solver = solver or RK45()
    start = first_time(model.sde) if start is None else start
    how = {"levels": levels, "seed": seed, "start": start, "solver": solver}
    total = data.info(dataset).splits.get(split) if count is None else count
    batches = _batches(model, dataset, split, count, conditional, batch_size)
    with tqdm(total=total, unit="image", disable=not progress) as bar:
        found = _measured(model, batches, {**how, "probes": probes}, bar.update)
    read = {"data": dataset, "split": split, "conditional": conditional, "batch_size": batch_size}
    hidden = _hidden(model, start, levels)
    return {**found, **read, **how, "solver": repr(solver), **hidden, **versions()}


def _batches(
    model: GenerativeModel,
    dataset: str,
    split: str,
    count: int | None,
    conditional: bool,
    batch_size: int,
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """Images in uint8 and, if asked for, their labels."""
    size = compact(model.image_shape[:2])
    images = data.load(
        dataset, split, image_size=size, labels=conditional, shuffle=False, flip=False
    )
    for batch in images.take(-1 if count is None else count).batch(batch_size):
        pixels, labels = batch if conditional else (batch, None)
        yield data.to_uint8(pixels).numpy(), labels


def _measured(
    model: GenerativeModel,
    batches: Iterable[tuple[np.ndarray, np.ndarray | None]],
    options: dict[str, Any],
    progress: Callable[[int], Any],
) -> dict[str, Any]:
    """Mean and error of the bits of all batches, and what they took."""
    began, bits, nfes, probes = time.perf_counter(), np.zeros(0), [], 0
    for pixels, labels in batches:
        found = bits_per_dim(model, pixels, labels, first=len(bits), **options)
        bits, probes = np.append(bits, found.bits), found.probes
        nfes.append(found.nfe)
        progress(len(found.bits))
    if not nfes:
        raise ValueError("`split` must hold at least one image, received none")
    return {
        "bits_per_dim": bits.mean(),
        "standard_error": bits.std(ddof=1) / np.sqrt(len(bits)) if len(bits) > 1 else None,
        "upper_bound": "dequantisation" + (" and velocity" if model.sde.components > 1 else ""),
        "images": len(bits),
        "nfe": float(np.mean(nfes)),
        "seconds": round(time.perf_counter() - began, 1),
        "probes": probes,
    }


def _hidden(model: GenerativeModel, start: float, levels: int) -> dict[str, Any]:
    """How the noise at the start compares with the width of a grey level."""
    noise = float(np.sqrt(np.max(model.sde.covariance(start)[..., 0, 0])))
    return {
        "start_noise": noise,
        "level_width": 2 / levels,
        "start_noise_hides_levels": noise > 2 / levels,
        "sde": repr(model.sde),
    }
