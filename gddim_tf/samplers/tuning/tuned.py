"""A sampler whose tables were fitted to a model."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import warnings
from collections.abc import Mapping

import numpy as np

from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.errors import NotInvertibleError
from gddim_tf.samplers.subject import Fingerprinted
from gddim_tf.samplers.table import Table
from gddim_tf.samplers.tuning import file
from gddim_tf.sdes import LinearSDE


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Tuned(Sampler):
    """Tables fitted to the network of one model, one for each of a few budgets; see `tune`.

    It knows no grid but its own, cannot be inverted, and refuses other diffusions and budgets. With
    other weights or another guidance than those it was fitted to it warns and samples.

    Args:
      budgets: number of evaluations -> the fitted table and how it came about.

    Raises:
      ValueError: if there is none.

    Examples:
      >>> import gddim_tf as gd
      >>> class Normal(gd.GenerativeModel):  # the exact model of standard normal pixels
      ...     sde, image_shape, num_classes = gd.sdes.VPSDE(), (2, 2, 1), 0
      ...     def eps(self, u, t, labels=None):
      ...         return self.sde.kernel(t)[1][..., None] * u
      ...     def fingerprint(self):
      ...         return "normal"
      >>> tuned = gd.samplers.tune(Normal(), nfe=3, count=32, evaluations=10)
      >>> Normal().sample(2, tuned, nfe=3).shape  # or a file: tuned.save("three.npz")
      (2, 2, 2, 1)
    """

    budgets: Mapping[int, file.Fitted]

    def __post_init__(self) -> None:
        if not self.budgets:
            raise ValueError("`budgets` must hold at least one table, received none")

    def table(self, sde: LinearSDE, nfe: int) -> Table:
        """The fitted table of a budget.

        Raises:
          ValueError: if there is none for this budget, or it was fitted under another diffusion.
        """
        if nfe not in self.budgets:
            known = ", ".join(map(str, sorted(self.budgets)))
            raise ValueError(f"`nfe` must be {known} for this tuned sampler, received {nfe}")
        fitted = self.budgets[nfe]
        signal, root = file.kernel_at(sde, fitted.table.time)
        same = signal.shape == fitted.signal.shape and np.allclose(signal, fitted.signal, 1e-6, 0)
        if not (same and np.allclose(root, fitted.root, 1e-6, 1e-9)):
            raise ValueError(
                f"`sde` must be the diffusion that the table was tuned for, "
                f"{fitted.record['sde']}, received {sde!r}"
            )
        return fitted.table

    def table_for(self, model: Fingerprinted, nfe: int, guidance: object = None) -> Table:
        """See `Sampler.table_for`; warns of other weights and of another guidance."""
        table, record = self.table(model.sde, nfe), self.budgets[nfe].record
        if model.fingerprint() != record["weights"]:
            warnings.warn(
                f"the sampler was tuned for the weights {record['weights']}, the model has "
                f"{model.fingerprint()}: tune it again for these",
                stacklevel=3,
            )
        own, used = (1.0 if w is None else w for w in (record["guidance"], guidance))
        if own != used:
            warnings.warn(
                f"the sampler was tuned for guidance {own} and is used with {used}: tune it "
                "again for this one",
                stacklevel=3,
            )
        return table

    def encode(self, sde: LinearSDE, nfe: int) -> Table:
        """Raises `NotInvertibleError`: the weights were fitted for one direction."""
        raise NotInvertibleError(f"{self} cannot be inverted: it is fitted from noise to data")

    def fill(self, sde: LinearSDE, times: np.ndarray) -> Table:
        """Raises `ValueError`: the times belong to the weights."""
        raise ValueError(f"{self} has times of its own, received a grid of {len(times)} times")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one budget to a `.npz` file, or all of them to a folder, `nfe_<n>.npz` each.

        Args:
          path: the file or folder.

        Raises:
          ValueError: if several budgets are to go to one file.
        """
        path = pathlib.Path(path)
        if path.suffix != ".npz":
            for nfe, fitted in self.budgets.items():
                file.write(path / f"nfe_{nfe}.npz", fitted)
        elif len(self.budgets) > 1:
            raise ValueError(f"`path` must be a folder for several budgets, received {path}")
        else:
            file.write(path, next(iter(self.budgets.values())))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Tuned:
        """Read what `save` wrote.

        Args:
          path: a file or a folder.

        Raises:
          FileNotFoundError: if there is no such thing.
          ValueError: if a file was cut, edited or is something else.
        """
        path = pathlib.Path(path)
        files = sorted(path.glob("nfe_*.npz")) if path.is_dir() else [path]
        if not files:
            raise FileNotFoundError(f"there are no tuned tables in {path}")
        return cls(budgets={len(f.table.time): f for f in map(file.read, files)})

    def __repr__(self) -> str:
        """The budgets, the weights and digits of the tables."""
        digests = {nfe: fitted.digest()[:8] for nfe, fitted in sorted(self.budgets.items())}
        weights = next(iter(self.budgets.values())).record["weights"]
        return f"Tuned(weights={weights!r}, tables={digests})"

    def __str__(self) -> str:
        """As `repr`."""
        return repr(self)
