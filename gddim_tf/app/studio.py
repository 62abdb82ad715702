"""What the page draws, with every input bounded; it knows nothing of browsers."""

from __future__ import annotations

import functools
import re
import time
from typing import NamedTuple

import numpy as np

from gddim_tf.checks import SEED_RANGE, real, whole
from gddim_tf.models import GenerativeModel
from gddim_tf.samplers import Sampler
from gddim_tf.samplers.parse import chosen

# Network evaluations of the run that others are compared with, and the most of those.
FINE = 200
MOST_NFE = 100
MOST_GUIDANCE = 10.0
# What stands for labels in place of a class.
IN_TURN, NO_CLASS = "each in turn", "no class"
# Images of one draw, and their pixels.
_MOST_IMAGES, _MOST_PIXELS = 64, 2**18
# Long runs that are kept; each is as large as a draw.
_KEPT = 16
_LONGEST_NAME = 200


class Wish(NamedTuple):
    """What is drawn, whoever draws it.

    Attributes:
      seed: of the noise.
      count: images.
      label: the name of a class, `IN_TURN` or `NO_CLASS`; not looked at without classes.
      guidance: weight of the class, 1 is plain.
    """

    seed: int
    count: int
    label: str = IN_TURN
    guidance: float = 1.0


class Drawn(NamedTuple):
    """Images of a sampler.

    Attributes:
      images: `[count, height, width, C]`, in [-1, 1] up to the error of the network.
      nfe: network evaluations of each.
      seconds: for all, without the making of the graph.
      error: root mean square distance to the long run from the same noise; None for a sampler that
        draws further noise.
    """

    images: np.ndarray
    nfe: int
    seconds: float
    error: float | None


class Studio:
    """A model that draws for strangers: no text reaches a file, and every number has an end.

    Args:
      model: to draw with.

    Attributes:
      labels: what may be chosen as a label, empty without classes.
      most_images: of one draw.
    """

    def __init__(self, model: GenerativeModel) -> None:
        self.model = model
        height, width, _ = model.image_shape
        self.most_images = max(1, min(_MOST_IMAGES, _MOST_PIXELS // (height * width)))
        names = model.class_names or tuple(map(str, range(model.num_classes)))
        self._classes = {name: number for number, name in enumerate(names)}
        self.labels = [IN_TURN, *self._classes, NO_CLASS] if model.num_classes else []
        self._compiled: set[str] = set()
        self._kept = functools.lru_cache(_KEPT)(self._long_run)

    def draw(self, sampler: str, nfe: int, wish: Wish) -> Drawn:
        """Draw with a sampler, and compare with the long run.

        Args:
          sampler: written as in Python, "gddim(order=2)" or "default"; no file.
          nfe: network evaluations, 1 to `MOST_NFE`.
          wish: what to draw.

        Raises:
          ValueError, TypeError: if one of them is out of its range, or the sampler cannot spend the
            budget.
        """
        options = self._options(wish)
        method = self._sampler(sampler, whole("evaluations", nfe, 1, MOST_NFE))
        table = method.table_for(self.model, nfe)
        if repr(method) not in self._compiled:
            self.model.sample(1, method, nfe, **{**options, "labels": self._some_label(wish)})
            self._compiled.add(repr(method))
        start = time.perf_counter()
        images = self.model.sample(wish.count, method, nfe, **options)
        seconds = time.perf_counter() - start
        error = None if table.stochastic else _distance(images, self.long_run(wish))
        return Drawn(images, nfe, seconds, error)

    def long_run(self, wish: Wish) -> np.ndarray:
        """The images of `FINE` evaluations from the same noise, kept for the next comparison."""
        self._options(wish)
        return self._kept(wish)

    def fill(self, image: np.ndarray, unknown: np.ndarray, nfe: int, wish: Wish) -> np.ndarray:
        """Draw what is missing in an image, once for each image wished for.

        Args:
          image: `[height, width, C]` in [-1, 1].
          unknown: `[height, width]` bool, where to draw.
          nfe: network evaluations, 1 to `MOST_NFE`.
          wish: seed, count, label and guidance.

        Returns:
          `[count, height, width, C]`.
        """
        options = self._options(wish)
        images = np.broadcast_to(image, (wish.count, *self.model.image_shape))
        nfe = whole("evaluations", nfe, 1, MOST_NFE)
        return self.model.inpaint(np.clip(images, -1, 1), ~unknown, nfe=nfe, **options)

    def _long_run(self, wish: Wish) -> np.ndarray:
        return self.model.sample(wish.count, nfe=FINE, **self._options(wish))

    def _options(self, wish: Wish) -> dict:
        """The arguments of `sample` that a wish stands for, checked."""
        count = whole("images", wish.count, 1, self.most_images)
        options: dict = {"seed": whole("seed", wish.seed, *SEED_RANGE)}
        if not self.labels:
            return options
        guidance = real("guidance", wish.guidance, 0.0, MOST_GUIDANCE)
        if wish.label not in self.labels:
            names = ", ".join(self.labels)
            raise ValueError(f"`class` must be one of {names}, received {wish.label!r:.80}")
        if wish.label == IN_TURN:
            options["labels"] = np.arange(count) % self.model.num_classes
        else:
            options["labels"] = self._classes.get(wish.label, self.model.num_classes)
        return options if guidance == 1 else {**options, "guidance": guidance}

    def _some_label(self, wish: Wish) -> np.ndarray | None:
        """A label for a draw of a single image."""
        labels = self._options(wish).get("labels")
        return None if labels is None else np.ravel(labels)[:1]

    def _sampler(self, text: str, nfe: int) -> Sampler:
        """A sampler by its name and arguments; a path or a module is none here."""
        plain = isinstance(text, str) and len(text) <= _LONGEST_NAME
        if not plain or not re.fullmatch(r"\w+(\(.*\))?", text.strip(), re.DOTALL):
            raise ValueError(
                f"`sampler` must be a name or a call such as gddim(order=2), received {text!r:.80}"
            )
        return chosen(text, self.model.sde, nfe)


def _distance(images: np.ndarray, others: np.ndarray) -> float:
    return float(np.sqrt(np.mean((images - others) ** 2)))
