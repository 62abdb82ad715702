"""A model as a SavedModel in TF Serving's layout, with everything it needs inside.

Every input and output has the batch as its first axis, so that TF Serving can batch requests.
`seed` is `[batch]` or `[batch, 2]` int32; a model with classes also takes `label` `[batch]` int32
and, where it samples, `guidance` `[batch]` float32 (1 is none). There are

- a signature per sampler and budget: `seed` -> `image` `[batch, height, width, C]` uint8; image i
  depends on `seed[i]` alone, and `seed[i] = (s, i)` gives image i of `model.sample`;
- its twin with `png` in its name (`sample_png_10`): `image_bytes` `[batch]`, PNG files;
- `serving_default`: the first of them;
- `sample`: `seed`, `nfe` `[batch]` int32, one of the budgets (if several signatures have it, of the
  first), the same in all rows -> `image`;
- `encode`: `image` uint8, `seed` -> `state` `[batch, height, width, k * C]`, and `decode`: `state`
  -> `image`, both by the sampler without noise that has the largest budget, where there is one;
  `encode` only if its method can be inverted;
- `edit`: `image`, `strength` `[batch]`, `seed` -> `image`, as `model.edit`, and `decode_from`:
  `state` at the time of a strength, `strength` -> `image`, both by the sampler of `decode`; the
  strength is 0.2, 0.4, 0.6 or 0.8, the same in all rows;
- `inpaint`: `image`, `mask` `[batch, height, width, 1]` uint8, not 0 where a pixel is known, `seed`
  -> `image`, as `model.inpaint` with the largest budget;
- `denoise`: `state`, `time` `[batch]` -> `eps`.
"""

from __future__ import annotations

import json
import numbers
import os
import pathlib
from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

from gddim_tf._version import __version__
from gddim_tf.atomic import room_for
from gddim_tf.models import DiffusionModel
from gddim_tf.models.guidance import Guidance
from gddim_tf.models.versions import DESCRIPTION, new_version, prune
from gddim_tf.samplers import Sampler
from gddim_tf.samplers.parse import chosen
from gddim_tf.sdes import LinearSDE
from gddim_tf.serving.configuration import write_configuration
from gddim_tf.serving.graphs import Graphs
from gddim_tf.serving.slim import slim
from gddim_tf.serving.warmup import write_warmup


def export(
    model: DiffusionModel,
    directory: str | os.PathLike,
    signatures: Mapping[str, tuple[Sampler | type[Sampler] | str, int]],
    version: int | None = None,
    *,
    keep: int | None = None,
    batch_sizes: Sequence[int] = (1, 2, 4, 8, 16, 32, 64),
    largest_batch: int = 1024,
    jit_compile: bool = False,
    guidance: Guidance | None = None,
    weights: str = "float32",
) -> pathlib.Path:
    """Write `directory/<version>/`, a SavedModel that needs neither Keras nor gddim_tf to run.

    This module lists its signatures; `write_configuration` writes files for a server beside it.

    Args:
      model: holding the weights to serve (after `fit`, their average).
      directory: parent of the versions; its name is the name of the model.
      signatures: name -> (sampler, nfe); the sampler is one, its class, its name as in
        "gddim(order=2)", or "default".
      version: a positive integer not there yet; by default the next one.
      keep: how many exported versions to leave there, the highest and the new one; by default all.
        What no export wrote is never removed.
      batch_sizes: the sizes to which a server fills up batches, and warms up.
      largest_batch: how many rows a request may have.
      jit_compile: compile the sampling loops with XLA; TF Serving must be started for it.
      guidance: None for classifier-free guidance at every evaluation, or what sets its schedule and
        direction; the weight stays the input `guidance`, whatever it is here.
      weights: how they are stored, "float32" or, in half the space, "float16".

    Returns:
      The folder of the version.

    Raises:
      ValueError: if there are no signatures or a name is taken, the version exists or is not
        positive, `keep`, a batch size or `weights` does not fit, or there are no classes to guide.
      OSError: if the folder cannot be written or is in use; what was there before stays.
    """
    _check(keep, batch_sizes, largest_batch)
    _check_guidance(guidance, model)
    directory, sde = pathlib.Path(directory), model.sde
    samplings = _samplings(signatures, sde)
    try:
        with room_for(directory), new_version(directory, version) as (draft, number):
            graphs = Graphs(model, samplings, largest_batch, jit_compile, guidance, weights)
            functions = graphs.signatures()
            tf.saved_model.save(graphs.weights, str(draft), functions)
            slim(draft)
            extra = _with_description(draft / "assets.extra", model, samplings)
            name, nfe = directory.resolve().name, next(iter(samplings.values()))[1]
            values = {"nfe": nfe, "guidance": 1, "time": sde.t_max, "strength": graphs.strength}
            write_warmup(extra, name, functions, sorted(batch_sizes), jit_compile, values)
            write_configuration(directory, sorted(batch_sizes))
    except tf.errors.OpError as error:
        raise OSError(f"cannot write the model to {directory}: {error.message}") from error
    if keep is not None:
        prune(directory, keep, number)
    return directory / str(number)


def _samplings(
    signatures: Mapping[str, tuple[Sampler | type[Sampler] | str, int]], sde: LinearSDE
) -> dict[str, tuple[Sampler, int]]:
    """The samplers that were asked for, with their budgets."""
    for name, asked in signatures.items():
        if not (isinstance(asked, tuple | list) and len(asked) == 2):
            raise ValueError(
                '`signatures` must name samplers and budgets, as in {"sample_20": ("default", 20)},'
                f" received {asked!r} for {name}"
            )
    return {name: (chosen(s, sde, nfe), nfe) for name, (s, nfe) in signatures.items()}


def _check(keep: int | None, batch_sizes: Sequence[int], largest_batch: int) -> None:
    if keep is not None and not (isinstance(keep, numbers.Integral) and keep >= 1):
        raise ValueError(f"`keep` must be at least 1, received {keep!r}")
    if not batch_sizes or min(batch_sizes) < 1 or max(batch_sizes) > largest_batch:
        raise ValueError(
            f"`batch_sizes` must be in 1 to {largest_batch}, received {sorted(batch_sizes)}"
        )


def _check_guidance(guidance: Guidance | None, model: DiffusionModel) -> None:
    if guidance is not None and not model.network.num_classes:
        raise ValueError(
            f"`guidance` must be None for a model without classes, received {guidance}"
        )


def _with_description(
    folder: pathlib.Path, model: DiffusionModel, signatures: dict[str, tuple[Sampler, int]]
) -> pathlib.Path:
    """Make the folder and write what `ServedModel` reads."""
    told = {
        "gddim_tf": __version__,
        "sde": keras.saving.serialize_keras_object(model.sde),
        "image_shape": list(model.image_shape),
        "num_classes": model.network.num_classes,
        "class_names": list(model.class_names),
        "signatures": {
            name: {"sampler": repr(sampler), "nfe": nfe}
            for name, (sampler, nfe) in signatures.items()
        },
    }
    folder.mkdir()
    (folder / DESCRIPTION).write_text(json.dumps(told, indent=2) + "\n")
    return folder
