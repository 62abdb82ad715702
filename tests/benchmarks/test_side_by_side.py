"""What the comparison in equal minutes refuses before it trains."""

import json
import pathlib
import sys

import numpy as np
import pytest
from PIL import Image

from benchmarks import side_by_side

DIGITS = str(pathlib.Path(__file__).parents[2] / "saved_models" / "digits_vp")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ours", "--minutes", "0"], "`--minutes` must be finite, above 0, received 0"),
        (["ours", "--minutes", "nan"], "`--minutes` must be finite, above 0, received nan"),
        (["ours", "--count", "3"], "`--count` must be at least 4, received 3"),
        (["grids", "--count", "0"], "`--count` must be at least 4, received 0"),
        (["ours", "--nfe", "-1"], "`--nfe` must be at least 1, received -1"),
        (["ours", "--precision", "float8"], "`precision` must be one of .*received float8"),
        (["prepare", "--data", "digits"], "`--data` must .* digits of 8 x 8 x 1 and 10$"),
        (["ours", "--data", "folder:PICTURES"], "`--data` must .* of 28 x 28 x 3 and 0$"),
        (["grids", "--model", DIGITS], "`--model` must .* of 8 x 8 x 1 and 10$"),
        (["ours", "--data", "idx:nowhere"], "IDX folder nowhere does not exist"),
        (["measure"], "holds no images: `ours` draws some"),
    ],
)
def test_what_cannot_be_meant(arguments, message, tmp_path, monkeypatch):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    Image.new("RGB", (28, 28)).save(pictures / "a.png")
    arguments = [argument.replace("PICTURES", str(pictures)) for argument in arguments]
    monkeypatch.setattr(sys, "argv", ["side_by_side.py", *arguments, "--out", str(tmp_path)])
    with pytest.raises((ValueError, OSError), match=message):
        side_by_side.main()


def test_files_are_numbered_after_the_last_and_all_are_found(tmp_path):
    def write(side):
        side_by_side.write(tmp_path, side, "DDIM", np.zeros((1, 28, 28, 1), np.uint8), 1, 0.5)

    for _ in range(12):
        write("gddim_tf")
    write("diffusers")
    (tmp_path / "gddim_tf-3.npz").unlink()
    write("gddim_tf")
    np.savez(tmp_path / "train.npz", images=0)
    np.savez(tmp_path / "gddim_tf-old.npz", images=0)
    numbers = [number for number in range(13) if number != 3]
    names = [path.name for path in side_by_side.drawn_by("*", tmp_path)]
    assert names == ["diffusers-0.npz", *(f"gddim_tf-{number}.npz" for number in numbers)]
    with np.load(tmp_path / "gddim_tf-12.npz") as kept:
        assert json.loads(str(kept["told"]))["side"] == "gddim_tf"
