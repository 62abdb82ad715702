import numpy as np
import pytest
import sklearn.datasets

from gddim_tf import data


@pytest.fixture(scope="module")
def source():
    bunch = sklearn.datasets.load_digits()
    return bunch.images, bunch.target


def read(split, data_dir):
    pairs = data.load("digits", split, labels=True, shuffle=False, data_dir=data_dir)
    images, labels = zip(*pairs.as_numpy_iterator(), strict=True)
    return data.to_uint8(np.stack(images)).numpy(), np.array(labels)


def test_splits_are_the_fifth_of_every_six_within_a_class_and_the_rest(data_dir, source):
    levels, labels = source
    expected = {"train": [], "test": []}
    seen = [0] * 10
    for index, label in enumerate(labels):
        expected["test" if seen[label] % 6 == 4 else "train"].append(index)
        seen[label] += 1
    assert (len(expected["train"]), len(expected["test"])) == (1500, 297)
    for split, indices in expected.items():
        images, classes = read(split, data_dir)
        np.testing.assert_array_equal(classes, labels[indices])
        np.testing.assert_array_equal(
            images[..., 0], [np.rint(levels[i] * 255 / 16) for i in indices]
        )
        assert set(classes) == set(range(10))


def test_info_agrees_with_what_is_on_disk(data_dir):
    info = data.info("digits", data_dir)
    assert (info.image_size, info.channels, info.num_classes, info.flip) == (8, 1, 10, False)
    assert info.class_names == tuple("0123456789")
    for split, count in info.splits.items():
        assert len(read(split, data_dir)[0]) == count


def test_altered_source_is_refused_and_nothing_is_written(monkeypatch, tmp_path, source):
    levels, labels = source
    altered = levels.copy()
    altered[100, 3, 3] += 1
    bunch = sklearn.utils.Bunch(images=altered, target=labels)
    monkeypatch.setattr(sklearn.datasets, "load_digits", lambda: bunch)
    with pytest.raises(ValueError, match=r"load_digits\(\) must have the SHA-256 87ff0c9e"):
        data.prepare("digits", tmp_path)
    assert not list(tmp_path.glob("**/*.tfrecord*"))


def test_losing_the_race_to_another_process_is_no_error(monkeypatch, tmp_path):
    load_digits = sklearn.datasets.load_digits

    def load_after_another_process_has_finished():
        monkeypatch.setattr(sklearn.datasets, "load_digits", load_digits)
        data.prepare("digits", tmp_path)
        return load_digits()

    monkeypatch.setattr(sklearn.datasets, "load_digits", load_after_another_process_has_finished)
    folder = data.prepare("digits", tmp_path)
    assert len(read("test", tmp_path)[0]) == 297
    assert not list(tmp_path.glob("digits/*incomplete*")), f"left beside {folder}"


def test_errors_of_the_disk_are_not_taken_for_a_lost_race(tmp_path):
    (tmp_path / "digits").write_text("a file where the folder should go")
    with pytest.raises(OSError, match="digits"):
        data.prepare("digits", tmp_path)


def test_preparation_is_silent(tmp_path, capsys):
    data.prepare("digits", tmp_path)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")
