"""A sampling loop as a StableHLO module: for any OpenXLA runtime, without TensorFlow."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gddim_tf._version import __version__
from gddim_tf.atomic import atomic_write
from gddim_tf.checks import whole
from gddim_tf.models import DiffusionModel
from gddim_tf.samplers import Sampler
from gddim_tf.samplers.loop import loop_inputs
from gddim_tf.samplers.loop_body import LoopBody
from gddim_tf.samplers.loop_inputs import Layout
from gddim_tf.samplers.parse import chosen
from gddim_tf.samplers.table import Table

# What tells how to call the modules of a folder, and holds the weights of all of them.
DESCRIPTION, WEIGHTS = "stablehlo.json", "weights.safetensors"

_LARGEST_BATCH = 65_536


def export_stablehlo(
    model: DiffusionModel,
    directory: str | os.PathLike,
    samplings: Mapping[str, tuple[Sampler | type[Sampler] | str, int]],
    batch_size: int,
) -> pathlib.Path:
    """Write one StableHLO module per sampling, and the weights that all of them take.

    A module is the whole loop, the random numbers included. Its arguments are the weights in the
    order of the description (float32), then `seed` `[batch, 2]` int32 (image i of
    `model.sample(seed=s)` has `(s, i)`) and, with classes, `label` `[batch]` int32 and `guidance`
    `[batch]` float32. It returns the images `[batch, height, width, C]` float32 in [-1, 1], up to
    the error of the network, or NaN if the network returned something that is not finite.

    Args:
      model: holding the weights.
      directory: where `NAME.mlir`, `weights.safetensors` and `stablehlo.json` are written.
      samplings: name of a module -> (sampler, nfe), the sampler one, its class or its name.
      batch_size: images per call; StableHLO has fixed shapes.

    Returns:
      The path of the description, which is written last.

    Raises:
      ValueError: if the batch is below 1, there are no samplings, or a name is not a file's.
    """
    from safetensors.numpy import save_file

    whole("batch_size", batch_size, 1, _LARGEST_BATCH)
    if not samplings:
        raise ValueError("`samplings` must name at least one (sampler, nfe), received none")
    for name in samplings:
        if not name or name != pathlib.PurePath(name).name:
            raise ValueError(f"`samplings` must have names of files, received {name!r}")
    directory, weights = pathlib.Path(directory), _named_weights(model)
    directory.mkdir(parents=True, exist_ok=True)
    modules = {}
    for name, (wanted, nfe) in samplings.items():
        sampler = chosen(wanted, model.sde, nfe)
        text = _module(model, list(weights.values()), sampler.table_for(model, nfe), batch_size)
        with atomic_write(directory / f"{name}.mlir") as draft:
            draft.write_text(text)
        modules[name] = {"file": f"{name}.mlir", "sampler": repr(sampler), "nfe": nfe}
    with atomic_write(directory / WEIGHTS) as draft:
        save_file({name: np.asarray(w) for name, w in weights.items()}, draft)
    description = {
        "gddim_tf": __version__,
        "modules": modules,
        "weights": list(weights),
        "inputs": _inputs(model),
        "batch_size": batch_size,
        "image_shape": list(model.image_shape),
    }
    with atomic_write(directory / DESCRIPTION) as draft:
        draft.write_text(json.dumps(description, indent=2) + "\n")
    return directory / DESCRIPTION


def _named_weights(model: DiffusionModel) -> dict[str, keras.Variable]:
    """The weights of the network by names that differ; the position tells equal paths apart."""
    return {f"{i:04d}.{w.path.replace('/', '.')}": w for i, w in enumerate(model.network.weights)}


def _inputs(model: DiffusionModel) -> list[str]:
    return ["seed", *(["label", "guidance"] if model.num_classes else [])]


def _module(model: DiffusionModel, weights: list[Any], table: Table, batch: int) -> str:
    """The text of the module of one table."""
    specs = {
        "seed": tf.TensorSpec([batch, 2], tf.int32),
        "label": tf.TensorSpec([batch], tf.int32),
        "guidance": tf.TensorSpec([batch], tf.float32),
    }

    def sample(*arguments: tf.Tensor) -> tf.Tensor:
        values, inputs = arguments[: len(weights)], arguments[len(weights) :]
        # the network reads the values that the module is given in place of its weights
        with keras.StatelessScope(list(zip(weights, values, strict=True))):
            return _sampled(model, table, *inputs)

    function = tf.function(sample, autograph=False, jit_compile=True)
    arguments = [tf.TensorSpec(w.shape, w.dtype) for w in weights]
    arguments += [specs[name] for name in _inputs(model)]
    captured = function.get_concrete_function(*arguments).captured_inputs
    if captured:
        raise ValueError(f"the network must read nothing but its weights, received {captured}")
    text = function.experimental_get_compiler_ir(*arguments)(stage="stablehlo")
    return text if isinstance(text, str) else text.decode()


def _sampled(
    model: DiffusionModel,
    table: Table,
    seeds: tf.Tensor,
    labels: tf.Tensor | None = None,
    guidance: tf.Tensor | None = None,
) -> tf.Tensor:
    """Images, as one graph with one result: a tuple is not taken by every runtime."""
    context = {} if labels is None else {"labels": labels, "guidance": guidance}
    eps_fn = model.eps if labels is None else model.guided_eps
    prior = model.sde.prior(model.image_shape, seeds)
    inputs = loop_inputs(table, prior, seeds, context)
    state, _, failed = LoopBody(eps_fn, Layout.of(table), inputs, trajectory=False).run()
    images = model.sde.to_images(state)
    return tf.where(failed < 0, images, tf.constant(np.nan, images.dtype))
