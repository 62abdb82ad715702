"""Data sets that TFDS has written and this package does not know."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gddim_tf.data.tfds_source import TFDSSource

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

_NAME = re.compile(r"\w+(?:/[\w.-]+)?")
_WITHOUT_SIZE = 64


@dataclass(frozen=True)
class PreparedSource(TFDSSource):
    """A data set that is on disk already, with one image and perhaps one class an example.

    Attributes:
      folder: of its version.
    """

    folder: str = ""

    @classmethod
    def find(cls, name: str, data_dir: str | os.PathLike | None) -> PreparedSource | None:
        """Look for a data set; nothing is downloaded, and none of its code is run.

        Args:
          name: the TFDS name, `dataset` or `dataset/config`.
          data_dir: folder of the TFDS data sets; None is TFDS's own.

        Returns:
          The source, None if there is no such data set on disk.

        Raises:
          ValueError: if its examples have no feature "image", or its images more channels.
        """
        folder = _folder(name, data_dir)
        if folder is None:
            return None
        import tensorflow_datasets as tfds

        try:
            info = tfds.builder_from_directory(folder).info
            features = dict(info.features.items())
        except Exception as error:  # TFDS and protocol buffers have kinds of their own
            raise ValueError(
                f"{folder} must be a data set of TFDS, and is damaged: {error}"
            ) from error
        image, label = features.get("image"), features.get("label")
        is_image = image is not None and isinstance(image, tfds.features.Image)
        if image is None or not is_image or image.shape[-1] not in (1, 3):
            raise ValueError(
                f"data set {name!r} must have a feature `image` of 1 or 3 channels, received "
                f"{image or ', '.join(features)}"
            )
        known = [side for side in image.shape[:2] if side]
        labelled = isinstance(label, tfds.features.ClassLabel)
        return cls(
            name=name,
            image_size=min(known) if known else _WITHOUT_SIZE,
            channels=image.shape[-1],
            splits={split: part.num_examples for split, part in info.splits.items()},
            flip=None,
            class_names=tuple(label.names) if label is not None and labelled else (),
            data_dir=data_dir,
            folder=str(folder),
        )

    def _builder(self) -> tfds.core.DatasetBuilder:
        import tensorflow_datasets as tfds

        return tfds.builder_from_directory(self.folder)


def _folder(name: str, data_dir: str | os.PathLike | None) -> Path | None:
    """The newest version of a data set on disk."""
    if not _NAME.fullmatch(name):
        return None
    import tensorflow_datasets as tfds

    root = data_dir or os.environ.get("GDDIM_TF_DATA_DIR") or tfds.core.constants.DATA_DIR
    place = Path(os.fspath(root)).expanduser() / name
    versions = [path.parent for path in place.glob("*/dataset_info.json")]
    if not versions and "/" not in name:  # the only configuration needs no name
        versions = [path.parent for path in place.glob("*/*/dataset_info.json")]
        if len({path.parent for path in versions}) > 1:
            raise ValueError(
                f"`name` must tell one of the configurations of {name}, received none: "
                f"{', '.join(sorted({f'{name}/{path.parent.name}' for path in versions}))}"
            )
    return max(versions, key=_version, default=None)


def _version(path: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", path.name))
