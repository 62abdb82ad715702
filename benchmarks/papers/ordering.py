"""An inequality between two places of a table."""

from __future__ import annotations

import dataclasses
from typing import Literal

# Why an ordering may not show: both sides have converged; noise makes up for errors of the network;
# the features do not see what is left of the noise. A `Subject` has the words.
Reason = Literal["converged", "noise", "hidden"]

# A place in a table: its row and its column.
Place = tuple[str, int]


@dataclasses.dataclass(frozen=True)
class Ordering:
    """`d(better) <= factor d(worse)`, where d is the Frechet distance.

    Attributes:
      table: where both are.
      better: row and column.
      worse: row and column.
      factor: 1 for "beats"; 1.25 for "comes within 25 % of".
      why: the reason, if it does not hold on small images.
      telling: whether its paper is known for it: then its places are made first, and compared with
        all seeds, whatever the column.
    """

    table: str
    better: Place
    worse: Place
    factor: float = 1.0
    why: Reason | None = None
    telling: bool = False

    def __str__(self) -> str:
        relation = "beats" if self.factor == 1 else f"is within {self.factor - 1:.0%} of"
        return f"{_told(self.better)} {relation} {_told(self.worse)}"

    @property
    def places(self) -> tuple[Place, Place]:
        """Both places."""
        return self.better, self.worse

    @property
    def largest(self) -> int:
        """The larger column of the two."""
        return max(column for _, column in self.places)


def _told(place: Place) -> str:
    return f"{place[0]} at {place[1]}"
