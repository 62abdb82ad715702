import errno
import os

import pytest

from gddim_tf.atomic import DiskFullError, atomic_write, room_for


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


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk must be mounted")
def test_a_full_disk_is_one_sentence_and_nothing_stays(small_disk):
    path = small_disk / "folder" / "result.txt"
    with atomic_write(path) as draft:
        draft.write_text("older")
    told = f"there is no room on the disk for {path}; make some"
    with pytest.raises(DiskFullError, match=told), atomic_write(path) as draft:
        draft.write_bytes(bytes(400_000))
    assert path.read_text() == "older"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EDQUOT, "over quota"),
        RuntimeError("unable to flush file (errno = 28, error message = 'No space left')"),
    ],
)
def test_every_librarys_word_for_a_full_disk_is_known(error):
    with pytest.raises(DiskFullError, match="for runs/a; make some"), room_for("runs/a"):
        raise error
    with pytest.raises(DiskFullError), room_for("runs/a"):
        try:
            raise error
        except Exception as cause:
            raise ValueError("cannot save") from cause
    with pytest.raises(ValueError, match="something else"), room_for("runs/a"):
        raise ValueError("something else")
