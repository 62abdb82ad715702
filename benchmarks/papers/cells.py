"""One cell of a table: a sampler at a budget on one of the models, from one seed."""

from __future__ import annotations

import dataclasses

from gddim_tf.samplers import Sampler


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cell:
    """What is drawn and measured.

    Attributes:
      kind: key of the model.
      sampler: how, or ADAPTIVE.
      nfe: budget.
      count: images.
      seed: of all of them; image i depends on `(seed, i)` alone.
    """

    kind: str
    sampler: Sampler | str
    nfe: int
    count: int
    seed: int
