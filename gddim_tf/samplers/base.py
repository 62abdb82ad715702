"""What every sampler is: a frozen description that fills a table for an SDE and a budget."""

from __future__ import annotations

import abc
import dataclasses
import numbers

import numpy as np

from gddim_tf.samplers.errors import NotInvertibleError
from gddim_tf.samplers.first_step import from_no_signal, to_no_signal
from gddim_tf.samplers.grids import Grid, PowerGrid, check_grid
from gddim_tf.samplers.strength import starting_at
from gddim_tf.samplers.subject import Fingerprinted
from gddim_tf.samplers.table import Table
from gddim_tf.sdes import LinearSDE


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sampler(abc.ABC):
    """Base of the samplers: immutable, so that threads and requests can share one.

    A subclass gives `fill(sde, times)`, the rows of its method on a grid, and, where one step costs
    more or less than one network evaluation, `steps_of(nfe)`.

    Args:
      grid: from the SDE and a number of steps to a decreasing list of times.

    Examples:
      >>> from gddim_tf.samplers import DDIM
      >>> isinstance(DDIM(), Sampler)
      True
    """

    grid: Grid = dataclasses.field(default=PowerGrid(2.0))

    def table(self, sde: LinearSDE, nfe: int) -> Table:
        """The table that takes the prior at `t_max` to the data in exactly `nfe` evaluations.

        Only a grid that leaves out empty steps (`SubsequenceGrid("quadratic")`) makes fewer.

        Args:
          sde: any linear diffusion.
          nfe: the budget of network evaluations, at least 1.

        Returns:
          A table with `nfe` rows.

        Raises:
          ValueError: if the method cannot spend exactly this budget; the message says which are
            possible. Or if the network would be asked before `sde.t_earliest`.
        """
        times = self._grid_of(sde, nfe)
        at_start = sde.signal_free and times[0] == sde.t_max
        table = from_no_signal(sde, times, self.fill) if at_start else self.fill(sde, times)
        return self._late_enough(sde, table)

    def table_from(self, sde: LinearSDE, start: float, nfe: int) -> Table:
        """The table that takes states at an earlier time than `t_max` to the data.

        Args:
          sde: any linear diffusion.
          start: where the grid begins, in (t_min, t_max].
          nfe: the budget of network evaluations.

        Returns:
          A table with `nfe` rows.

        Raises:
          ValueError: as `table`, or if the sampler has times of its own.
        """
        if start >= sde.t_max:
            return self.table(sde, nfe)
        return self._late_enough(sde, self.fill(sde, self._grid_of(starting_at(sde, start), nfe)))

    @staticmethod
    def _late_enough(sde: LinearSDE, table: Table) -> Table:
        """The table, if it does not ask the network before its first label."""
        if table.time.min() < sde.t_earliest:
            raise ValueError(
                f"a grid on {type(sde).__name__} must not ask the network before t = "
                f"{sde.t_earliest:g}, its first label, received t = {table.time.min():g}"
            )
        return table

    def table_for(self, model: Fingerprinted, nfe: int, guidance: object = None) -> Table:
        """`table` for a model and its guidance; samplers that are made for others warn."""
        return self.table(model.sde, nfe)

    def encode(self, sde: LinearSDE, nfe: int) -> Table:
        """The table of the same method on the reversed grid, from the data to the noise.

        It starts at `sde.t_first`, before which no network was trained: so does the grid, and times
        that it has before are left out (the data at the end of a sub-sequence or a list), with
        which the table has fewer rows than `nfe`.

        Raises:
          ValueError: if the sampler cannot spend the budget on this diffusion.
          NotInvertibleError: for a sampler that draws noise, or a method without a reverse.
        """
        first = sde.t_first
        times = self._grid_of(sde.until(first), nfe)[::-1]
        if times[0] < first:
            later = times > first * (1 + 1e-6)  # the grid may miss it by a rounding
            times = np.concatenate([[first], times[later]])
        try:
            at_end = sde.signal_free and check_grid(times)[-1] == sde.t_max
            table = to_no_signal(sde, times, self.fill) if at_end else self.fill(sde, times)
        except ValueError as error:
            raise NotInvertibleError(f"{self} cannot be inverted here: {error}") from error
        if table.stochastic:
            raise NotInvertibleError(
                f"{self} cannot be inverted here: encoding needs a deterministic sampler"
            )
        return table

    def _grid_of(self, sde: LinearSDE, nfe: int) -> np.ndarray:
        """The times of a budget; the step from or to a time without signal takes one evaluation."""
        nfe = check_nfe(nfe)
        if not callable(self.grid):
            raise TypeError(f"`grid` must be one, such as PowerGrid(2.0), received {self.grid!r}")
        if not sde.signal_free:
            return self.times(sde, self.steps_of(nfe))
        try:
            return self.times(sde, 1 + (self.steps_of(nfe - 1) if nfe > 1 else 0))
        except ValueError as error:
            raise ValueError(
                f"{error}, and beside these 1 where {type(sde).__name__} has no signal, received "
                f"{nfe} in all"
            ) from error

    def steps_of(self, nfe: int) -> int:
        """How many grid steps a budget makes; one per evaluation unless a method says otherwise."""
        return nfe

    def times(self, sde: LinearSDE, steps: int) -> np.ndarray:
        """The times that `fill` gets: the grid, unless a method needs another end."""
        return self.grid(sde, steps)

    def __str__(self) -> str:
        """The name and the arguments that differ from their defaults."""
        changed = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in dataclasses.fields(self)
            if getattr(self, field.name) != field.default
        ]
        return type(self).__name__ + (f"({', '.join(changed)})" if changed else "")

    @abc.abstractmethod
    def fill(self, sde: LinearSDE, times: np.ndarray) -> Table:
        """The rows of the method on a grid `[steps + 1]`."""


def check_nfe(nfe: int) -> int:
    """The budget as an int.

    Raises:
      ValueError: unless it is a whole number of at least 1.
    """
    if isinstance(nfe, bool) or not isinstance(nfe, numbers.Real) or nfe % 1 != 0 or nfe < 1:
        raise ValueError(f"`nfe` must be a whole number of at least 1, received {nfe!r}")
    return int(nfe)
