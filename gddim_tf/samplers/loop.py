"""The one compiled loop that runs every table on every linear diffusion."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from gddim_tf.samplers.table import Table
from gddim_tf.sdes.linalg import apply_matrix
from gddim_tf.sdes.randomness import fold_in, normal_per_image

EpsFn = Callable[..., tf.Tensor]

_CONTEXT = "context/"

# Compiled loops of the most recent networks; each holds a graph, so the number is bounded.
_COMPILED_LOOPS = 16


@dataclasses.dataclass(frozen=True)
class _Layout:
    """What of a table shapes the graph; two tables with equal layouts run in the same graph."""

    history: int
    scratch: int
    uniform: bool
    clip: bool
    columns: tuple[str, ...]


def run(
    table: Table,
    eps_fn: EpsFn,
    u_T: tf.Tensor,
    noise: tf.Tensor | None = None,
    seeds: tf.Tensor | None = None,
    *,
    context: dict[str, tf.Tensor] | None = None,
    trajectory: bool = False,
    jit_compile: bool = False,
) -> tf.Tensor | tuple[tf.Tensor, tf.Tensor]:
    """Sample: run the rows of a table, one network evaluation each.

    Args:
      table: from `sampler.table(sde, nfe)`.
      eps_fn: any callable from a state `[batch, ..., k * C]` and times `[batch]` to eps, of the
        shape of the state. Pass the same object again to reuse its compiled graph.
      u_T: `[batch, ..., k * C]`, float32 or float64, the state at the first time of the table.
      noise: `[draws, batch, ..., k * C]` standard normal noise for a stochastic table; draw 0 is
        used by the start map if there is one, then one draw per row.
      seeds: `[batch, 2]` int32, from which each image draws its own noise if `noise` is not given.
      context: further arguments of `eps_fn` by name, each with the batch as its first axis (class
        labels, a guidance weight).
      trajectory: also return the state after every row.
      jit_compile: compile with XLA (for GPU and TPU; there is no gain on CPU).

    Returns:
      The final state, like `u_T`; with `trajectory`, also `[nfe + 1, batch, ..., k * C]`.

    Raises:
      ValueError: if a stochastic table gets neither noise nor seeds, if a shape does not fit, or if
        the network returns something that is not finite; the message says at which evaluation.
    """
    u_T = tf.convert_to_tensor(u_T)
    columns = table_tensors(table, u_T.dtype)
    stochastic = table.stochastic
    if stochastic and noise is None and seeds is None:
        raise ValueError("`noise` or `seeds` must be given for a stochastic sampler, received None")
    if u_T.shape[-1] % table.components:
        raise ValueError(
            f"`u_T` must pack {table.components} components along its last axis, received shape "
            f"{u_T.shape}"
        )
    draws = table.nfe + (table.start is not None)
    if noise is not None and noise.shape[0] < draws:
        raise ValueError(f"`noise` must hold {draws} draws, received {noise.shape[0]}")
    tensors = {"u_T": u_T, **columns}
    tensors |= context_tensors(context or {})
    if stochastic and noise is not None:
        tensors["noise_given"] = tf.convert_to_tensor(noise, u_T.dtype)
    elif stochastic:
        tensors["seeds"] = tf.convert_to_tensor(seeds, tf.int32)
    loop = compiled_loop(eps_fn, table, tensors, trajectory, jit_compile)
    state, path, failed = loop(tensors)
    check_finite(table, int(failed))
    return (state, path) if trajectory else state


def check_finite(table: Table, failed: int) -> None:
    """Raise the error of a network that returned NaN or Inf at row `failed`, if not -1."""
    if failed >= 0:
        raise ValueError(
            f"`eps_fn` must return finite values, received NaN or Inf at evaluation "
            f"{failed + 1} of {table.nfe} (t = {table.time[failed]:.6g})"
        )


def table_tensors(table: Table, dtype: tf.DType) -> dict[str, tf.Tensor]:
    """The columns of a table as tensors, cast once from float64 to the dtype of the state."""
    tensors = {}
    for name, column in table.arrays().items():
        number = column.dtype.kind == "f"
        tensors[name] = tf.constant(column, dtype if number else None)
    if table.clip is not None:
        tensors["clip"] = tf.constant(table.clip, dtype)
    return tensors


def context_tensors(context: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """The further arguments of a network, by the names that the loop knows them by."""
    return {_CONTEXT + name: tf.convert_to_tensor(value) for name, value in context.items()}


def compiled_loop(
    eps_fn: EpsFn,
    table: Table,
    tensors: dict[str, tf.Tensor],
    trajectory: bool = False,
    jit_compile: bool = False,
) -> Any:
    """The graph of `run`, for those who build a larger one around it (an exported model).

    Args:
      eps_fn: as in `run`.
      table: whose layout shapes the graph; its numbers do not.
      tensors: the columns, from `table_tensors`; "u_T"; for a stochastic table "seeds" or
        "noise_given"; and the context, with "context/" before the names.
      trajectory: whether to record the states.
      jit_compile: as in `run`.

    Returns:
      A `tf.function` of such tensors, for any number of rows and images. It gives the final state,
      the states after every row (or an empty tensor), and the row at which the network returned
      something not finite (-1 if it never did).
    """
    return _compiled(eps_fn, _layout_of(table), _signature(tensors), trajectory, jit_compile)


def _layout_of(table: Table) -> _Layout:
    """What of the table shapes the graph."""
    return _Layout(
        history=table.history,
        scratch=table.scratch,
        uniform=bool(np.all(table.keep) and np.all(table.commit)),
        clip=table.clip is not None,
        columns=tuple(sorted(table.arrays())),
    )


@functools.lru_cache(maxsize=_COMPILED_LOOPS)
def _compiled(
    eps_fn: EpsFn, layout: _Layout, signature: tuple, trajectory: bool, jit_compile: bool
) -> Any:
    def loop(tensors: dict[str, tf.Tensor]) -> Any:
        return _sampling_loop(eps_fn, layout, tensors, trajectory)

    specs = {name: tf.TensorSpec(shape, dtype) for name, shape, dtype in signature}
    return tf.function(loop, input_signature=[specs], jit_compile=jit_compile, autograph=False)


# The axes that may change without a new graph: rows or batch first, both for given noise.
_FREE_AXES = {"noise_given": 2, "mode_index": 0, "clip": 0, "start_matrix": 0, "start_noise": 0}


def _signature(tensors: dict[str, tf.Tensor]) -> tuple:
    """Names, shapes and dtypes, with the axes left open that may change without a new graph."""
    signature = []
    for name, tensor in sorted(tensors.items()):
        free = _FREE_AXES.get(name, 1)
        signature.append((name, (*(None,) * free, *tensor.shape[free:]), tensor.dtype))
    return tuple(signature)


def _sampling_loop(
    eps_fn: EpsFn, layout: _Layout, tensors: dict[str, tf.Tensor], trajectory: bool
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    u_T = tensors["u_T"]
    rows = tf.shape(tensors["time"])[0]
    index = tensors.get("mode_index")
    context = {
        name.removeprefix(_CONTEXT): tensor
        for name, tensor in tensors.items()
        if name.startswith(_CONTEXT)
    }

    def apply(name: str, i: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
        return apply_matrix(tensors[name][i], value, index)

    def draw(i: tf.Tensor) -> tf.Tensor:
        if "noise_given" in tensors:
            return tensors["noise_given"][i]
        return normal_per_image(fold_in(tensors["seeds"], i + 1), u_T.shape[1:], u_T.dtype)

    def combine(state: str, prediction: str, i: tf.Tensor, committed: Any, outputs: Any) -> Any:
        total = apply(state, i, committed)
        for j, output in enumerate(outputs):
            total += apply_matrix(tensors[prediction][i, j], output, index)
        return total

    def evaluate(i: tf.Tensor, point: tf.Tensor) -> tf.Tensor:
        time = tf.repeat(tensors["time"][i], tf.shape(point)[0])
        eps = tf.convert_to_tensor(eps_fn(point, time, **context))
        if not eps.shape.is_compatible_with(point.shape):
            raise ValueError(
                f"`eps_fn` must return the shape of the state, {point.shape}, at evaluation 1, "
                f"received {eps.shape}"
            )
        return tf.cast(eps, u_T.dtype)

    def stored(i: tf.Tensor, point: tf.Tensor, eps: tf.Tensor) -> tf.Tensor:
        if "data_state" not in tensors:
            return eps
        value = apply("data_state", i, point) + apply("data_eps", i, eps)
        if layout.clip:
            channels = value.shape[-1] // tensors["state"].shape[-1]
            image = tf.clip_by_value(value[..., :channels], -tensors["clip"], tensors["clip"])
            value = tf.concat([image, value[..., channels:]], axis=-1)
        return value

    def push(slots: tuple, value: tf.Tensor, wanted: tf.Tensor) -> tuple:
        shifted = (value, *slots[:-1])[: len(slots)]
        if layout.uniform:
            return shifted
        return tuple(tf.where(wanted, new, old) for new, old in zip(shifted, slots, strict=True))

    def row(
        i: Any, committed: Any, point: Any, kept: tuple, scratch: tuple, path: Any, _: Any
    ) -> Any:
        eps = evaluate(i, point)
        finite = tf.reduce_all(tf.math.is_finite(eps))
        value = stored(i, point, eps)
        kept = push(kept, value, tensors["keep"][i])
        scratch = push(scratch, value, ~tensors["keep"][i])
        outputs = (*kept, *scratch)
        point = combine("state", "prediction", i, committed, outputs)
        ended = point
        if "corrected_state" in tensors:
            ended = combine("corrected_state", "corrected_prediction", i, committed, outputs)
        if "noise" in tensors:
            fresh = apply("noise", i, draw(i + tf.cast("start_noise" in tensors, tf.int32)))
            point, ended = point + fresh, ended + fresh
        if not layout.uniform:
            ended = tf.where(tensors["commit"][i], ended, committed)
        if trajectory:
            path = path.write(i + 1, point)
        return i + 1, ended, point, kept, scratch, path, tf.where(finite, -1, i)

    if "start_matrix" in tensors:
        u_T = apply_matrix(tensors["start_matrix"], u_T, index) + apply_matrix(
            tensors["start_noise"], draw(tf.constant(0)), index
        )
    empty = tf.zeros_like(u_T)
    path = tf.TensorArray(u_T.dtype, rows + 1 if trajectory else 0, element_shape=u_T.shape)
    if trajectory:
        path = path.write(0, u_T)
    _, committed, _, _, _, path, failed = tf.while_loop(
        lambda i, *state: (i < rows) & (state[-1] < 0),
        row,
        (
            tf.constant(0),
            u_T,
            u_T,
            (empty,) * layout.history,
            (empty,) * layout.scratch,
            path,
            tf.constant(-1),
        ),
        parallel_iterations=1,
    )
    return committed, path.stack() if trajectory else tf.zeros([0], u_T.dtype), failed
