"""A model as a SavedModel in TF Serving's layout: sampling loops with everything inside."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import tempfile
from typing import Any

import keras
import tensorflow as tf

from gddim_tf._version import __version__
from gddim_tf.samplers import Sampler
from gddim_tf.samplers.loop import compiled_loop, table_tensors
from gddim_tf.samplers.sampled import Sampled
from gddim_tf.samplers.table import Table
from gddim_tf.training import DiffusionModel

DESCRIPTION = "gddim_tf.json"


def export(
    model: DiffusionModel,
    directory: str | os.PathLike,
    signatures: dict[str, tuple[Sampler, int]],
    version: int | None = None,
) -> pathlib.Path:
    """Write `directory/<version>/`, a SavedModel that needs neither Keras nor gddim_tf to run.

    Every input and output has the batch as its first axis, so that TF Serving can batch requests:

    - one signature per entry of `signatures`: `seed` `[batch]` or `[batch, 2]` int32 (and `label`
      `[batch]` int32, `guidance` `[batch]` float32 for a model with classes) -> `image`
      `[batch, height, width, C]` uint8; image i depends on `seed[i]` alone;
    - `serving_default`: the first of them;
    - `denoise`: `state` `[batch, height, width, k * C]`, `time` `[batch]` (and `label`) -> `eps`.

    The version is written to a temporary folder and renamed, so that a reader sees all of it or
    nothing, and a full disk leaves what was there before.

    Args:
      model: holding the weights to serve (after `fit`, their average).
      directory: parent of the versions; its name is the name of the model.
      signatures: name -> (sampler, nfe).
      version: a positive integer not there yet; by default the next one.

    Returns:
      The folder of the version.

    Raises:
      ValueError: if there are no signatures, or the version exists or is not positive.
      OSError: if the folder cannot be written.
    """
    if not signatures:
        raise ValueError("`signatures` must name at least one (sampler, nfe), received none")
    directory = pathlib.Path(directory)
    version = _next_version(directory) if version is None else version
    target = directory / str(version)
    if version < 1 or target.exists():
        raise ValueError(f"`version` must be positive and new in {directory}, received {version}")
    directory.mkdir(parents=True, exist_ok=True)
    draft = pathlib.Path(tempfile.mkdtemp(prefix=".writing-", dir=directory))
    try:
        _write(model, draft, signatures)
        draft.chmod(0o755)
        draft.rename(target)
    except tf.errors.OpError as error:  # a full disk, as TensorFlow reports it
        raise OSError(f"cannot write the model to {target}: {error.message}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return target


def _next_version(directory: pathlib.Path) -> int:
    taken = [int(path.name) for path in directory.glob("*") if path.name.isdecimal()]
    return max(taken, default=0) + 1


def _write(
    model: DiffusionModel, draft: pathlib.Path, signatures: dict[str, tuple[Sampler, int]]
) -> None:
    served = _Served(model)
    functions = {"denoise": served.denoise}
    for name, (sampler, nfe) in signatures.items():
        functions[name] = served.sampling(sampler.table(model.sde, nfe))
    functions["serving_default"] = functions[next(iter(signatures))]
    tf.saved_model.save(served, str(draft), functions)
    description = {
        "gddim_tf": __version__,
        "sde": keras.saving.serialize_keras_object(model.sde),
        "image_shape": list(model.image_shape),
        "num_classes": model.network.num_classes,
        "signatures": {
            name: {"sampler": repr(sampler), "nfe": nfe}
            for name, (sampler, nfe) in signatures.items()
        },
    }
    extra = draft / "assets.extra"
    extra.mkdir()
    (extra / DESCRIPTION).write_text(json.dumps(description, indent=2) + "\n")


class _Served(Sampled, tf.Module):
    """The graphs of a SavedModel; they share one copy of the network."""

    def __init__(self, model: DiffusionModel) -> None:
        super().__init__()
        self.model = model  # makes TensorFlow save the weights
        self.num_classes = model.network.num_classes
        height, width, channels = model.image_shape
        state = tf.TensorSpec([None, height, width, model.sde.components * channels], name="state")
        time = tf.TensorSpec([None], name="time")
        label = tf.TensorSpec([None], tf.int32, name="label")
        specs = [state, time, label] if self.num_classes else [state, time]
        # concrete, so that every signature calls the same copy of the network
        self._network = tf.function(model.eps, autograph=False).get_concrete_function(*specs)
        self.denoise = tf.function(self._denoise, input_signature=specs, autograph=False)

    def eps(self, u: tf.Tensor, t: tf.Tensor, *labels: tf.Tensor) -> tf.Tensor:
        """See `Sampled.eps`."""
        return self._network(u, t, *labels)

    def _conditional_eps(
        self, u: tf.Tensor, t: tf.Tensor, labels: tf.Tensor, guidance: tf.Tensor
    ) -> tf.Tensor:
        plain = tf.reduce_all(tf.equal(guidance, 1.0))  # then half of a doubled batch is wasted
        return tf.cond(
            plain,
            lambda: self.eps(u, t, labels),
            lambda: self.guided_eps(u, t, labels, guidance),
        )

    def _denoise(self, state: tf.Tensor, time: tf.Tensor, *label: tf.Tensor) -> dict[str, Any]:
        return {"eps": self.eps(state, time, *label)}

    def sampling(self, table: Table) -> Any:
        """A signature that runs one table."""
        columns = table_tensors(table, tf.float32)
        sde, shape, classes = self.model.sde, self.model.image_shape, self.num_classes

        def sample(seed: tf.Tensor, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
            # [batch] means [batch, 2] with 0 as the second number
            columns_given = tf.reshape(seed, [tf.shape(seed)[0], -1])
            seeds = tf.pad(columns_given, [[0, 0], [0, 2 - tf.shape(columns_given)[1]]])
            seeds = tf.ensure_shape(seeds, [None, 2])
            tensors = {"u_T": sde.prior(shape, seeds), "seeds": seeds, **columns}
            eps_fn = self.eps
            if classes:
                label, guidance = inputs["label"], inputs["guidance"]
                check = tf.debugging.assert_less_equal(
                    tf.abs(2 * label - classes), classes, f"`label` must be in [0, {classes}]"
                )
                with tf.control_dependencies([check]):
                    tensors["context/labels"] = tf.identity(label)
                tensors["context/guidance"] = guidance
                eps_fn = self._conditional_eps
            # tables of one layout share one loop
            state, _, _ = compiled_loop(eps_fn, table, tensors)(tensors)
            pixels = tf.round((sde.to_images(state) + 1.0) * 127.5)
            return {"image": tf.cast(tf.clip_by_value(pixels, 0.0, 255.0), tf.uint8)}

        specs = {"seed": tf.TensorSpec(None, tf.int32, name="seed")}
        if classes:
            specs["label"] = tf.TensorSpec([None], tf.int32, name="label")
            specs["guidance"] = tf.TensorSpec([None], tf.float32, name="guidance")
        return tf.function(sample, autograph=False).get_concrete_function(**specs)
