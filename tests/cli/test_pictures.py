import argparse

import numpy as np
import pytest
from PIL import Image

from gddim_tf.cli import pictures
from gddim_tf.cli.arguments import classes


def test_classes_are_numbers_or_names():
    assert classes("0, 9,-1") == [0, 9, -1]
    assert classes("cat, big dog") == ["cat", "big dog"]
    assert classes("1,cat") == ["1", "cat"]
    with pytest.raises(argparse.ArgumentTypeError, match="must be classes separated by commas"):
        classes("cat,,dog")


def test_titles():
    assert pictures.titles_of(None, ["a"]) is None
    assert pictures.titles_of([0], ["a"]) is None
    assert pictures.titles_of([1, 0, 7], ["cat", "dog"]) == ["dog", "cat", "7"]
    assert pictures.titles_of(["dog", "cat"], ()) == ["dog", "cat"]


@pytest.mark.parametrize("count", [3, 7, 12])
def test_each_class_has_a_column_whatever_the_count(tmp_path, count):
    chosen = [10, 200, 90]
    labels = pictures.labels_of(chosen, count)
    images = np.broadcast_to(np.uint8(labels)[:, None, None, None], (count, 48, 48, 3))
    pictures.write(images, tmp_path / "a.png", None, ["cat", "dog", "a very long name of a class"])
    picture = np.asarray(Image.open(tmp_path / "a.png"))
    rows = -(-count // 3)
    assert picture.shape == (16 + rows * 50 - 2, 3 * 50 - 2, 3)
    for column, level in enumerate(chosen):
        assert (picture[16 : 16 + 48, column * 50 : column * 50 + 48] == level).all()
        assert picture[:16, column * 50 : column * 50 + 48].min() < 128  # its title
    assert (picture[:, 48:50] == 255).all()
