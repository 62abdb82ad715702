import os

import pytest

from gddim_tf.quiet import _kept_back


def test_what_is_written_is_shown_on_failure_only(capfd):
    with _kept_back():
        os.write(2, b"oneDNN custom operations are on\n")
    assert capfd.readouterr().err == ""
    with pytest.raises(ImportError), _kept_back():
        os.write(2, b"no such library\n")
        raise ImportError
    assert capfd.readouterr().err == "no such library\n"
