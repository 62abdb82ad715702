"""Guidance: how a draw is led to a class, by what, how strongly, and at which noise levels."""

from gddim_tf.models.guidance.directions import Classifier, Unlabelled, Worse
from gddim_tf.models.guidance.guided import Guidance, Guided
from gddim_tf.models.guidance.schedules import Cosine, Interval, Linear

__all__ = [
    "Classifier",
    "Cosine",
    "Guidance",
    "Guided",
    "Interval",
    "Linear",
    "Unlabelled",
    "Worse",
]
__dir__ = __all__.copy  # what editors complete
