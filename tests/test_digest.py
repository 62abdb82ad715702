import hashlib

from gddim_tf.digest import file_digest


def test_a_folder_is_the_sum_of_its_files(tmp_path):
    (tmp_path / "b").write_bytes(b"two")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "c").write_bytes(b"one")
    assert file_digest(tmp_path) == hashlib.sha256(b"onetwo").hexdigest()
    assert file_digest(tmp_path / "b") == hashlib.sha256(b"two").hexdigest()
