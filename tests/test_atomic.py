import errno
import os
import subprocess
import sys

import pytest

from gddim_tf.atomic import DiskFullError, atomic_write, draft_folder, room_for


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


def test_a_folder_in_the_place_of_the_file_is_named(tmp_path):
    told = f"^{tmp_path} must be a file, and is a folder$"
    with pytest.raises(IsADirectoryError, match=told), atomic_write(tmp_path):
        pass


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
        OSError("6400 requested and 3968 written"),
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


_STOPS_HALFWAY = """
import os, pathlib, sys
from gddim_tf.atomic import atomic_write, draft_folder
with atomic_write(sys.argv[1]) as draft:
    draft.write_text("half")
    with draft_folder(pathlib.Path(sys.argv[1]).parent, ".removing-") as folder:
        (folder / "old").mkdir()
        os.kill(os.getpid(), 9)
"""


def test_what_a_kill_leaves_is_removed_by_the_next_writer(tmp_path):
    path = tmp_path / "result.txt"
    subprocess.run([sys.executable, "-c", _STOPS_HALFWAY, path], check=False)
    assert [name.name.split("-")[0] for name in sorted(tmp_path.iterdir())] == [
        ".removing",
        ".writing",
    ]
    (tmp_path / ".writing-notes").write_text("of somebody else")
    with atomic_write(path) as draft:
        draft.write_text("whole")
    assert sorted(name.name for name in tmp_path.iterdir()) == [".writing-notes", "result.txt"]


def test_what_another_writer_is_at_stays(tmp_path):
    with draft_folder(tmp_path) as first, draft_folder(tmp_path) as second:
        with atomic_write(tmp_path / "result.txt") as draft:
            draft.write_text("whole")
        assert first.is_dir() and second.is_dir()
        second.rename(tmp_path / "1")
    assert sorted(name.name for name in tmp_path.iterdir()) == ["1", "result.txt"]
