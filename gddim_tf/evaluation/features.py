"""Feature extractors: what turns images into the activations that distances compare."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from gddim_tf.data.pixels import from_uint8
from gddim_tf.digest import digest
from gddim_tf.evaluation.classifier_file import FEATURE_LAYER
from gddim_tf.evaluation.digits_classifier import load_digits_classifier
from gddim_tf.evaluation.fashion_classifier import load_fashion_classifier
from gddim_tf.evaluation.random_features import RandomFeatures
from gddim_tf.extras import missing

INCEPTION_HANDLE = "https://tfhub.dev/tensorflow/tfgan/eval/inception/1"
_INCEPTION_SIZE = 299


class FeatureExtractor:
    """A frozen classifier: features from its last hidden layer, and its logits.

    Any object with these attributes that is called like this one serves as an extractor.

    Args:
        name: see the attribute.
        resize: see the attribute.
        shapes: the image shapes [height, width, channels] that are accepted; None is any size.
        network: uint8 images to (features, logits), both of rank 2 or more.

    Attributes:
        name: what the numbers depend on, with a fingerprint of the weights: distances are
            comparable between extractors of one name.
        dimension: number of features.
        resize: how images are brought to the size that the network takes.
    """

    def __init__(
        self,
        name: str,
        resize: str,
        shapes: tuple[tuple[int | None, int | None, int], ...],
        network: Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]],
    ) -> None:
        self.name = name
        self.resize = resize
        self._shapes = shapes
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

    def logits(self, images: ArrayLike) -> np.ndarray:
        """Logits of images, float32 [batch, classes]; arguments and errors as for the features."""
        return self._run(images, 1)

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


class ClassifierFeatures(FeatureExtractor):
    """The features of a small classifier of images in [-1, 1].

    Args:
        name: of the kind, to which a fingerprint of the weights is added.
        classifier: a model with a layer "features", and logits as output.
    """

    def __init__(self, name: str, classifier: keras.Model) -> None:
        features = classifier.get_layer(FEATURE_LAYER).output
        network = keras.Model(classifier.inputs, [features, classifier.outputs[0]])
        weights = (weight.tobytes() for weight in classifier.get_weights())
        super().__init__(
            name=f"{name}-{digest(weights)[:8]}",
            resize="none",
            shapes=(classifier.input_shape[1:],),
            network=lambda images: network(from_uint8(images), training=False),
        )


class DigitsFeatures(ClassifierFeatures):
    """The 64 features of the digits classifier that comes with the package.

    Args:
        path: another file of the classifier, see `load_digits_classifier`.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        super().__init__("digits", load_digits_classifier(path))


class FashionFeatures(ClassifierFeatures):
    """The 64 features of the classifier of 28x28 clothes that comes with the package.

    Args:
        path: another file of the classifier, see `load_fashion_classifier`.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        super().__init__("fashion", load_fashion_classifier(path))


class InceptionFeatures(FeatureExtractor):
    """The 2048 pool features of the Inception network that TF-GAN's FID is defined by.

    Images are resized to 299 x 299 by TensorFlow 1's bilinear filter (no half-pixel centres, no
    antialiasing), as in the graphs that the published numbers come from; grey images become three
    equal channels.

    Args:
        path: a SavedModel folder that is called with float images [batch, 299, 299, 3] in [-1, 1]
            and returns "pool_3" and "logits"; None fetches (or finds in the cache) the one of
            TensorFlow Hub.

    Raises:
        ConnectionError: if the network of TensorFlow Hub cannot be fetched.
        ImportError: if `tensorflow_hub` is needed and cannot be imported.
        ValueError: if the folder holds no such SavedModel.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        folder = _fetch_inception() if path is None else os.fspath(path)
        if not tf.saved_model.contains_saved_model(folder):
            raise ValueError(f"`path` must be a SavedModel folder, received {folder!r}")
        inception = tf.saved_model.load(folder)
        side = _INCEPTION_SIZE
        outputs = inception(tf.zeros([1, side, side, 3])) if callable(inception) else None
        if not isinstance(outputs, Mapping) or not {"pool_3", "logits"} <= outputs.keys():
            raise ValueError(
                "`path` must be a SavedModel that is called with images and returns `pool_3` and "
                f"`logits`, received {folder!r}"
            )

        def network(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            # The operation with TensorFlow 1's conventions, which `tf.image.resize` does not offer.
            resized = tf.raw_ops.ResizeBilinear(images=from_uint8(images), size=[side, side])
            coloured = tf.ensure_shape(resized * tf.ones([3]), [None, side, side, 3])
            outputs = inception(coloured)
            return outputs["pool_3"], outputs["logits"]

        super().__init__(
            name=f"inception-{digest(_contents(folder))[:8]}",
            resize=f"bilinear-tf1-{side}",
            shapes=((None, None, 3), (None, None, 1)),
            network=network,
        )


def feature_extractor(name: str) -> FeatureExtractor | RandomFeatures:
    """Make an extractor by name.

    Args:
        name: "digits", "fashion" or "inception", or one of them with a path: "digits:FILE",
            "fashion:FILE", "inception:FOLDER"; or "random".

    Returns:
        The extractor.

    Raises:
        ValueError: for another name.
    """
    kind, _, path = name.partition(":")
    if name == "random":
        return RandomFeatures()
    kinds = {"digits": DigitsFeatures, "fashion": FashionFeatures, "inception": InceptionFeatures}
    if kind not in kinds:
        raise ValueError(
            "`name` must be 'digits', 'fashion' or 'inception', alone or followed by a colon and a "
            f"path, or 'random', received {name!r}"
        )
    return kinds[kind](path or None)


def _fetch_inception() -> str:
    """Folder of TensorFlow Hub's Inception network, fetched unless it is in the cache."""
    try:
        import tensorflow_hub
    except ImportError as error:
        raise missing("evaluation", "Inception of TensorFlow Hub", error) from error
    try:
        return tensorflow_hub.resolve(INCEPTION_HANDLE)
    except OSError as error:
        raise ConnectionError(
            f"Inception cannot be fetched from {INCEPTION_HANDLE} ({error}): download it where "
            "there is a network, and name its folder, --features inception:FOLDER or "
            "InceptionFeatures(FOLDER); --features random needs no network"
        ) from error


def _contents(folder: str) -> Iterable[bytes]:
    """What the numbers of a SavedModel depend on: its graph and its variables."""
    variables = tf.io.gfile.glob(os.path.join(folder, "variables", "*"))
    for file in [*tf.io.gfile.glob(os.path.join(folder, "saved_model.pb*")), *sorted(variables)]:
        yield tf.io.gfile.GFile(file, "rb").read()
