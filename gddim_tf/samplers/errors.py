"""How sampling can fail, as errors that a caller can tell apart."""

from __future__ import annotations


class NotFiniteError(ValueError):
    """The network returned NaN or Inf; the message says where."""


class NotInvertibleError(ValueError):
    """A sampler has no way back from the data to the noise."""


class StepLimitError(ValueError):
    """An adaptive solver needs more steps than it may take."""
