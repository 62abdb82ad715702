"""What the comparison in equal minutes refuses before it trains."""

import sys

import pytest

from benchmarks import side_by_side


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ours", "--minutes", "0"], "`--minutes` must be finite, above 0, received 0"),
        (["ours", "--minutes", "nan"], "`--minutes` must be finite, above 0, received nan"),
        (["ours", "--count", "0"], "`--count` must be at least 1, received 0"),
        (["grids", "--count", "0"], "`--count` must be at least 1, received 0"),
        (["ours", "--nfe", "-1"], "`--nfe` must be at least 1, received -1"),
        (["ours", "--precision", "float8"], "`precision` must be one of .*received float8"),
        (["ours", "--data", "idx:nowhere"], "IDX folder nowhere does not exist"),
        (["measure"], "holds no images: `ours` draws some"),
    ],
)
def test_what_cannot_be_meant(arguments, message, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["side_by_side.py", *arguments, "--out", str(tmp_path)])
    with pytest.raises((ValueError, OSError), match=message):
        side_by_side.main()
