import json
import subprocess
import sys

import pytest

from gddim_tf import cli
from tests.conftest import own_model

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")

EVALUATE = ["evaluate", "--model", "x", "--out", "x"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--nfe", "10,,20"], "argument --nfe: must be whole numbers separated by commas"),
        (["--strategy", "workers"], "argument --strategy: invalid choice: 'workers'"),
    ],
)
def test_bad_arguments_are_named(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main([*EVALUATE, *arguments])
    assert stop.value.code == 2
    printed = capsys.readouterr().err
    assert message in printed
    assert printed.count("\n") == 1


def test_two_devices_are_evaluated_like_one(tmp_path, capsys):
    path = tmp_path / "model.keras"
    own_model().save(path)
    options = ["evaluate", "--model", str(path), "--nfe", "2", "--count", "9", "--samplers", "ddim"]
    one, both = tmp_path / "one", tmp_path / "both"
    assert cli.main([*options, "--out", str(one)]) == 0
    devices = ["--strategy", "mirrored", "--virtual-devices", "2", "--batch-size", "4"]
    # two devices are what only a process of its own can have, and which knows the network
    code = "import sys, tests.conftest; from gddim_tf import cli; sys.exit(cli.main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, *options, *devices, "--out", str(both)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    rows = [json.loads((out / "results.json").read_text())["rows"][0] for out in (one, both)]
    assert rows[1]["count"] == 9
    assert rows[1]["frechet"] == pytest.approx(rows[0]["frechet"], rel=1e-3)
    # more are made beside those that are there, on one device
    capsys.readouterr()
    options[options.index("9")] = "12"
    assert cli.main([*options, "--out", str(both)]) == 0
    assert "| DDIM | 2 | 12 |" in capsys.readouterr().out
    assert cli.main([*options, "--out", str(both), "--json"]) == 0  # nothing is drawn again
    assert json.loads(capsys.readouterr().out) == json.loads((both / "results.json").read_text())
    assert sorted(path.name for path in both.glob("images/*/*.npz")) == ["000000.npz", "000009.npz"]
