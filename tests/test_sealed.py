import pytest

from gddim_tf.sealed import DamagedFileError, read_json, read_seal, write_seal


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must hold JSON, received Expecting value"),
        (b"{", "must hold JSON"),
        (b"\xff\xfe", "must hold JSON"),
        (b"[" * 100_000, "must hold JSON, received maximum recursion depth"),
        (b"[1]", "must hold a JSON object, received a list"),
        (b"{}", "must have 'steps' of type int, received None"),
        (b'{"steps": "3"}', "must have 'steps' of type int, received '3'"),
        (b'{"steps": true}', "must have 'steps' of type int, received True"),
        (b" " * (2**24 + 1), "must hold at most 16777216 bytes"),
    ],
)
def test_whatever_is_not_the_object_is_one_named_error(tmp_path, content, message):
    path = tmp_path / "some.json"
    path.write_bytes(content)
    with pytest.raises(DamagedFileError, match=message) as caught:
        read_json(path, {"steps": int})
    assert str(path) in str(caught.value)
    path.write_text('{"steps": 3, "more": null}')
    assert read_json(path, {"steps": int}) == {"steps": 3, "more": None}


def test_a_seal_belongs_to_one_content(tmp_path):
    path = tmp_path / "some.bin"
    path.write_bytes(b"content")
    with pytest.raises(DamagedFileError, match=r"its seal some\.json is missing"):
        read_seal(path)
    write_seal(path, {"epoch": 3}, path)
    assert read_seal(path, {"epoch": int})["epoch"] == 3
    path.write_bytes(b"Content")
    with pytest.raises(DamagedFileError, match=r"is not the file that some\.json was written for"):
        read_seal(path)
