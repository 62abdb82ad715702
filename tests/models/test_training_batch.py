import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.models.training_batch import check_first_batch, check_images
from tests.conftest import own_model

SHAPE = (8, 8, 1)
IMAGES = np.linspace(-1, 1, 4 * 64, dtype=np.float32).reshape(4, *SHAPE)


def batches(*parts, size=2):
    return tf.data.Dataset.from_tensor_slices(parts if len(parts) > 1 else parts[0]).batch(size)


@pytest.mark.parametrize("wrap", [lambda x: x, tf.constant, batches])
@pytest.mark.parametrize(
    ("images", "message"),
    [
        (IMAGES * 127.5 + 127.5, "must be in .-1, 1., received pixels up to 255; divide by 127.5"),
        (IMAGES * 3, "must be in .-1, 1., received pixels up to 3"),
        (
            np.uint8(IMAGES),
            "must be float in .-1, 1. .*, received uint8",
        ),
        (IMAGES[:, :4], r"must be \[batch, 8, 8, 1\], received \(.*, 4, 8, 1\)"),
        (IMAGES[..., 0], r"must be \[batch, 8, 8, 1\], received \(.*8, 8\)"),
        (np.full_like(IMAGES, np.nan), "must be finite, received NaN or Inf"),
    ],
)
def test_images_that_cannot_be_meant(wrap, images, message):
    if wrap is batches and "pixels up to 255" in message:
        message = "must be in .-1, 1., received pixels up to"  # of the first batch
    with pytest.raises(ValueError, match=f"training images {message}"):
        check_first_batch(wrap(images), None, SHAPE, 0)


def test_a_data_set_without_batches():
    with pytest.raises(ValueError, match=r"received a single image \(8, 8, 1\); batch the data"):
        check_first_batch(tf.data.Dataset.from_tensor_slices(IMAGES), None, SHAPE, 0)
    with pytest.raises(ValueError, match="at least one batch, received none"):
        check_first_batch(batches(IMAGES).take(0), None, SHAPE, 0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((255 * np.abs(IMAGES)).tolist(), "must be in .-1, 1., received pixels up to 255"),
        ({"image": IMAGES}, r"must be \[batch, 8, 8, 1\], received"),
        (tf.data.Dataset.from_tensors({"image": IMAGES}), "must be an array, received dict"),
        ((batch for batch in ()), "must be an array, received NoneType"),
        (IMAGES[:0], r"must be \[batch, 8, 8, 1\], received none"),
        (None, r"must be \[batch, 8, 8, 1\], received"),
        ("images", r"must be \[batch, 8, 8, 1\], received"),
    ],
    ids=["list", "dict", "data set of dicts", "empty generator", "empty", "none", "text"],
)
def test_other_kinds_of_images(given, message):
    with pytest.raises(ValueError, match=f"training images {message}"):
        check_first_batch(given, None, SHAPE, 0)


def test_images_that_seem_to_be_in_0_to_1_are_warned_of():
    with pytest.warns(UserWarning, match="no pixel below 0; take 2 x - 1"):
        check_first_batch(np.abs(IMAGES), None, SHAPE, 0)


@pytest.mark.filterwarnings("error")
def test_what_is_right_is_taken_in_silence():
    check_first_batch(1.4 * IMAGES, None, SHAPE, 0)
    check_first_batch(IMAGES, np.array([0, 1, 2, 3]), SHAPE, 3)  # 3 means none of them
    check_first_batch(batches(IMAGES, np.zeros((4, 1))), None, SHAPE, 3)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "for a network of 3 classes, received images alone; give .images, labels."),
        (np.eye(4, 3), r"received one-hot rows \(2, 3\); take their argmax"),
        (np.array([1, 4, 0, 0]), "received 1 to 4"),
        (np.array([-1, 2, 0, 0]), "received -1 to 2"),
        (np.array([0.5, 2, 0, 0]), r"received float64 \(2,\) for 2 images"),
        (np.array(["a", "b", "c", "d"]), r"received .* \(2,\) for 2 images"),
        (np.array([True, False, True, True]), r"received bool \(2,\) for 2 images"),
    ],
)
def test_labels_that_cannot_be_meant(labels, message):
    given = batches(IMAGES) if labels is None else batches(IMAGES, labels)
    wanted = r"training labels must be whole numbers \[batch\] in \[0, 3\]"
    with pytest.raises(ValueError, match=f"{wanted}.*{message}"):
        check_first_batch(given, None, SHAPE, 3)


def test_a_graph_checks_the_pixels_that_python_does_not_see():
    check = tf.function(lambda images: check_images(images, SHAPE, "`images`"))
    np.testing.assert_array_equal(check(IMAGES), IMAGES)
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be finite"):
        check(np.inf * IMAGES)


def test_the_first_batch_of_a_generator_is_not_lost():
    def batches():
        yield IMAGES, np.arange(4)
        yield 0 * IMAGES, np.arange(4)

    given = list(check_first_batch(batches(), None, SHAPE, 3))
    np.testing.assert_array_equal(given[0][0], IMAGES)
    assert len(given) == 2
    with pytest.raises(ValueError, match="received images alone"):
        check_first_batch((images for images in [IMAGES]), None, SHAPE, 3)


def test_a_pipeline_that_shuffles_itself_trains_without_a_warning(recwarn):
    model = own_model()
    model.compile("sgd")
    batch = tf.data.Dataset.from_tensors(np.full((2, 8, 8, 1), -0.5, np.float32))
    model.fit(batch, verbose=0)
    assert not [warning for warning in recwarn if "shuffle" in str(warning.message)]


@pytest.mark.parametrize(
    "unseen", [(255 * IMAGES,), 255 * IMAGES, batches(255 * IMAGES), (255 * IMAGES, None)]
)
def test_validation_images_are_looked_at_before_training(unseen):
    model = own_model()
    model.compile("adam")
    with pytest.raises(ValueError, match="received pixels up to 255"):
        model.fit(IMAGES, validation_data=unseen, verbose=0)
    assert model.steps_done == 0
