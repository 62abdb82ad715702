import pytest

from gddim_tf.reading import DamagedFileError
from gddim_tf.sealed import read_seal, write_seal


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
