"""A callback that measures the samples of a model while it trains."""

from __future__ import annotations

from gddim_tf.evaluation.distances import frechet_distance_from_statistics
from gddim_tf.evaluation.extraction import extract_statistics
from gddim_tf.evaluation.features import feature_extractor
from gddim_tf.evaluation.reference import Reference
from gddim_tf.image_size import compact
from gddim_tf.models.sample_grid import SampleMonitor
from gddim_tf.samplers import Sampler


class FrechetMonitor(SampleMonitor):
    """Log the Frechet distance to real images every few epochs, under a name with the count.

    With 1,000 images the name is `frechet_1000`: distances from other numbers of images are not
    comparable. Put it before `CSVLogger`, `ModelCheckpoint(monitor="frechet_1000")` and others that
    read the logs; in epochs in between the log holds the last value.

    Args:
      dataset: a name that `data.load` knows.
      every: epochs between two distances; the last epoch always has one.
      count: generated images.
      sampler: `samplers.default(sde, nfe)` by default.
      nfe: network evaluations per image.
      features: a name that `feature_extractor` knows, such as "digits" or "inception:FOLDER".
      split: of the real images, all of which are used.

    Raises:
      ValueError: if `every` or `count` is below 1.

    Examples:
      >>> FrechetMonitor("digits", every=10, count=500).nfe
      20
    """

    def __init__(
        self,
        dataset: str,
        every: int = 10,
        count: int = 1000,
        sampler: Sampler | None = None,
        nfe: int = 20,
        features: str = "digits",
        split: str = "train",
    ) -> None:
        super().__init__(every, count, sampler, nfe)
        self.dataset, self.split, self.features = dataset, split, features
        self._value = float("nan")

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Look at the real images once."""
        size = compact(self.model.image_shape[:2])
        self._extractor = feature_extractor(self.features)
        self._real = Reference(self.dataset, self._extractor, size, self.split).statistics

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Measure, if it is time, and add the newest distance to the logs."""
        if self.due(epoch):
            fake = extract_statistics(self._extractor, self.samples(), progress=False)
            self._value = frechet_distance_from_statistics(self._real, fake)
        if logs is not None:
            logs[f"frechet_{self.count}"] = self._value
