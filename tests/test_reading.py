"""Damaged files end in one error, which names the file."""

import io
import json
import os
import struct
import tokenize
import zipfile
import zlib

import numpy as np
import pytest

from gddim_tf.reading import LARGEST_JSON, DamagedFileError, read_arrays, read_json, reading


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
        NotImplementedError("zip file version 12.8"),
        SyntaxError("a"),
        tokenize.TokenError("a"),
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


def test_an_error_that_names_the_file_tells_all():
    with pytest.raises(ValueError, match=r"^x\.pth is a bare pickle$"), reading("x.pth", "weights"):
        raise ValueError("x.pth is a bare pickle")


def test_a_fifo_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "some.json")
    with pytest.raises(DamagedFileError, match="must be a recipe, received no ordinary file"):
        read_json(tmp_path / "some.json", "a recipe")


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


def archive(path, **parts):
    """A zip file of arrays, or of bytes that claim to be some."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, part in parts.items():
            if not isinstance(part, bytes):
                np.lib.format.write_array(stream := io.BytesIO(), part)
                part = stream.getvalue()
            file.writestr(f"{name}.npy", part)
    return path


def claiming(text):
    """The header of an array with this description, and 64 bytes of data."""
    header = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(64)


def test_arrays_are_read_by_name(tmp_path):
    path = archive(tmp_path / "a.npz", x=np.arange(6).reshape(2, 3), text=np.array("é"), y=b"junk")
    arrays = read_arrays(path, "images", ("x", "text", "z"))
    assert list(arrays) == ["x", "text"]
    np.testing.assert_array_equal(arrays["x"], np.arange(6).reshape(2, 3))
    assert str(arrays["text"]) == "é"
    with pytest.raises(DamagedFileError, match=r"a\.npz must be images, and is damaged"):
        read_arrays(path, "images")


_LIES = {
    "much": "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }",
    "nothing": "{'descr': '|S0', 'fortran_order': False, 'shape': (1000000000000,), }",
    "less": "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }",
    "negative": "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -8), }",
    "objects": "{'descr': '|O', 'fortran_order': False, 'shape': (8,), }",
    "bracket": "{'descr': '<f8', 'fortran_order': False, 'shape': ((8,), }",
    "deep": "(" * 100,
}


@pytest.mark.parametrize("lie", _LIES)
def test_an_array_is_as_large_as_it_says(tmp_path, lie):
    path = archive(tmp_path / "a.npz", x=claiming(_LIES[lie]))
    with pytest.raises(DamagedFileError, match=r"a\.npz must be images, and is damaged"):
        read_arrays(path, "images")


def test_an_archive_that_unpacks_to_too_much_is_not_unpacked(tmp_path):
    path = archive(tmp_path / "a.npz", x=np.zeros(10**6))
    with pytest.raises(DamagedFileError, match="it unpacks to 8000128 bytes"):
        read_arrays(path, "images", largest=10**6)
