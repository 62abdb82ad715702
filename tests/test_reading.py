"""Damaged files end in one error, which names the file."""

import json
import os
import struct
import zipfile
import zlib

import pytest

from gddim_tf.reading import LARGEST_JSON, DamagedFileError, read_json, reading


@pytest.mark.parametrize(
    "error",
    [
        ValueError("of\nlines"),
        KeyError("a"),
        IndexError("a"),
        AttributeError("a"),
        OverflowError("a"),
        RecursionError("a"),
        EOFError("a"),
        struct.error("a"),
        zipfile.BadZipFile("a"),
        zlib.error("a"),
        OSError("file signature not found"),
        json.JSONDecodeError("a", "b", 0),
    ],
)
def test_what_a_reader_raises_names_the_file(error):
    with (
        pytest.raises(DamagedFileError, match=r"^x\.keras must be a model, and is damaged") as told,
        reading("x.keras", "a model"),
    ):
        raise error
    assert "\n" not in str(told.value)
    assert told.value.__cause__ is error


def test_a_missing_file_is_not_a_damaged_one(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "none.json", "a description")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"3",
        b"null",
        b"\xff\xfe{}",
        b"[" * 10**5,
        b'{"a": ' * 10**5,
        b'{"a": ' + b"9" * 10**5 + b"}",
        b" " * (LARGEST_JSON + 1) + b"{}",
    ],
    ids=range(10),
)
def test_a_file_that_is_not_an_object_of_json(content, tmp_path):
    path = tmp_path / "description.json"
    path.write_bytes(content)
    with pytest.raises(DamagedFileError, match=r"description\.json must be a description"):
        read_json(path, "a description")
    path.write_text('{"a": 1}')
    assert read_json(os.fspath(path), "a description") == {"a": 1}


@pytest.mark.parametrize("steps", ["null", '"3"', "true", "3.0"])
def test_what_must_be_told_has_a_type(tmp_path, steps):
    path = tmp_path / "some.json"
    path.write_text(f'{{"steps": {steps}}}')
    with pytest.raises(DamagedFileError, match=r"some\.json must be a recipe.* 'steps' must be of"):
        read_json(path, "a recipe", {"steps": int})
    path.write_text('{"steps": 3, "more": null}')
    assert read_json(path, "a recipe", {"steps": int}) == {"steps": 3, "more": None}
