"""What turns images into the activations that distances compare."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike


class ImageFeatures:
    """A frozen function of images, compiled, with a name for what its numbers depend on.

    Args:
      name: what the numbers depend on, with a fingerprint of the weights.
      resize: how images are brought to the size that the network takes.
      shapes: the image shapes [height, width, channels] that are accepted; None is any size.
      network: uint8 images to outputs of rank 2 or more, the first of which are the features.

    Attributes:
      name: what the numbers depend on, with a fingerprint of the weights: distances are comparable
        between extractors of one name.
      dimension: number of features.
      resize: how images are brought to the size that the network takes.
    """

    def __init__(
        self,
        name: str,
        resize: str,
        shapes: Sequence[tuple[int | None, int | None, int]],
        network: Callable[[tf.Tensor], tuple[tf.Tensor, ...]],
    ) -> None:
        self.name, self.resize, self._shapes = name, resize, shapes
        sides = (set(column) for column in zip(*shapes, strict=True))
        signature = [None, *(side.pop() if len(side) == 1 else None for side in sides)]
        self._network = tf.function(network, [tf.TensorSpec(signature, tf.uint8)])
        probe = tf.zeros([1, *(side or 32 for side in shapes[0])], tf.uint8)
        self.dimension = int(tf.size(self._network(probe)[0]))

    def __call__(self, images: ArrayLike) -> np.ndarray:
        """Features of images.

        Args:
          images: uint8 [batch, height, width, channels].

        Returns:
          float32 [batch, dimension].

        Raises:
          TypeError: if the images are not uint8.
          ValueError: if their shape is not one that the network takes.
        """
        return self._run(images, 0)

    def _run(self, images: ArrayLike, output: int) -> np.ndarray:
        tensor = tf.convert_to_tensor(images)
        if tensor.dtype != tf.uint8:
            raise TypeError(f"`images` must be uint8, received {tensor.dtype.name}")
        shapes = [tf.TensorShape([None, *shape]) for shape in self._shapes]
        if not any(shape.is_compatible_with(tensor.shape) for shape in shapes):
            raise ValueError(
                f"`images` must have shape {' or '.join(map(str, shapes))} for {self.name}, "
                f"received {tensor.shape}"
            )
        return tf.reshape(self._network(tensor)[output], [len(tensor), -1]).numpy()


class FeatureExtractor(ImageFeatures):
    """A frozen classifier: features from its last hidden layer, and its logits.

    Any object with its attributes that is called like this one serves as an extractor.

    Args:
      name: what the numbers depend on, see `ImageFeatures`.
      resize: how images are brought to the size that the network takes.
      shapes: the image shapes [height, width, channels] that are accepted; None is any size.
      network: uint8 images to (features, logits), both of rank 2 or more.

    Examples:
      >>> means = lambda images: (tf.reduce_mean(tf.cast(images, tf.float32), [1, 2]),) * 2
      >>> extractor = FeatureExtractor("colours", "none", ((None, None, 3),), means)
      >>> extractor(np.full((1, 4, 4, 3), 7, np.uint8))
      array([[7., 7., 7.]], dtype=float32)
    """

    def logits(self, images: ArrayLike) -> np.ndarray:
        """Logits of images, float32 [batch, classes]; arguments and errors as for the features."""
        return self._run(images, 1)
