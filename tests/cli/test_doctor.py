"""What `gddim-tf doctor` tells."""

import json

from packaging.requirements import Requirement

from gddim_tf import __version__, cli
from gddim_tf.cli import doctor


def test_what_is_installed_is_told(capsys):
    assert cli.main(["doctor", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["version"] == __version__
    assert report["packages"]["tensorflow"]["fits"]
    assert any(device.startswith("CPU") for device in report["devices"])
    assert report["extras"]["evaluation"] == []
    assert cli.main(["doctor"]) == 0
    assert "extra evaluation: installed" in capsys.readouterr().out


def test_what_is_missing_is_told_with_the_extra(capsys, monkeypatch):
    absent = ['no-such-package>=1; extra == "evaluation"', "numpy>=99"]
    monkeypatch.setattr(doctor.metadata, "requires", lambda name: absent)
    assert cli.main(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert 'pip install "gddim_tf[evaluation]" (no-such-package)' in shown
    assert "<- >=99 is needed" in shown


def test_an_extra_holds_what_it_adds():
    requirements = [Requirement("numpy"), Requirement('scipy; extra == "evaluation"')]
    assert [each.name for each in doctor._of("evaluation", requirements)] == ["scipy"]
    assert doctor._of("serving", requirements) == []
