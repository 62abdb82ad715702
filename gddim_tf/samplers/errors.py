"""How sampling can fail, as errors that a caller can tell apart."""

from __future__ import annotations


class NotFiniteError(ValueError):
    """The network returned NaN or Inf; the message says where.

    Examples:
      >>> from gddim_tf.samplers import DDIM, run
      >>> from gddim_tf.sdes import VPSDE
      >>> run(DDIM().table(VPSDE(), 2), lambda u, t: u * float("nan"), [[1.0]])
      Traceback (most recent call last):
        ...
      gddim_tf.samplers.errors.NotFiniteError: ...
    """


class NotInvertibleError(ValueError):
    """A sampler has no way back from the data to the noise.

    Examples:
      >>> from gddim_tf.samplers import DDIM
      >>> from gddim_tf.sdes import VPSDE
      >>> DDIM(eta=1.0).encode(VPSDE(), 10)
      Traceback (most recent call last):
        ...
      gddim_tf.samplers.errors.NotInvertibleError: ...
    """


class StepLimitError(ValueError):
    """An adaptive solver needs more steps than it may take.

    Examples:
      >>> from gddim_tf.samplers import RK45
      >>> from gddim_tf.sdes import VPSDE
      >>> import tensorflow as tf
      >>> RK45(max_steps=1).solve(VPSDE(), lambda u, t: tf.sin(50 * u), tf.ones([1, 2]))
      Traceback (most recent call last):
        ...
      gddim_tf.samplers.errors.StepLimitError: ...
    """
