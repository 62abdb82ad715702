"""The likelihood of a data split, with everything needed to measure it again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from gddim_tf import data
from gddim_tf.checks import whole
from gddim_tf.data.split import Split
from gddim_tf.environment import environment
from gddim_tf.evaluation.image_checks import check_images, taken_as
from gddim_tf.evaluation.likelihood import bits_per_dim
from gddim_tf.image_size import compact
from gddim_tf.models.generative_model import GenerativeModel
from gddim_tf.samplers import RK45
from gddim_tf.samplers.density import first_time
from gddim_tf.sdes import LinearSDE


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
      bits are those of noisier images. `taken_as` is what the function of this name tells.

    Raises:
      ValueError: if there are no images or no classes, they have other channels than the model's,
        or `bits_per_dim` refuses an argument.
    """
    if conditional and not model.num_classes:
        raise ValueError("`conditional` must be False for a model without classes, received True")
    if count is not None:
        whole("count", count, 1)
    whole("batch_size", batch_size, 1)
    check_images(model, dataset)
    solver, start = solver or RK45(), first_time(model.sde) if start is None else start
    how = {"levels": levels, "seed": seed, "start": start, "solver": solver}
    total = data.info(dataset).splits.get(split) if count is None else count
    size = compact(model.image_shape[:2])
    images = Split(dataset, split, size)
    with tqdm(total=total, unit="image", disable=not progress) as bar:
        batches = images.batches(batch_size, conditional, count)
        measured = _measured(model, batches, {**how, "probes": probes}, bar.update)
    read = {"data": dataset, "split": split, "taken_as": taken_as(dataset, size)}
    read |= {"conditional": conditional, "batch_size": batch_size}
    noise = _noise(model.sde, start, levels)
    return {**measured, **read, **how, "solver": repr(solver), **noise, **environment()}


def _measured(
    model: GenerativeModel,
    batches: Iterable[tuple[np.ndarray, np.ndarray | None]],
    options: dict[str, Any],
    tell: Callable[[int], object],
) -> dict[str, str | float | None]:
    """Mean and error of the bits of all batches, and what they took."""
    began, parts, count = time.perf_counter(), [], 0
    for pixels, labels in batches:
        parts.append(bits_per_dim(model, pixels, labels, first=count, **options))
        count += len(pixels)
        tell(len(pixels))
    if not parts:
        raise ValueError("`split` must hold at least one image, received none")
    bits = np.concatenate([part.bits for part in parts])
    return {
        "bits_per_dim": bits.mean(),
        "standard_error": bits.std(ddof=1) / np.sqrt(count) if count > 1 else None,
        "upper_bound": "dequantisation" + (" and velocity" if model.sde.components > 1 else ""),
        "images": count,
        "nfe": float(np.mean([part.nfe for part in parts])),
        "seconds": round(time.perf_counter() - began, 1),
        "probes": parts[0].probes,
    }


def _noise(sde: LinearSDE, start: float, levels: int) -> dict[str, str | float]:
    """How the noise at the start compares with the width of a grey level."""
    noise = float(np.sqrt(np.max(sde.covariance(start)[..., 0, 0])))
    return {
        "start_noise": noise,
        "level_width": 2 / levels,
        "start_noise_hides_levels": noise > 2 / levels,
        "sde": repr(sde),
    }
