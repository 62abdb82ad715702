"""The tolerance with which RK45 takes about a budget."""

from __future__ import annotations

import functools
import json
import math
import pathlib

import numpy as np

from gddim_tf.atomic import atomic_write
from gddim_tf.models import GenerativeModel
from gddim_tf.models.drawing import draw
from gddim_tf.models.generation import even_labels
from gddim_tf.reading import read_json
from gddim_tf.samplers import RK45, StepLimitError

# Powers of ten where a tolerance is looked for, and how often the last two are halved.
_EXPONENTS = tuple(float(exponent) for exponent in np.arange(0.5, -6.1, -0.25))
_HALVINGS = 3
_MOST_STEPS = 1000
_TRIAL_IMAGES = 100


class Tolerances:
    """Of one model, each kept once it is found.

    Args:
      model: whatever knows eps.
      path: the file in which they are kept.
    """

    def __init__(self, model: GenerativeModel, path: pathlib.Path) -> None:
        self._model, self._path = model, path
        kept = read_json(path, "a file of tolerances") if path.exists() else {}
        self._found: dict[int, float] = {int(nfe): tolerance for nfe, tolerance in kept.items()}
        self._spent = functools.cache(self._measured)

    def known(self, nfe: int) -> RK45 | None:
        """The solver for a budget, if its tolerance has been found."""
        return solver(self._found[nfe]) if nfe in self._found else None

    def find(self, nfe: int) -> RK45:
        """The solver that takes about a budget, on a hundred images.

        Of four tolerances per decade from 3 down to 1e-6, and of eight times as many where the
        budget is passed, it has the one that comes nearest to the budget; the loosest of several.
        """
        if nfe not in self._found:
            self._found[nfe] = self._nearest(nfe)
            with atomic_write(self._path) as draft:
                draft.write_text(json.dumps(self._found) + "\n")
        return solver(self._found[nfe])

    def _nearest(self, nfe: int) -> float:
        tried = []
        for exponent in _EXPONENTS:
            tried.append(exponent)
            if self._spent(exponent) >= nfe:
                break
        if len(tried) > 1:
            loose, tight = tried[-2:]
            for _ in range(_HALVINGS):
                middle = (loose + tight) / 2
                tried.append(middle)
                passed = self._spent(middle) >= nfe
                loose, tight = (loose, middle) if passed else (middle, tight)

        def miss(exponent: float) -> tuple[float, float]:
            return abs(math.log(self._spent(exponent) / nfe)), -exponent

        return 10 ** min(tried, key=miss)

    def _measured(self, exponent: float) -> float:
        """Evaluations at a tolerance, a power of ten."""
        labels = even_labels(self._model, _TRIAL_IMAGES)
        trial = draw(self._model, solver(10**exponent), 0, _TRIAL_IMAGES, labels=labels)
        try:
            return next(trial).nfe
        except StepLimitError:
            return math.inf


def solver(tolerance: float) -> RK45:
    """RK45 with this tolerance, relative and absolute, and at most a thousand steps."""
    return RK45(rtol=tolerance, atol=tolerance, max_steps=_MOST_STEPS)
