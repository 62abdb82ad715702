"""The graphs of an exported model: every signature, over one network and one loop per layout."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from gddim_tf.data.pixels import from_uint8, to_uint8
from gddim_tf.models import DiffusionModel
from gddim_tf.models.generative_model import encoding_start
from gddim_tf.models.guidance import Guidance
from gddim_tf.models.restoration import Inpainting
from gddim_tf.numerics.image_noise import normal_per_image
from gddim_tf.samplers import Sampler
from gddim_tf.samplers.table import Table
from gddim_tf.serving.budgets import Budgets, Place
from gddim_tf.serving.edits import edit_signatures, known_specs
from gddim_tf.serving.inputs import Inputs, seed_pairs
from gddim_tf.serving.stored_loop import StoredLoop
from gddim_tf.serving.stored_weights import StoredWeights

Tensors = dict[str, tf.Tensor]

_PNG_CHANNELS = (1, 2, 3, 4)


class Graphs:
    """The signatures of a model; they share one copy of the network.

    Args:
      model: holding the weights.
      samplings: name of a signature -> (sampler, nfe).
      largest_batch: how many rows a request may have.
      jit_compile: compile the loops with XLA.
      guidance: None for classifier-free guidance, or another; its weight is an input.
      weights: as which the network's are stored, see `StoredWeights`.
    """

    def __init__(
        self,
        model: DiffusionModel,
        samplings: dict[str, tuple[Sampler, int]],
        largest_batch: int,
        jit_compile: bool,
        guidance: Guidance | None = None,
        weights: str = "float32",
    ) -> None:
        self.sde, self.image_shape = model.sde, model.image_shape
        self.num_classes, self._largest_batch = model.network.num_classes, largest_batch
        height, width, channels = self.image_shape
        self._state_shape = (height, width, self.sde.components * channels)
        # concrete, so that every signature calls the same copy of the network
        stored = StoredWeights(model.network, weights)
        network = tf.function(functools.partial(_stored_eps, model, stored), autograph=False)
        specs = self._specs("state", "time", *(["label"] if self.num_classes else []))
        self._network = network.get_concrete_function(*specs.values())
        self.weights = tf.Module()  # what is saved beside the signatures; not the layers of Keras
        self.weights.network = stored.variables
        self.weights.eps = self._network  # without the checks and the largest batch of `denoise`
        guidance = Guidance() if guidance is None else guidance
        self.weights.guide = [weight.value for weight in guidance.by.weights()]
        self.budgets = Budgets(model, samplings, guidance)
        context = {"labels": tf.TensorSpec([None], tf.int32), "guidance": tf.TensorSpec([None])}
        context = context if self.num_classes else {}
        eps_fn = guidance.eps_fn(self) if self.num_classes else self.eps
        self._loops = [
            StoredLoop(eps_fn, tables, self._state_shape, context, jit_compile)
            for tables in self.budgets.groups
        ]
        edited = {**context, **known_specs(self.image_shape)}
        self.knowing = StoredLoop(
            Inpainting(eps_fn, self.sde),
            [self.budgets.knowing],
            self._state_shape,
            edited,
            jit_compile,
        )
        self._images: dict[int, Any] = {}

    @property
    def strength(self) -> float:
        """The largest strength at which an edit may begin, 0 if none may."""
        return max(self.budgets.starts, default=0.0)

    # ---- the network ----------------------------------------------------------------------------

    def eps(self, u: tf.Tensor, t: tf.Tensor, labels: tf.Tensor | None = None) -> tf.Tensor:
        """The network: states `[batch, ...]`, times `[batch]` and, with classes, labels -> eps."""
        return self._network(u, t) if labels is None else self._network(u, t, labels)

    # ---- signatures -----------------------------------------------------------------------------

    def signatures(self) -> dict[str, Any]:
        """What `tf.saved_model.save` takes: a concrete function by name."""
        budgets, signatures = self.budgets, {}
        condition = ["label", "guidance"] if self.num_classes else []
        for name, place in budgets.samplings.items():
            sample = self.function(functools.partial(self._sample, place), "seed", *condition)
            signatures.setdefault("serving_default", sample)
            signatures[name] = sample
            if self.image_shape[-1] in _PNG_CHANNELS:
                png = functools.partial(_png, sample)
                signatures[budgets.png_name(name)] = self.function(png, "seed", *condition)
        at_budget = functools.partial(self._sample_at_budget, budgets.by_nfe)
        signatures["sample"] = self.function(at_budget, "seed", "nfe", *condition)
        if budgets.decoding is not None:
            decode = functools.partial(self._decode, budgets.decoding)
            signatures["decode"] = self.function(decode, "state", *condition)
        if budgets.encoding is not None and budgets.encoding_table is not None:
            encode = functools.partial(self._encode, budgets.encoding, budgets.encoding_table)
            signatures["encode"] = self.function(encode, "image", "seed", *condition[:1])
        signatures.update(edit_signatures(self, condition))
        signatures["denoise"] = self.function(self._denoise, "state", "time", *condition[:1])
        return signatures

    def _specs(self, *names: str) -> dict[str, tf.TensorSpec]:
        known = {
            "which": tf.TensorSpec([], tf.int32),
            "seed": tf.TensorSpec(None, tf.int32, name="seed"),
            "nfe": tf.TensorSpec([None], tf.int32, name="nfe"),
            "label": tf.TensorSpec([None], tf.int32, name="label"),
            "guidance": tf.TensorSpec([None], name="guidance"),
            "time": tf.TensorSpec([None], name="time"),
            "state": tf.TensorSpec([None, *self._state_shape], name="state"),
            "image": tf.TensorSpec([None, *self.image_shape], tf.uint8, name="image"),
            "mask": tf.TensorSpec([None, *self.image_shape[:2], 1], tf.uint8, name="mask"),
            "strength": tf.TensorSpec([None], name="strength"),
        }
        return {name: known[name] for name in names}

    def function(self, body: Callable[..., Tensors | tf.Tensor], *names: str) -> Any:
        """A concrete function of inputs of these names, which the body gets in this order."""

        def function(**tensors: tf.Tensor) -> Tensors | tf.Tensor:
            return body(**{name: tensors[name] for name in names})

        return tf.function(function, autograph=False).get_concrete_function(**self._specs(*names))

    def inputs(self, tensors: Tensors) -> Inputs:
        """What every signature requires of its inputs; the first one has the batch."""
        inputs = Inputs(tensors, self._largest_batch)
        rows = {"state": [self._state_shape], "image": [self.image_shape], "seed": [(), (2,)]}
        rows["mask"] = [(*self.image_shape[:2], 1)]
        for name, tensor in tensors.items():
            inputs.require_rows(name, *rows.get(name, [()]))
            if tensor.dtype.is_floating:
                inputs.require_finite(name)
        if "label" in tensors:
            label, last = inputs["label"], self.num_classes
            meaning = f"in [0, {last}], {last} for no class"
            inputs.require("label", meaning, (label >= 0) & (label <= last))
        return inputs

    def _sample(self, place: Place, **tensors: tf.Tensor) -> Tensors:
        loop, position = place
        return {"image": self._images_of(loop)(which=tf.convert_to_tensor(position), **tensors)}

    def _images_of(self, loop: int) -> Any:
        """From seeds to images through one loop; shared by its budgets."""
        if loop not in self._images:
            condition = ["label", "guidance"] if self.num_classes else []
            body = functools.partial(self._draw_images, loop)
            self._images[loop] = self.function(body, "which", "seed", *condition)
        return self._images[loop]

    def _draw_images(self, loop: int, which: tf.Tensor, **tensors: tf.Tensor) -> tf.Tensor:
        tensors = self.inputs(tensors).checked()
        seeds = seed_pairs(tensors["seed"])
        u_T = self.sde.prior(self.image_shape, seeds)
        return to_uint8(self.sde.to_images(self.run((loop, which), u_T, seeds, tensors)))

    def _sample_at_budget(
        self, by_nfe: dict[int, Place], seed: tf.Tensor, nfe: tf.Tensor, **condition: tf.Tensor
    ) -> Tensors:
        inputs = self.inputs({"seed": seed, "nfe": nfe})
        budget = inputs.require_same("nfe", list(by_nfe))
        seed = inputs.checked()["seed"]
        loop, position = tf.unstack(tf.constant(list(by_nfe.values()))[budget])
        branches = {
            number: functools.partial(self._sample, (number, position), seed=seed, **condition)
            for number in sorted({number for number, _ in by_nfe.values()})
        }
        if len(branches) == 1:
            return next(iter(branches.values()))()
        return tf.switch_case(loop, branches)

    def _decode(self, place: Place, **tensors: tf.Tensor) -> Tensors:
        tensors = self.inputs(tensors).checked()
        state = self.run(place, tensors["state"], None, tensors)
        return {"image": to_uint8(self.sde.to_images(state))}

    def _encode(self, place: Place, table: Table, **tensors: tf.Tensor) -> Tensors:
        tensors = self.inputs(tensors).checked()
        noise = None  # of the components after the first
        if self.sde.components > 1:
            noise = normal_per_image(seed_pairs(tensors["seed"]), self._state_shape)
        start = encoding_start(self.sde, table, from_uint8(tensors["image"]), noise)
        return {"state": self.run(place, start, None, tensors)}

    def _denoise(self, **tensors: tf.Tensor) -> Tensors:
        inputs, sde = self.inputs(tensors), self.sde
        first, last = np.float32(max(sde.t_min, sde.t_earliest)), np.float32(sde.t_max)
        inside = (inputs["time"] >= first) & (inputs["time"] <= last)
        inputs.require("time", f"in [{first:g}, {last:g}]", inside)
        return {"eps": self.eps(*inputs.checked().values())}

    def run(
        self, place: Place, state: tf.Tensor, seeds: tf.Tensor | None, tensors: Tensors
    ) -> tf.Tensor:
        """The end of a table from a state."""
        loop, position = place
        return self._loops[loop](position, state, seeds, self.condition(tensors))

    def condition(self, tensors: Tensors) -> Tensors:
        """What eps is told beside states and times."""
        if not self.num_classes:
            return {}
        label = tensors["label"]
        if "guidance" in tensors:
            return {"labels": label, "guidance": tensors["guidance"]}
        return {"labels": label, "guidance": tf.ones(tf.shape(label))}


def _stored_eps(model: DiffusionModel, stored: StoredWeights, *inputs: tf.Tensor) -> tf.Tensor:
    with stored.scope():
        return model.eps(*inputs)


def _png(sample: Any, **tensors: tf.Tensor) -> Tensors:
    return {"image_bytes": tf.io.encode_png(sample(**tensors)["image"])}
