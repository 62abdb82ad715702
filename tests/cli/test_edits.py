"""`edit`, `inpaint` and `interpolate`, and what every command that draws refuses beforehand."""

import numpy as np
import pytest
from PIL import Image

import gddim_tf as gd
from gddim_tf import cli
from tests.conftest import own_model


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A model, a picture of its size, a larger one, and a mask whose upper half is white."""
    folder = tmp_path_factory.mktemp("edits")
    gd.save(own_model(), folder / "model.keras")
    levels = np.random.default_rng(0).integers(0, 256, (8, 8), np.uint8)
    Image.fromarray(levels).save(folder / "fits.png")
    Image.fromarray(levels.repeat(5, 0).repeat(3, 1)).save(folder / "large.png")
    mask = np.zeros((8, 8), np.uint8)
    mask[:4] = 255
    Image.fromarray(mask).save(folder / "mask.png")
    return folder


def run(files, *arguments):
    return cli.main([*arguments, "--model", str(files / "model.keras"), "--nfe", "2"])


def test_a_single_picture_goes_in_and_comes_out(files, tmp_path, capsys):
    fits, out = str(files / "fits.png"), str(tmp_path / "out.png")
    inpaint = ["inpaint", "--image", fits, "--mask", str(files / "mask.png"), "--out", out]
    assert run(files, *inpaint) == 0
    before, after = (np.asarray(Image.open(name).convert("L")) for name in (fits, out))
    np.testing.assert_array_equal(after[:4], before[:4])
    assert (after[4:] != before[4:]).any()
    assert "50% of each picture is drawn" in capsys.readouterr().out
    array = str(tmp_path / "out.npy")
    edit = ["edit", "--image", fits, str(files / "large.png"), "--count", "3", "--array", array]
    assert run(files, *edit, "--strength", "0.4", "--out", out) == 0
    told = capsys.readouterr().out
    assert "large.png of 24 x 40 pixels is cut to its middle and resized to 8 x 8" in told
    assert "fits.png" not in told
    assert Image.open(out).size == (3 * 50 - 2, 2 * 50 - 2)
    model = gd.load(files / "model.keras")
    image = before[None, ..., None].astype(np.float32) / 127.5 - 1
    expected = model.edit(image.repeat(3, 0), 0.4, nfe=2)
    levels = np.clip((expected + 1) * 127.5, 0, 255)
    np.testing.assert_allclose(np.load(array)[:3], levels, atol=1.01)


def test_a_way_from_one_picture_to_another(files, tmp_path, capsys):
    pictures = ["--image", str(files / "fits.png"), str(files / "mask.png")]
    array = tmp_path / "way.npy"
    out = ["--out", str(tmp_path / "way.png"), "--array", str(array)]
    assert run(files, "interpolate", *pictures, "--steps", "3", *out) == 0
    assert "3 images, both ends among them" in capsys.readouterr().out
    frames = np.load(array)
    for frame, name in ((frames[0], "fits.png"), (frames[-1], "mask.png")):
        np.testing.assert_array_equal(frame[..., 0], np.asarray(Image.open(files / name)))


@pytest.mark.parametrize("command", ["sample", "edit", "inpaint", "interpolate", "client"])
def test_files_are_looked_at_before_anything_is_drawn(command, files, tmp_path, capsys):
    fits, mask = str(files / "fits.png"), str(files / "mask.png")
    inputs = {
        "sample": ["--model", "nowhere"],
        "client": ["--model", "m", "--address", "localhost:1", "--signature", "sample_2"],
        "edit": ["--model", "nowhere", "--image", fits],
        "inpaint": ["--model", "nowhere", "--image", fits, "--mask", mask],
        "interpolate": ["--model", "nowhere", "--image", fits, mask],
    }[command]
    for options, message in (
        (["--out", str(tmp_path)], "`--out` must end in .png or another of "),
        (["--out", str(tmp_path / "noending")], "`--out` must end in .png or another of "),
        (["--out", str(tmp_path / "a.xyz")], "`--out` must end in .png or another of "),
        (["--out", str(files / "fits.png" / "a.png")], "`--out` must lie in a folder"),
        (
            ["--out", str(tmp_path / "a.png"), "--array", str(tmp_path)],
            "`--array` must be a file, received the folder",
        ),
    ):
        assert cli.main([command, *inputs, *options]) == 2
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1, error
    (tmp_path / "folder.png").mkdir()
    assert cli.main([command, *inputs, "--out", str(tmp_path / "folder.png")]) == 2
    assert "`--out` must be a file, received the folder" in capsys.readouterr().err


def test_what_cannot_be_meant_is_one_line(files, tmp_path, capsys):
    fits, out = str(files / "fits.png"), ["--out", str(tmp_path / "a.png")]
    (tmp_path / "text.png").write_text("no picture")
    for arguments, message in (
        (["edit", "--image", fits, "--strength", "2"], "`strength` must be finite, above 0"),
        (["edit", "--image", fits, "--count", "0"], "`count` must be at least 1"),
        (["edit", "--image", str(tmp_path / "text.png")], "must be a readable PNG"),
        (["edit", "--image", str(tmp_path / "none.png")], "none.png"),
        (["inpaint", "--image", fits, "--mask", str(tmp_path / "text.png")], "readable PNG"),
        (["edit", "--image", fits, "--strength", "0"], "`strength` must be finite, above 0"),
        (["edit", "--image", fits, "--strength", "nan"], "`strength` must be finite, above 0"),
        (["edit", "--image", fits, "--seed", str(2**40)], "`seed` must be a whole number"),
        (["edit", "--image", fits, "--batch-size", "0"], "`batch_size` must be at least 1"),
        (["edit", "--image", fits, "--sampler", "paint"], "`sampler` must be one of"),
        (["edit", "--image", str(tmp_path)], str(tmp_path)),
        (["inpaint", "--image", fits, "--mask", str(tmp_path / "none.png")], "none.png"),
        (["inpaint", "--image", fits, "--mask", fits, "--guidance", "2"], "`labels` must be"),
        (["interpolate", "--image", fits, fits, "--sampler", "ddim(eta=1)"], "deterministic"),
        (["interpolate", "--image", fits, fits, "--steps", "1"], "`steps` must be at least 2"),
        (
            ["edit", "--image", fits, "--guidance-interval", "0.1,2"],
            "`--guidance-interval` needs the weight `--guidance`, received none",
        ),
        (
            ["edit", "--image", fits, "--guidance", "2", "--guidance-interval", "2,1"],
            "`high` must be above `low`",
        ),
        (["edit", "--image", fits, "--labels", "3"], "`labels` must be None for a model without"),
    ):
        assert run(files, *arguments, *out) == 2
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1, error
    for arguments, message in (
        (["edit", "--guidance-interval", "1"], "must be two numbers separated by a comma"),
        (["edit", "--strength", "half"], "argument --strength: invalid float value: 'half'"),
        (["interpolate"], "argument --image: expected 2 arguments"),
    ):
        with pytest.raises(SystemExit) as stop:
            run(files, *arguments, "--image", fits)
        assert stop.value.code == 2
        assert message in capsys.readouterr().err


def test_pictures_of_other_kinds_are_taken(files, tmp_path):
    """Colour becomes grey, a hole white; any size is fitted."""
    levels = np.random.default_rng(1).integers(0, 256, (8, 8, 4), np.uint8)
    pictures = {
        "colour": Image.fromarray(levels[..., :3]),
        "alpha": Image.fromarray(levels),
        "palette": Image.fromarray(levels[..., :3]).quantize(4),
        "deep": Image.fromarray(levels[..., 0].astype(np.uint16) * 257),
        "black and white": Image.fromarray(levels[..., 0]).convert("1"),
        "dot": Image.fromarray(levels[:1, :1, 0]),
        "line": Image.fromarray(levels[:1, :, 0].repeat(40, 1)),
    }
    for name, picture in pictures.items():
        picture.save(tmp_path / f"{name}.png")
    paths = [str(tmp_path / f"{name}.png") for name in pictures]
    array = tmp_path / "all.npy"
    out = ["--out", str(tmp_path / "all.png"), "--array", str(array)]
    mask = str(tmp_path / "white.png")
    Image.new("L", (1, 1), 255).save(mask)  # all is known
    assert run(files, "inpaint", "--image", *paths, "--mask", mask, *out) == 0
    assert np.load(array).shape == (len(pictures), 8, 8, 1)
