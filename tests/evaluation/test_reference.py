import numpy as np
import pytest
from PIL import Image

from gddim_tf import data, evaluation
from gddim_tf.data.pixels import as_uint8
from gddim_tf.data.split import Split
from gddim_tf.evaluation.measures import Comparison
from gddim_tf.evaluation.reference import Reference, quietly
from gddim_tf.evaluation.statistics import ActivationStatistics


@pytest.fixture(scope="module")
def extractor():
    return evaluation.DigitsFeatures()


@pytest.fixture(scope="module")
def reference(extractor):
    return Reference("digits", extractor, 8)


def digits(split):
    batches = data.load("digits", split, batch_size=500, shuffle=False).as_numpy_iterator()
    return np.concatenate([as_uint8(batch) for batch in batches])


class Colours:
    """A user's own extractor."""

    name, resize, dimension = "colours", "none", 3

    def __call__(self, images):
        return np.float32(images).mean(axis=(1, 2))


def test_distances_are_those_of_the_activations(reference, extractor):
    train, test = extractor(digits("train")), extractor(digits("test"))
    expected = quietly(evaluation.frechet_distance, train, test)
    assert reference.floor == pytest.approx(expected, rel=1e-7)
    fake = 255 - digits("test")[:60]
    measured = Comparison(reference, fake).measures()
    expected = quietly(evaluation.frechet_distance, train, extractor(fake))
    assert measured["frechet"] == pytest.approx(expected, rel=1e-6)
    expected = evaluation.kernel_distance(train, extractor(fake))
    assert measured["kernel"] == pytest.approx(expected, rel=1e-6)
    expected = evaluation.precision_recall(train, extractor(fake))
    assert (measured["precision"], measured["recall"]) == expected
    expected = quietly(evaluation.inception_score, extractor.logits(fake))
    assert measured["inception_score"] == pytest.approx(expected, rel=1e-6)
    # the splits have equal shares of the classes, so they differ by less than independent draws
    assert 0 < reference.floor < reference.chance(297)
    assert reference.kernel_floor == pytest.approx(evaluation.kernel_distance(train, test))
    assert reference.kernel_floor < 0
    assert reference.settings()["real against real"] == (
        f"{reference.floor:.2f}, the Frechet distance of the 297 images of split test to the "
        f"reference; kernel distance {reference.kernel_floor:.2g}"
    )


def test_a_kernel_distance_from_some_of_the_images_is_of_all_kinds(extractor, monkeypatch):
    monkeypatch.setattr("gddim_tf.evaluation.real_images.KERNEL_IMAGES", 100)
    images, labels = next(iter(data.load("digits", batch_size=1500, labels=True, shuffle=False)))
    order = np.argsort(labels, kind="stable")
    fake = as_uint8(images.numpy())[order]  # sorted by class, like the files of a folder
    measured = Comparison(Reference("digits", extractor, 8), fake).measures()
    train = extractor(fake)
    assert abs(measured["kernel"]) < 0.1 * evaluation.kernel_distance(train, train[:100])


def test_images_are_looked_at_in_small_batches(monkeypatch):
    sizes = []

    class Watched(Colours):
        dimension = 1

        def __call__(self, images):
            sizes.append(len(images))
            return super().__call__(images)

    reference = Reference("digits", Watched(), 8)
    measured = Comparison(reference, digits("test")).measures()
    # without logits there is no score
    assert set(measured) == {
        "frechet",
        "kernel",
        "precision",
        "recall",
        "median_ratio",
        "close_fraction",
    }
    assert sum(sizes) == 1500 + 297 + 1500
    assert max(sizes) == 64


def test_a_part_of_a_split(extractor, tmp_path):
    part = Reference("digits", extractor, 8, split="train[:100]", cache=tmp_path)
    assert (part.statistics.count, part.held_out, len(part.training)) == (100, "test", 1500)
    np.testing.assert_allclose(part.statistics.mean, extractor(digits("train")[:100]).mean(0), 1e-5)
    rest = Reference("digits", extractor, 8, "train[100:]", "train[:100]", cache=tmp_path)
    assert (rest.statistics.count, len(list(tmp_path.iterdir()))) == (1400, 2)
    assert rest.floor > 0
    assert rest.training is None  # nothing is known to be unseen
    again = Reference("digits", extractor, 8, split="train[:100]", cache=tmp_path)
    assert again.floor == part.floor
    with pytest.raises(ValueError, match="`split` of digits must be one of train, test"):
        Reference("digits", extractor, 8, split="trains")
    wrong = r"`held_out` \(--floor-split\) of digits must be one of train, test, received 'val'"
    with pytest.raises(ValueError, match=wrong):
        Reference("digits", extractor, 8, held_out="val")


@pytest.mark.parametrize("count", [0, 2, 3])
def test_too_few_images_are_refused(reference, count):
    with pytest.raises(ValueError, match=rf"at least 4, .* received {count} and 1500"):
        reference.check_count(count)
    reference.check_count(4)


def test_too_few_images_are_refused_before_real_ones_are_looked_at():
    class Blind(Colours):
        def __call__(self, images):
            raise AssertionError(f"{len(images)} images were looked at")

    with pytest.raises(ValueError, match=r"at least 4, .* received 3 and 1500"):
        Reference("digits", Blind(), 8, count=3)
    with pytest.raises(ValueError, match=r"at least 4, .* received 9 and 2"):
        Reference("digits", Blind(), 8, "train[:2]", count=9)


@pytest.mark.parametrize(
    ("split", "held_out"),
    [("train", "train"), ("train", "train[:50]"), ("test[:9]", "train[:5]+test[8:]")],
)
def test_a_second_split_inside_the_first_is_refused(extractor, split, held_out):
    with pytest.raises(ValueError, match="must share no image with `split` of digits") as error:
        Reference("digits", extractor, 8, split, held_out)
    assert str(error.value).startswith("`held_out` (--floor-split)")
    assert str(error.value).endswith(f"{held_out!r} beside {split!r}")


def test_a_second_split_of_one_image_has_no_distance(extractor):
    one = r"^`held_out` \(--floor-split\) must hold at least 2 images, .* received 'test\[:1\]'"
    with pytest.raises(ValueError, match=one):
        Reference("digits", extractor, 8, held_out="test[:1]")
    data.add("one_unseen", digits("train")[:20], test=digits("test")[:1])
    assert Reference("one_unseen", extractor, 8).held_out is None  # unless it is asked for


def test_copies_of_training_images_are_seen(reference):
    assert reference.memorisation(digits("train")[:50]).median_ratio == 0
    assert reference.memorisation(digits("test")).median_ratio == pytest.approx(1)


def test_many_unseen_images_are_thinned_out(extractor):
    data.add("many_unseen", digits("train")[:20], test=np.repeat(digits("test"), 10, axis=0))
    many = Reference("many_unseen", extractor, 8)
    assert len(many.unseen) == 1485  # every other one
    assert many.memorisation(digits("test")).median_ratio == pytest.approx(1)


def test_copies_are_seen_where_there_is_no_second_split(extractor):
    data.add("only_training", digits("train"))
    alone = Reference("only_training", extractor, 8)
    assert (alone.held_out, alone.unseen, len(alone.training)) == (None, None, 1500)
    assert alone.memorisation(digits("train")[:50]).median_ratio == 0
    assert 0.9 < alone.memorisation(digits("test")).median_ratio < 1.3


def test_the_splits_may_be_exchanged(reference, extractor):
    other = Reference("digits", extractor, 8, split="test")
    assert other.held_out == "train"
    assert other.floor == pytest.approx(reference.floor)
    np.testing.assert_array_equal(other.training, reference.training)
    np.testing.assert_array_equal(other.unseen, reference.unseen)


def test_statistics_are_kept_and_used(tmp_path, extractor, reference):
    first = Reference("digits", extractor, 8, cache=tmp_path)
    (path,) = tmp_path.glob("*.npz")
    other = ActivationStatistics(64)
    other.update(np.random.default_rng(0).standard_normal((1500, 64)))
    other.save(path, ActivationStatistics.load(path).provenance)
    # what the file says is believed, so the distance is now to the noise
    again = Reference("digits", extractor, 8, cache=tmp_path)
    fake = digits("test")
    assert Comparison(first, fake).measures()["frechet"] == pytest.approx(reference.floor)
    assert Comparison(again, fake).measures()["frechet"] > 5 * reference.floor
    path.rename(tmp_path / path.name.replace("train", "test"))
    with pytest.raises(ValueError, match="holds other statistics: `split` is 'train'"):
        Reference("digits", extractor, 8, split="test", cache=tmp_path)


@pytest.mark.parametrize(("names", "seen"), [("0123456789", 1.0), ("abcdefghij", None)])
def test_a_class_is_seen_by_a_classifier_of_these_classes_only(extractor, names, seen):
    images, labels = Split("digits", "train[:30]").labelled()
    data.add("ten_classes", (images, labels), (images[:9], labels[:9]), class_names=names)
    own = Reference("ten_classes", extractor, 8)
    measured = Comparison(own, images, labels, 10).measures()
    assert measured.get("agreement") == own.agreement_floor == seen


def test_a_folder_has_no_floor(tmp_path):
    for index in range(4):
        pixels = np.random.default_rng(index).integers(0, 255, (8, 8, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
    reference = Reference(f"folder:{tmp_path}", Colours(), 8)
    assert reference.floor is None
    told = reference.memorisation(reference.training)  # each left out in its turn
    assert told.median_ratio == 0 and len(told.held_out_distances) == 4
    assert "real against real" not in reference.settings()


def test_other_images_under_the_same_name_have_their_own_statistics(tmp_path, extractor):
    def pictures(level):
        (tmp_path / "set").mkdir(exist_ok=True)
        for index in range(3):
            image = np.full((8, 8), level + index, np.uint8)
            Image.fromarray(image).save(tmp_path / "set" / f"{index}.png")
        return Reference(f"folder:{tmp_path / 'set'}", extractor, 8, cache=tmp_path / "cache")

    dark, light = pictures(20).statistics.mean, pictures(200).statistics.mean
    assert np.abs(light - dark).max() > 1e-3
    np.testing.assert_array_equal(pictures(20).statistics.mean, dark)
    assert len(list((tmp_path / "cache").iterdir())) == 2
