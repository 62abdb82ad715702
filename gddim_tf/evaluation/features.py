"""The feature extractors by name: small classifiers, Inception, random convolutions."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

import keras
import tensorflow as tf

from gddim_tf.data import FASHION_MNIST_CLASSES
from gddim_tf.data.pixels import from_uint8
from gddim_tf.digest import digest
from gddim_tf.evaluation.classifiers import (
    FEATURE_LAYER,
    load_digits_classifier,
    load_fashion_classifier,
)
from gddim_tf.evaluation.extractor import FeatureExtractor, ImageFeatures
from gddim_tf.extras import missing
from gddim_tf.networks.random_convolutions import RandomConvolutions

INCEPTION_HANDLE = "https://tfhub.dev/tensorflow/tfgan/eval/inception/1"
_INCEPTION_SIZE = 299


class ClassifierFeatures(FeatureExtractor):
    """The features of a small classifier of images in [-1, 1].

    Args:
      name: of the kind, to which a fingerprint of the weights is added.
      classifier: a model with a layer "features", and logits as output.
      class_names: of the logits; images of other classes are not asked for theirs.
    """

    def __init__(self, name: str, classifier: keras.Model, class_names: tuple[str, ...]) -> None:
        features = classifier.get_layer(FEATURE_LAYER).output
        network = keras.Model(classifier.inputs, [features, classifier.outputs[0]])
        weights = (weight.tobytes() for weight in classifier.get_weights())
        super().__init__(
            name=f"{name}-{digest(weights)[:8]}",
            resize="none",
            shapes=(classifier.input_shape[1:],),
            network=lambda images: network(from_uint8(images), training=False),
        )
        self.class_names = class_names


class DigitsFeatures(ClassifierFeatures):
    """The 64 features of the digits classifier that comes with the package.

    Args:
      path: another file of the classifier, see `load_digits_classifier`.

    Examples:
      >>> DigitsFeatures()(tf.zeros([2, 8, 8, 1], tf.uint8)).shape
      (2, 64)
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        super().__init__("digits", load_digits_classifier(path), tuple("0123456789"))


class FashionFeatures(ClassifierFeatures):
    """The 64 features of the classifier of 28x28 clothes that comes with the package.

    Args:
      path: another file of the classifier, see `load_fashion_classifier`.

    Examples:
      >>> FashionFeatures().dimension
      64
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        super().__init__("fashion", load_fashion_classifier(path), FASHION_MNIST_CLASSES)


class InceptionFeatures(FeatureExtractor):
    """The 2048 pool features of the Inception network that TF-GAN's FID is defined by.

    Images are resized to 299 x 299 by TensorFlow 1's bilinear filter (no half-pixel centres, no
    antialiasing), like in the graphs of the published numbers; grey images become three equal
    channels.

    Args:
      path: a SavedModel folder that is called with float images [batch, 299, 299, 3] in [-1, 1] and
        returns "pool_3" and "logits"; None fetches (or finds in the cache) TensorFlow Hub's.

    Raises:
      ConnectionError: if the network of TensorFlow Hub cannot be fetched.
      ImportError: if `tensorflow_hub` is needed and cannot be imported.
      ValueError: if the folder holds no such SavedModel.

    Examples:
      >>> InceptionFeatures("runs")  # where no network is
      Traceback (most recent call last):
        ...
      ValueError: `path` must be a SavedModel folder, received 'runs'
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        folder = _fetch_inception() if path is None else os.fspath(path)
        if not tf.saved_model.contains_saved_model(folder):
            raise ValueError(f"`path` must be a SavedModel folder, received {folder!r}")
        inception = tf.saved_model.load(folder)
        side = _INCEPTION_SIZE
        outputs = _answer(inception, tf.zeros([1, side, side, 3]))
        if not isinstance(outputs, Mapping) or not {"pool_3", "logits"} <= outputs.keys():
            raise ValueError(
                "`path` must be a SavedModel that is called with images and returns `pool_3` and "
                f"`logits`, received {folder!r}"
            )

        def network(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            # The operation with TensorFlow 1's conventions, which `tf.image.resize` does not offer.
            resized = tf.raw_ops.ResizeBilinear(images=from_uint8(images), size=[side, side])
            coloured = tf.ensure_shape(resized * tf.ones([3]), [None, side, side, 3])
            outputs = _answer(inception, coloured)
            return outputs["pool_3"], outputs["logits"]

        super().__init__(
            name=f"inception-{digest(_contents(folder))[:8]}",
            resize=f"bilinear-tf1-{side}",
            shapes=((None, None, 3), (None, None, 1)),
            network=network,
        )


class RandomFeatures(ImageFeatures):
    """What `RandomConvolutions` find in the cells of a picture, at three scales.

    No file is needed, for any size, grey or coloured. A distance in these features is about
    colours, edges and textures and where they are, not about what a picture shows: it is **not**
    the Frechet Inception distance, and no published number can be compared with it.
    `benchmarks/feature_orders.py` shows what it tells apart.

    Source of the idea: Naeem et al. 2020, "Reliable fidelity and diversity metrics for generative
    models", which looks at images with an untrained network.

    Args:
      width: filters of each layer.

    Examples:
      >>> RandomFeatures(width=4)(tf.zeros([2, 16, 8, 1], tf.uint8)).shape
      (2, 132)
    """

    def __init__(self, width: int = 16) -> None:
        network = RandomConvolutions(width)
        super().__init__(
            name=f"random-convolutions-{width}",
            resize="none",
            shapes=((None, None, 3), (None, None, 1)),
            network=lambda images: (network(from_uint8(images)),),
        )


def feature_extractor(name: str) -> FeatureExtractor | RandomFeatures:
    """Make an extractor by name.

    Args:
      name: "digits", "fashion" or "inception", or one of them with a path: "digits:FILE",
        "fashion:FILE", "inception:FOLDER"; or "random".

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


def _answer(network: Any, images: tf.Tensor) -> Any:
    """What a network from a file returns, None if it cannot be called."""
    return network(images) if callable(network) else None


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
