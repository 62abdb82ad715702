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
