"""Images of a TensorFlow Datasets data set, read from disk and never downloaded on the way."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tensorflow as tf

from gddim_tf.data.data_info import DataInfo
from gddim_tf.data.file_digest import digest_of_files
from gddim_tf.data.pixels import fit_to
from gddim_tf.data.source import Selection

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

_silence = threading.RLock()


@dataclass(frozen=True)
class TFDSSource:
    """A data set that TFDS prepares once and then reads from records on disk.

    Attributes:
      name: the TFDS name, `dataset` or `dataset/config`.
      image_size: default side of the square images.
      channels: channels of the images.
      splits: the names of the splits, each with its size where the package itself fixes it.
      flip: see `DataInfo.flip`.
      class_names: names of the classes; empty if there is no label.
      box: (top, left, height, width) of the part of each image to keep; None keeps the largest
        centred square.
      generated: True if the images come with an installed package, so that preparing the set takes
        seconds and no network, and `images` may do it unasked.
      obstacle: why `prepare` cannot download the set; empty if it can.
      data_dir: folder of the TFDS data sets; None is `GDDIM_TF_DATA_DIR` or else TFDS's default.
    """

    name: str
    image_size: int
    channels: int
    splits: Mapping[str, int | None]
    flip: bool | None
    class_names: tuple[str, ...] = ()
    box: tuple[int, int, int, int] | None = None
    generated: bool = False
    obstacle: str = ""
    data_dir: str | os.PathLike | None = None

    def info(self) -> DataInfo:
        """Return the data set's facts, with the sizes of the splits that are on disk."""
        splits = self.splits
        if None in splits.values():
            prepared = self._builder().info.splits
            splits = {s: prepared[s].num_examples if s in prepared else None for s in splits}
        return DataInfo(
            name=self.name,
            image_size=self.image_size,
            channels=self.channels,
            num_classes=len(self.class_names),
            splits=splits,
            flip=self.flip,
            class_names=self.class_names,
            stored_size=self._stored_size(),
        )

    def _stored_size(self) -> tuple[int, int] | None:
        if self.generated:
            return self.image_size, self.image_size
        if self.box is not None:
            return None
        height, width = self._builder().info.features["image"].shape[:2]
        return (height, width) if height and width else None

    def prepare(self) -> str:
        """Write the data set to disk, downloading it if it needs that, and return its folder.

        Safe to call from several processes at once: each writes to a folder of its own, the first
        to finish renames it into place, and the others use that one.

        Raises:
          ConnectionError: if the data set must be downloaded and the network does not answer.
          FileNotFoundError: if it is not on disk and cannot be downloaded.
          ValueError: if the source of a generated data set is not the expected one.
        """
        import requests
        import tensorflow_datasets as tfds

        builder = self._builder()
        if self.obstacle and not builder.data_path.exists():
            raise FileNotFoundError(self._how_to_prepare(builder))
        try:
            with _quiet() if self.generated else nullcontext():
                builder.download_and_prepare()
        except (requests.exceptions.ConnectionError, tfds.core.download.DownloadError) as error:
            raise ConnectionError(
                f"data set {self.name!r} could not be downloaded to {builder.data_dir}: {error}"
            ) from error
        except OSError:
            if not self._builder().data_path.exists():
                raise
        return str(builder.data_dir)

    def fingerprint(self) -> str:
        """See `data.fingerprint`."""
        folder = Path(self._prepared_builder().data_path)
        files = sorted(file for file in folder.glob("*") if file.is_file())
        told = [self.name, *self.class_names, str(self.box)]
        told += [f"{file.name} {file.stat().st_size}" for file in files]
        described = [file for file in files if file.suffix == ".json"]
        return digest_of_files(folder, described, told)

    def count(self, split: str) -> int | None:
        """Return the number of images in a split or part of one, None if it is not on disk."""
        splits = self._prepared_builder().info.splits
        return max(splits[split].num_examples, 0) if splits else None  # below 0 for "train[9:3]"

    def images(self, wanted: Selection) -> tf.data.Dataset:
        """See `Source.images`; splits are TFDS's, "train[:10%]" too, and a seed orders the files.

        Raises:
          FileNotFoundError: if the data set is not on disk and would have to be downloaded.
        """
        import tensorflow_datasets as tfds

        builder = self._prepared_builder()
        (index, count), seed = wanted.shard, wanted.shuffle_seed
        try:
            examples = builder.as_dataset(
                split=tfds.even_splits(wanted.split, n=count)[index] if count > 1 else wanted.split,
                shuffle_files=seed is not None,
                read_config=tfds.ReadConfig(
                    shuffle_seed=seed, try_autocache=False, enable_ordering_guard=False
                ),
            )
        except AssertionError:
            if builder.data_path.exists():
                raise
            raise FileNotFoundError(self._how_to_prepare(builder)) from None

        def to_pair(example: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
            label = tf.cast(example["label"], tf.int32) if self.class_names else tf.constant(0)
            return fit_to(example["image"], wanted.image_size, self.box), label

        pairs = examples.map(to_pair, num_parallel_calls=tf.data.AUTOTUNE)
        return pairs.cache() if wanted.in_memory else pairs

    def _builder(self) -> tfds.core.DatasetBuilder:
        import tensorflow_datasets as tfds

        from gddim_tf.data import digits, photo_patches  # noqa: F401  (importing registers them)

        data_dir = self.data_dir or os.environ.get("GDDIM_TF_DATA_DIR")
        if data_dir is not None:  # may be a bucket, gs://..., so no pathlib
            data_dir = os.path.expanduser(os.fspath(data_dir))
        return tfds.builder(self.name, data_dir=data_dir)

    def _prepared_builder(self) -> tfds.core.DatasetBuilder:
        builder = self._builder()
        if self.generated and not builder.data_path.exists():
            self.prepare()
            builder = self._builder()
        return builder

    def _how_to_prepare(self, builder: tfds.core.DatasetBuilder) -> str:
        missing = f"data set {self.name!r} is not in {builder.data_dir}"
        elsewhere = "set the environment variable GDDIM_TF_DATA_DIR to the folder"
        if self.obstacle:
            return (
                f"{missing} and cannot be downloaded, because {self.obstacle}: unpack its images "
                f"and use `folder:PATH`, or {elsewhere} where TFDS has written it"
            )
        return (
            f"{missing}: where there is network, run `gddim-tf prepare {self.name} --data-dir "
            f"{builder.data_dir_root}`, or {elsewhere} that holds it"
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep TFDS's progress bars and announcements off the screen for a second or two."""
    # One thread at a time: two that swap the streams at once would not both put them back.
    with _silence, redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        yield
