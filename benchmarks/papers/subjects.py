"""The data sets that the tables are made on: their models, and what is said of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from benchmarks.papers.ordering import Reason

KINDS = ("vp", "cld", "bdm")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Subject:
    """A data set.

    Attributes:
      told: in the document, "the digits that come with the package".
      models: paths by kind, below the current folder; none come with most data sets.
      published: whether the published figures stand beside ours, to compare orders.
      small: whether its networks are so small that a pass per core, side by side, is faster.
      count: images per seed of a place in the tables.
      seeds: how many.
      long: columns from which on there are fewer images and one seed, as `Plan` has them.
      reasons: why a published ordering may not show on it.
    """

    told: str
    models: Mapping[str, str] = dataclasses.field(default_factory=dict)
    published: bool = False
    small: bool = False
    count: int = 2000
    seeds: int = 3
    long: tuple[tuple[int, int], ...] = ((1000, 1000),)
    reasons: Mapping[Reason, str] = dataclasses.field(default_factory=dict)


DIGITS = Subject(
    told="the digits that come with the package",
    models={kind: f"saved_models/digits_{kind}" for kind in KINDS},
    published=True,
    small=True,
    reasons={
        "converged": "Both have converged: what is left is the error of the network, below the "
        "distance that as many real images, drawn independently, would have. Digits of 8 x 8 "
        "pixels have little that needs small steps.",
        "noise": "On digits stochastic samplers need 50 to 100 evaluations, where CIFAR-10 needs "
        "1000; and once their steps are short, fresh noise makes up for errors of the network "
        "that the probability flow keeps, however exactly gDDIM follows it.",
        "hidden": "Sigma-hat leaves too much noise in the images. Large Inception networks on "
        "colour images see what is left of it; a small classifier of 8 x 8 digits, most of whose "
        "pixels are black or white, does not once the steps are short.",
    },
)

FASHION = Subject(
    told="clothes of 28 x 28 pixels",
    models={kind: f"saved_models/fashion_{kind}" for kind in KINDS},
    published=True,
    count=250,
    seeds=6,
    long=((50, 250), (1000, 100)),  # two or three hours of drawing on two cores
)

CIFAR10 = Subject(told="CIFAR-10", published=True)

# By the name of the data set or, for files of one's own, of the features that take their images.
SUBJECTS = {
    "digits": DIGITS,
    "fashion_mnist": FASHION,
    "fashion": FASHION,
    "cifar10": CIFAR10,
}


def subject_of(dataset: str, features: str) -> Subject:
    """What is known of a data set.

    Args:
      dataset: a name that `data.load` knows.
      features: a name that `feature_extractor` knows.
    """
    known = SUBJECTS.get(dataset) or SUBJECTS.get(features.partition(":")[0])
    return known or Subject(told=dataset)
