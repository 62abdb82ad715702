"""Draw, measure, and keep what is finished: the one way from a sampler to its numbers."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import warnings

from gddim_tf.atomic import atomic_write
from gddim_tf.data.pictures import save_closest_pairs
from gddim_tf.digest import digest
from gddim_tf.evaluation.measures import MEASURES, Comparison
from gddim_tf.evaluation.reference import Reference
from gddim_tf.evaluation.report import Result
from gddim_tf.models import GenerativeModel
from gddim_tf.models.generation import (
    Generated,
    Job,
    claim,
    described,
    even_labels,
    generate,
)
from gddim_tf.reading import DamagedFileError
from gddim_tf.samplers import NotFiniteError, StepLimitError


class Runner:
    """A model, the real images to compare with, and the folder of what is finished.

    Args:
      model: whatever knows eps.
      reference: the real images.
      directory: gets `images/`, a folder per sampler, budget and seed, and `measured/`, a file per
        result. Neither is made again if it is there; a result that lacks a number of `MEASURES` is
        measured again from the images.
      batch_size: images per pass.
      workers: passes side by side.
      progress: show a progress bar.

    Examples:
      reference = Reference("digits", DigitsFeatures(), 8)
      Runner(model, reference, "runs/digits").run(Job(DDIM(), 20, 1500)).measures["frechet"]
    """

    def __init__(
        self,
        model: GenerativeModel,
        reference: Reference,
        directory: str | os.PathLike[str],
        *,
        batch_size: int = 500,
        workers: int = 1,
        progress: bool = True,
    ) -> None:
        self.model, self.reference = model, reference
        self._folder = pathlib.Path(directory)
        self._batch_size, self._workers, self._progress = batch_size, workers, progress
        self.made_by = described(model)

    def run(self, job: Job) -> Result:
        """The result of a job, from the folder if it is finished.

        Args:
          job: what to draw.

        Returns:
          The numbers; of a sampler that diverged or took too many steps, that it did.

        Raises:
          ValueError: if the folder holds images of another model, there are too few images to
            measure, or the sampler cannot spend the budget.
        """
        self.reference.check_count(job.count)
        claim(self._images(job), job, self.made_by)
        result = self.finished(job)
        if result is None:
            result = self._made(job)
            with atomic_write(self._file(job)) as draft:
                draft.write_text(result.json())
        return result

    def finished(self, job: Job) -> Result | None:
        """The result of a job, if it is in the folder."""
        file = self._file(job)
        if not file.exists():
            return None
        try:
            return Result.read(file)
        except DamagedFileError as error:
            warnings.warn(f"{file} is damaged and measured again: {error}", stacklevel=3)
            return None

    def generated(self, job: Job) -> Generated:
        """The images of a job, from the folder if they are there."""
        return generate(
            self.model,
            job,
            self._images(job),
            batch_size=self._batch_size,
            workers=self._workers,
            progress=self._progress,
        )

    def save_closest_pairs(self, job: Job, path: str | os.PathLike[str]) -> None:
        """A picture of the images of a job that are closest to training images, beside those."""
        images, training = self.generated(job).images, self.reference.training
        report = self.reference.memorisation(images)
        if report is None or training is None:
            raise ValueError(f"{self.reference.dataset} has no unseen images to compare with")
        mine, theirs = report.closest_pairs.T
        distances = report.generated_distances[mine]
        save_closest_pairs((images[mine], training[theirs]), distances, path)

    def _made(self, job: Job) -> Result:
        result = Result(
            sampler=str(job.sampler),
            arguments=repr(job.sampler),
            nfe=job.nfe,
            spent=job.nfe,
            count=job.count,
        )
        try:
            made = self.generated(job)
        except NotFiniteError:
            return dataclasses.replace(result, failed="diverged")
        except StepLimitError:
            return dataclasses.replace(result, failed="too many steps")
        labels = even_labels(self.model, job.count)
        seen = Comparison(self.reference, made.images, labels, self.model.num_classes)
        return dataclasses.replace(
            result,
            spent=round(made.nfe),
            seconds=made.seconds,
            measures=seen.measures(),
            verdict=seen.verdict,
        )

    def _images(self, job: Job) -> pathlib.Path:
        return self._folder / "images" / job.name

    def _file(self, job: Job) -> pathlib.Path:
        measured = f"{self.reference.identity} {[measure.name for measure in MEASURES]}"
        name = f"{job.name}-{job.count}-{digest([measured.encode()])[:8]}.json"
        return self._folder / "measured" / name
