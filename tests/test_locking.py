import os
import subprocess
import sys

import pytest

from gddim_tf.locking import FolderInUseError, exclusive

_HOLD = """
import sys
from gddim_tf.locking import exclusive
with exclusive(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_is_kept_out_until_it_is_killed(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, tmp_path / "run"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout.readline() == "held\n"
    told = f"run is in use by process {holder.pid} on .* since .*; wait for it, or use another"
    with pytest.raises(FolderInUseError, match=told), exclusive(tmp_path / "run"):
        pass
    holder.kill()
    holder.communicate()
    with exclusive(tmp_path / "run"):  # the system has released what it held
        told = f"process {os.getpid()} on"
        with pytest.raises(FolderInUseError, match=told), exclusive(tmp_path / "run"):
            pass
    assert list((tmp_path / "run").iterdir()) == []
    with exclusive(tmp_path / "run"):
        pass


def test_a_folder_is_left_as_it_was_by_who_put_nothing_into_it(tmp_path):
    with pytest.raises(ValueError, match="refused"), exclusive(tmp_path / "runs" / "new"):
        raise ValueError("refused")
    assert list(tmp_path.iterdir()) == []
    with exclusive(tmp_path / "runs" / "new"):
        (tmp_path / "runs" / "kept").touch()
    with exclusive(tmp_path / "there"):
        (tmp_path / "there" / "kept").touch()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["kept", "kept", "runs", "there"]
