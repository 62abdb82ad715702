"""A sampling loop as a StableHLO module: for any OpenXLA runtime, without TensorFlow."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from gddim_tf._version import __version__
from gddim_tf.atomic import atomic_write
from gddim_tf.checks import whole
from gddim_tf.models import GenerativeModel
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
    model: GenerativeModel,
    directory: str | os.PathLike,
    samplings: Mapping[str, tuple[Sampler | type[Sampler] | str, int]],
    batch_size: int,
) -> pathlib.Path:
    """Write one StableHLO module per sampling, and the weights that they take.

    A module is the whole loop, the random numbers included. Its arguments are `seed` `[batch, 2]`
    int32 (image i of `model.sample(seed=s)` has `(s, i)`), with classes `label` `[batch]` int32
    and `guidance` `[batch]` float32, and then the weights in the order of the description. It
    returns the images `[batch, height, width, C]` float32 in [-1, 1], up to the error of the
    network, or NaN if the network returned something that is not finite.

    Args:
      model: holding the weights, trained or exported.
      directory: where `NAME.mlir`, `weights.safetensors` and `stablehlo.json` are written.
      samplings: name of a module -> (sampler, nfe), the sampler one, its class or its name.
      batch_size: images per call; StableHLO has fixed shapes.

    Returns:
      The path of the description, which is written last.

    Raises:
      ValueError: if the batch is below 1, there are no samplings, or a name is not a file's.
    """
    from safetensors.numpy import save

    whole("batch_size", batch_size, 1, _LARGEST_BATCH)
    if not samplings:
        raise ValueError("`samplings` must name at least one (sampler, nfe), received none")
    for name in samplings:
        if not name or name != pathlib.PurePath(name).name:
            raise ValueError(f"`samplings` must have names of files, received {name!r}")
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    modules, weights = {}, {}
    for name, (wanted, nfe) in samplings.items():
        sampler = chosen(wanted, model.sde, nfe)
        text, read = _module(model, sampler.table_for(model, nfe), batch_size)
        with atomic_write(directory / f"{name}.mlir") as draft:
            draft.write_text(text)
        weights |= read
        told = {"file": f"{name}.mlir", "sampler": repr(sampler), "nfe": nfe}
        modules[name] = {**told, "weights": list(read)}
    with atomic_write(directory / WEIGHTS) as draft:
        draft.write_bytes(save(weights))  # `save_file` makes what only its owner can read
    description = {
        "gddim_tf": __version__,
        "modules": modules,
        "inputs": list(_inputs(model, batch_size)),
        "batch_size": batch_size,
        "image_shape": list(model.image_shape),
        "num_classes": model.num_classes,
    }
    with atomic_write(directory / DESCRIPTION) as draft:
        draft.write_text(json.dumps(description, indent=2) + "\n")
    return directory / DESCRIPTION


def _inputs(model: GenerativeModel, batch: int) -> dict[str, tf.TensorSpec]:
    """What a module takes before the weights."""
    seed = {"seed": tf.TensorSpec([batch, 2], tf.int32)}
    if not model.num_classes:
        return seed
    label, guidance = tf.TensorSpec([batch], tf.int32), tf.TensorSpec([batch], tf.float32)
    return {**seed, "label": label, "guidance": guidance}


def _module(model: GenerativeModel, table: Table, batch: int) -> tuple[str, dict[str, np.ndarray]]:
    """The text of the module of one table, and the weights by name in the order it takes them."""

    def sample(*inputs: tf.Tensor) -> tf.Tensor:
        return _sampled(model, table, *inputs)

    function = tf.function(sample, autograph=False, jit_compile=True)
    arguments = list(_inputs(model, batch).values())
    traced = function.get_concrete_function(*arguments)
    # what a graph reads comes after its arguments
    variables = {id(variable.handle): variable for variable in traced.graph.variables}
    weights = {}
    for place, handle in enumerate(traced.captured_inputs):
        if id(handle) not in variables:
            raise ValueError(f"the network must read nothing but its weights, received {handle}")
        variable = variables[id(handle)]
        # the place tells equal names apart
        weights[f"{place:04d}.{variable.name.partition(':')[0]}"] = variable.numpy()
    text = function.experimental_get_compiler_ir(*arguments)(stage="stablehlo")
    return text if isinstance(text, str) else text.decode(), weights


def _sampled(
    model: GenerativeModel,
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
