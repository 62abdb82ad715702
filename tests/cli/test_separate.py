import numpy as np
import pytest
from PIL import Image

from gddim_tf import cli, models
from gddim_tf.cli.separate import write_each
from gddim_tf.outputs import Output, check_output
from tests.serving.conftest import labelled_model


def test_every_image_has_a_file_that_says_how_to_draw_it(tmp_path):
    images = np.linspace(-1, 1, 3 * 4 * 4, dtype=np.float32).reshape(3, 4, 4, 1)
    names = ("a/b", "two words", "..")
    write_each(images, str(tmp_path / "each"), 7, np.array([0, 1, 3]), names)
    files = sorted(file.name for file in (tmp_path / "each").iterdir())
    assert files == ["seed7-0000-a_b.png", "seed7-0001-two_words.png", "seed7-0002-3.png"]
    with Image.open(tmp_path / "each" / files[2]) as picture:
        assert (picture.mode, picture.size) == ("L", (4, 4))
        np.testing.assert_array_equal(np.asarray(picture)[-1, -1], 255)
    write_each(np.repeat(images, 3, -1), str(tmp_path / "rgb"), 0, np.array(["x", "y", "z"]), ())
    assert Image.open(tmp_path / "rgb" / "seed0-0001-y.png").mode == "RGB"


def test_a_place_that_cannot_be_a_folder_is_named_before_anything_is_drawn(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    for folder in (file, file / "deeper"):
        with pytest.raises(ValueError, match="`--each` must be a folder"):
            check_output("--each", str(folder), Output.FOLDER)
    check_output("--each", str(tmp_path / "new" / "deeper"), Output.FOLDER)
    assert not (tmp_path / "new").exists()


def test_the_command(tmp_path, capsys):
    path = models.save(labelled_model(), tmp_path / "m.keras")
    options = ["sample", "--model", str(path), "--count", "3", "--nfe", "2", "--seed", "5"]
    files = ["--out", str(tmp_path / "all.png"), "--array", str(tmp_path / "all.npy")]
    each = tmp_path / "each"
    assert cli.main([*options, *files, "--labels", "2,0", "--each", str(each)]) == 0
    found = sorted(each.iterdir())
    assert [file.name for file in found] == [
        "seed5-0000-2.png",
        "seed5-0001-0.png",
        "seed5-0002-2.png",
    ]
    images = np.stack([np.asarray(Image.open(file))[..., None] for file in found])
    np.testing.assert_array_equal(images, np.load(tmp_path / "all.npy"))
    capsys.readouterr()
    wrong = ["--model", str(tmp_path / "none.keras"), "--each", str(path)]
    assert cli.main(["sample", *wrong]) == 2
    assert "`--each` must be a folder" in capsys.readouterr().err
