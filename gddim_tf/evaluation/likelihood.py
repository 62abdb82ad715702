"""How probable a model finds given images: its log-density, and bits per dimension.

The bits of an image are `-(log p(x) / d + log(2 / levels)) / log 2`, with x from `dequantise` and p
from `log_density`. Their mean over the noise of `dequantise` is an upper bound on the code length,
for every diffusion. In the cosine basis of BDM the density is the same, because the basis is
orthonormal.

With k > 1 components (CLD) the model has a density of the image x and the velocity v together. v is
drawn from `q = N(0, Sigma_vv(0))` (`gamma M + initial_eps` for CLD) and `log p(x)` is replaced by
`log p(x, v) - log q(v)`, whose mean `E log p(x, v) + H(q)` is at most `log p(x)`: one more upper
bound. It is loose where the noise of `start` has already widened v.
CLD-SGM (Dockhorn et al., 2022), appendix on likelihoods.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from gddim_tf.models.generative_model import GenerativeModel
from gddim_tf.numerics.dequantisation import dequantise
from gddim_tf.numerics.image_noise import (
    fold_in,
    image_seeds,
    normal_per_image,
    signs_per_image,
)
from gddim_tf.samplers import RK45
from gddim_tf.samplers.density import log_density, velocity_log_density

# States of at most so many numbers get the exact trace unless told otherwise.
_EXACT_SIZE = 256


class BitsPerDim(NamedTuple):
    """What a model says of given images.

    Attributes:
      bits: bits per dimension of every image, `[batch]`, float64.
      nfe: network evaluations, for the whole batch at once.
      probes: how many probes estimated the trace; 0 where it is exact.

    Examples:
      >>> BitsPerDim(np.array([3.0, 5.0]), nfe=80, probes=0).bits.mean()
      np.float64(4.0)
    """

    bits: np.ndarray
    nfe: int
    probes: int


def bits_per_dim(
    model: GenerativeModel,
    images: np.ndarray,
    labels: np.ndarray | None = None,
    *,
    levels: int = 256,
    probes: int | None = None,
    seed: int = 0,
    first: int = 0,
    start: float | None = None,
    solver: RK45 | None = None,
) -> BitsPerDim:
    """Negative log2-likelihood of discrete images per pixel and channel, `[batch]`.

    The module says what it is, and of what it is an upper bound.

    Args:
      model: a `DiffusionModel` or a `ServedModel`.
      images: uint8 `[batch, height, width, C]`.
      labels: None for the density without a class, or the classes `[batch]` to condition on.
      levels: grey levels of the data, in [2, 256].
      probes: 0 for the exact trace, or the number of Rademacher probes of Hutchinson's estimate;
        None is 0 for states of at most 256 numbers and 1 for larger ones.
      seed: of all noise; that of image i depends on `(seed, first + i)` alone.
      first: index of the first image.
      start: the time at which the images are put; `first_time(sde)` if None. The noise there
        should be below the width of a level, `2 / levels`; at the default start of VP it is 0.010,
        above the 0.0078 of 256 levels.
      solver: of the probability flow; `RK45()` if None. It chooses its steps for the
        whole batch, so that a number depends on the other images within the tolerances.

    Returns:
      The bits, the number of network evaluations and of probes.

    Raises:
      TypeError: if the images are not uint8.
      ValueError: if `images` or `labels` do not fit the model, `levels` the images, `probes` is
        negative, or the flow cannot be solved.
    """
    sde, shape = model.sde, tuple(model.image_shape)
    if np.shape(images)[1:] != shape:
        raise ValueError(f"`images` must be [batch, *{shape}], received {np.shape(images)}")
    state_shape = (*shape[:-1], sde.components * shape[-1])
    if probes is None:
        probes = 0 if math.prod(state_shape) <= _EXACT_SIZE else 1
    if probes < 0:
        raise ValueError(f"`probes` must be at least 0, received {probes}")
    context = {}
    if labels is not None:
        context["labels"] = tf.constant(model.check_labels(labels, len(images)))
    # independent noise of the levels, of the velocities and of each probe
    seeds = image_seeds(seed, first, len(images))
    pixels = tf.cast(dequantise(images, fold_in(seeds, 0), levels), tf.float32)
    states = sde.to_state(pixels, normal_per_image(fold_in(seeds, 1), state_shape))
    signs = [signs_per_image(fold_in(seeds, 2 + i), state_shape) for i in range(probes)]
    how = {"start": start, "solver": solver, "context": context}
    density = log_density(sde, model.eps, states, probes=tf.stack(signs) if signs else None, **how)
    log_p = density.log_density - velocity_log_density(sde, states)
    bits = np.log2(levels / 2) - log_p.numpy() / (math.prod(shape) * np.log(2))
    return BitsPerDim(bits, density.nfe, probes)
