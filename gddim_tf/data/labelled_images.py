"""What TFDS is told of a data set of labelled images that comes with an installed package."""

from __future__ import annotations

import tensorflow_datasets as tfds


def labelled_images(
    builder: tfds.core.DatasetBuilder,
    shape: tuple[int, int, int],
    label: tfds.features.ClassLabel,
    description: str,
    homepage: str,
) -> tfds.core.DatasetInfo:
    """Images kept losslessly and in the order of their source, each with a class.

    Args:
      builder: of the data set.
      shape: `(height, width, channels)` of an image.
      label: the classes.
      description: of the data set.
      homepage: where it is from.
    """
    image = tfds.features.Image(shape=shape, encoding_format="png")
    return tfds.core.DatasetInfo(
        builder=builder,
        description=description,
        homepage=homepage,
        features=tfds.features.FeaturesDict({"image": image, "label": label}),
        supervised_keys=("image", "label"),
        disable_shuffling=True,
    )
