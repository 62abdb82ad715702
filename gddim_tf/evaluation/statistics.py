"""Mean and covariance of activations, gathered batch by batch, with where they come from.

Fifty thousand images with 2048 features need 0.8 GB as a matrix and 34 MB as statistics.
"""

from __future__ import annotations

import dataclasses
import json
import os

import numpy as np

from gddim_tf.atomic import atomic_write
from gddim_tf.digest import arrays_digest
from gddim_tf.numerics.moments import Moments
from gddim_tf.reading import read_arrays, reading


@dataclasses.dataclass(frozen=True)
class Provenance:
    """What a set of activation statistics was computed from.

    Attributes:
      data_set: name of the data set.
      split: such as "train".
      number: how many images.
      extractor: `name` of the feature extractor.
      resize: `resize` of the feature extractor.

    Examples:
      >>> Provenance("cifar10", "train", 50_000, "inception-1a2b", "bilinear-tf1-299").number
      50000
    """

    data_set: str
    split: str
    number: int
    extractor: str
    resize: str


class ActivationStatistics(Moments):
    """Running count, mean and scatter matrix of activations in float64, with where they come from.

    Args:
      dimension: number of features per image.

    Attributes:
      count: number of images so far.
      mean: [dimension].
      provenance: what the statistics were loaded from, None for freshly gathered ones.

    Examples:
      >>> statistics = ActivationStatistics(1)
      >>> statistics.update([[0.0], [1.0]])
      >>> statistics.update([[2.0]])
      >>> statistics.count, statistics.mean.item(), statistics.covariance.item()
      (3, 1.0, 1.0)
    """

    def __init__(self, dimension: int) -> None:
        super().__init__(dimension)
        self.provenance: Provenance | None = None

    @classmethod
    def of(cls, activations: np.ndarray) -> ActivationStatistics:
        """The statistics of all rows of `[count, dimension]`."""
        statistics = cls(activations.shape[1])
        statistics.update(activations)
        return statistics

    def check_comparable(self, real: ActivationStatistics) -> None:
        """Raise a ValueError if these and those of real images are of different features."""
        if real.dimension != self.dimension:
            raise ValueError(
                f"`fake` must have the dimension of `real`, {real.dimension}, received "
                f"{self.dimension}"
            )
        if real.provenance is None or self.provenance is None:
            return
        for field in ("extractor", "resize"):
            mine, other = getattr(self.provenance, field), getattr(real.provenance, field)
            if mine != other:
                raise ValueError(
                    f"`fake` must come from the same features as `real`: `{field}` is {mine!r}, "
                    f"and {other!r} for `real`"
                )

    def _merge(self, count: int, mean: np.ndarray, scatter: np.ndarray) -> None:
        super()._merge(count, mean, scatter)
        self.provenance = None

    def save(self, path: str | os.PathLike[str], provenance: Provenance) -> None:
        """Write the statistics and where they come from into one `.npz` file, atomically.

        Args:
          path: the file, ending in `.npz`.
          provenance: what the activations were computed from.

        Raises:
          ValueError: if `path` has another ending, or `provenance.number` is not `count`.
        """
        if not os.fspath(path).endswith(".npz"):
            raise ValueError(f"`path` must end in .npz, received {os.fspath(path)!r}")
        if provenance.number != self.count:
            raise ValueError(
                f"`provenance.number` must be the number of images seen, {self.count}, "
                f"received {provenance.number}"
            )
        with atomic_write(path) as draft:
            told = json.dumps(dataclasses.asdict(provenance))
            np.savez(
                draft,
                mean=self.mean,
                scatter=self._scatter,
                provenance=np.array(told),
                sha256=np.array(arrays_digest([self.mean, self._scatter], told)),
            )

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], expected: Provenance | None = None
    ) -> ActivationStatistics:
        """Read statistics back, and refuse them if they are not the ones that were asked for.

        Args:
          path: a file written by `save`.
          expected: what the statistics must come from; None accepts anything, and the caller looks
            at `provenance`.

        Raises:
          FileNotFoundError: if there is no such file.
          ValueError: if the file is damaged or something else, or its provenance differs from
            `expected`; the message names the fields that differ.
        """
        what = "a file of activation statistics"
        arrays = read_arrays(path, what)
        with reading(path, what):
            mean, scatter, told = arrays["mean"], arrays["scatter"], str(arrays["provenance"])
            whole = str(arrays["sha256"]) == arrays_digest([mean, scatter], told)
            provenance = Provenance(**json.loads(told))
        if mean.ndim != 1 or scatter.shape != 2 * mean.shape:
            raise ValueError(
                f"{path} is damaged: a mean of shape {mean.shape} beside a scatter matrix of shape "
                f"{scatter.shape}"
            )
        if not whole:
            raise ValueError(
                f"{path} is damaged: its numbers are not those that it was written with"
            )
        differences = [
            f"`{field}` is {getattr(provenance, field)!r}, asked for {asked!r}"
            for field, asked in vars(expected or provenance).items()
            if getattr(provenance, field) != asked
        ]
        if differences:
            raise ValueError(f"{path} holds other statistics: {'; '.join(differences)}")
        statistics = cls(len(mean))
        statistics._merge(provenance.number, mean, scatter)
        statistics.provenance = provenance
        return statistics
