"""The one compiled loop that runs every table on every linear diffusion."""

from __future__ import annotations

import functools
from collections.abc import Hashable
from typing import Any, Literal, overload

import numpy as np
import tensorflow as tf

from gddim_tf.samplers.errors import NotFiniteError
from gddim_tf.samplers.loop_body import EpsFn, LoopBody
from gddim_tf.samplers.loop_inputs import Layout, LoopInputs, columns_as_tensors
from gddim_tf.samplers.table import Table

# Compiled loops of the most recent networks; each holds a graph, so the number is bounded.
_COMPILED_LOOPS = 16


@overload
def run(
    table: Table,
    eps_fn: EpsFn,
    u_T: tf.Tensor,
    noise: tf.Tensor | None = None,
    seeds: tf.Tensor | None = None,
    *,
    context: dict[str, tf.Tensor] | None = None,
    trajectory: Literal[False] = False,
    jit_compile: bool = False,
) -> tf.Tensor: ...


@overload
def run(
    table: Table,
    eps_fn: EpsFn,
    u_T: tf.Tensor,
    noise: tf.Tensor | None = None,
    seeds: tf.Tensor | None = None,
    *,
    context: dict[str, tf.Tensor] | None = None,
    trajectory: bool,
    jit_compile: bool = False,
) -> tuple[tf.Tensor, tf.Tensor]: ...


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
      eps_fn: any hashable callable from a state `[batch, ..., k * C]` and times `[batch]` to eps,
        of the shape of the state. Pass the same object again to reuse its compiled graph; the
        graphs of the last 16 are kept, and with them their networks.
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
      ValueError: if a stochastic table gets neither noise nor seeds, or if a shape does not fit.
      TypeError: if `eps_fn` is not hashable.
      NotFiniteError: if the network returns something that is not finite; the message says at which
        evaluation.
    """
    u_T = tf.convert_to_tensor(u_T)
    if not u_T.dtype.is_floating or u_T.shape.rank < 2:
        raise ValueError(
            f"`u_T` must be floating-point [batch, ..., k * C], received {u_T.dtype.name} of shape "
            f"{u_T.shape}"
        )
    if u_T.shape[-1] % table.components:
        raise ValueError(
            f"`u_T` must pack {table.components} components along its last axis, received shape "
            f"{u_T.shape}"
        )
    if table.stochastic and noise is None:
        _check_seeds(seeds, len(u_T))
    inputs = loop_inputs(table, u_T, seeds if noise is None else None, context)
    if table.stochastic and noise is not None:
        inputs = inputs._replace(noise=_checked_noise(table, noise, u_T))
    loop = compiled_loop(eps_fn, Layout.of(table), inputs, trajectory, jit_compile)
    state, path, failed = loop(inputs)
    check_finite(table, int(failed))
    return (state, path) if trajectory else state


def _check_seeds(seeds: tf.Tensor | None, batch: int) -> None:
    if seeds is None:
        raise ValueError("`noise` or `seeds` must be given for a stochastic sampler, received None")
    if np.shape(seeds) != (batch, 2):
        raise ValueError(f"`seeds` must have shape {(batch, 2)}, received {np.shape(seeds)}")


def _checked_noise(table: Table, noise: tf.Tensor, u_T: tf.Tensor) -> tf.Tensor:
    noise, draws = tf.convert_to_tensor(noise, u_T.dtype), table.nfe + (table.start is not None)
    if noise.shape[1:] != u_T.shape:
        raise ValueError(
            f"`noise` must have shape [draws, *{u_T.shape}] as `u_T` has, received {noise.shape}"
        )
    if len(noise) < draws:
        raise ValueError(f"`noise` must hold {draws} draws, received {len(noise)}")
    return noise


def check_finite(table: Table, failed: int) -> None:
    """Raise the error of a network that returned NaN or Inf at row `failed`, if not -1."""
    if failed >= 0:
        raise NotFiniteError(
            f"`eps_fn` must return finite values, received NaN or Inf at evaluation "
            f"{failed + 1} of {table.nfe} (t = {table.time[failed]:.6g})"
        )


def loop_inputs(
    table: Table,
    u_T: tf.Tensor,
    seeds: tf.Tensor | None = None,
    context: dict[str, tf.Tensor] | None = None,
) -> LoopInputs:
    """What `compiled_loop` takes to run a table; its arguments are those of `run`."""
    return LoopInputs(
        state=u_T,
        columns=columns_as_tensors(table.arrays(), u_T.dtype),
        context={name: tf.convert_to_tensor(v) for name, v in (context or {}).items()},
        seeds=tf.convert_to_tensor(seeds, tf.int32)
        if table.stochastic and seeds is not None
        else None,
    )


def compiled_loop(
    eps_fn: EpsFn,
    layout: Layout,
    inputs: LoopInputs,
    trajectory: bool = False,
    jit_compile: bool = False,
) -> Any:
    """The graph of `run`, for those who build a larger one around it (an exported model).

    Args:
      eps_fn: `(u, t) -> eps`, states and times `[batch]` to the same shape.
      layout: of the table, which shapes the graph; its numbers do not.
      inputs: of a run of the table, from `loop_inputs`; their shapes and dtypes matter.
      trajectory: whether to record the states.
      jit_compile: whether XLA compiles the loop.

    Returns:
      A concrete function of such inputs, for any number of rows and images. It gives the final
      state, the states after every row (or an empty tensor), and the row at which the network
      returned something not finite (-1 if it never did).
    """
    if not isinstance(eps_fn, Hashable):  # the key under which its graph is kept
        raise TypeError(f"`eps_fn` must be hashable, received {type(eps_fn).__name__}")
    return _compiled(
        eps_fn,
        layout,
        tuple(sorted(inputs.context)),
        tuple(tf.nest.flatten(inputs.spec())),
        trajectory,
        jit_compile,
    )


@functools.lru_cache(maxsize=_COMPILED_LOOPS)
def _compiled(
    eps_fn: EpsFn,
    layout: Layout,
    context: tuple[str, ...],
    specs: tuple[tf.TensorSpec | None, ...],
    trajectory: bool,
    jit_compile: bool,
) -> Any:
    def loop(inputs: LoopInputs) -> Any:
        return LoopBody(eps_fn, layout, inputs, trajectory).run()

    names = (None, dict.fromkeys(layout.columns), dict.fromkeys(context), None, None)
    structure = LoopInputs._make(names)
    graph = tf.function(loop, jit_compile=jit_compile, autograph=False)
    # concrete, because TensorFlow takes several samplers in a row for one that is traced again
    return graph.get_concrete_function(tf.nest.pack_sequence_as(structure, specs))
