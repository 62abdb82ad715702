import pytest

from gddim_tf.atomic import atomic_write


def test_file_appears_whole_and_nothing_else(tmp_path):
    path = tmp_path / "new" / "result.txt"
    with atomic_write(path) as draft:
        assert draft.suffix == ".txt"
        draft.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]
    with atomic_write(path) as draft:
        draft.write_text("newer")
    assert path.read_text() == "newer"


def test_failure_leaves_the_older_file(tmp_path):
    path = tmp_path / "result.txt"
    path.write_text("older")
    with pytest.raises(ZeroDivisionError), atomic_write(path) as draft:
        draft.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


def test_permissions_are_the_ordinary_ones(tmp_path):
    (tmp_path / "plain.txt").write_text("")
    with atomic_write(tmp_path / "atomic.txt") as draft:
        draft.write_text("")
    modes = {(tmp_path / name).stat().st_mode for name in ("plain.txt", "atomic.txt")}
    assert len(modes) == 1
