"""What the scripts that draw the pictures of docs/ refuse before they draw."""

import pathlib
import runpy
import sys

import pytest

SCRIPTS = pathlib.Path(__file__).parents[2] / "scripts"


@pytest.mark.parametrize(
    ("script", "arguments", "message"),
    [
        ("clothes", ["--kinds", "vp,xx"], "`--kinds` must be some of vp, cld, bdm, received 'xx'"),
        ("clothes", ["--kinds", ""], "`--kinds` must be some of vp, cld, bdm, received ''"),
        ("tuning", ["nowhere"], "`folders` nowhere: there is no such folder"),
    ],
)
def test_what_is_refused(script, arguments, message, tmp_path, monkeypatch):
    told = runpy.run_path(str(SCRIPTS / f"{script}.py"))
    if script == "clothes":
        monkeypatch.setitem(told["main"].__globals__, "gd", None)  # draws nothing
    out = ["--out", str(tmp_path / "a.png")]
    monkeypatch.setattr(sys, "argv", [script, *arguments, *out])
    with pytest.raises((ValueError, OSError), match=message):
        told["main"]()
