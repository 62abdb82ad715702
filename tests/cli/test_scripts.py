"""The shell scripts, with a stand-in for the Python of the virtual environment."""

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("script", "extras", "command"),
    [
        ("demo.sh", "[evaluation]", f"{ROOT}/scripts/demo.py --out {ROOT}/runs/demo --steps 100"),
        ("test.sh", "[test]", "-m pytest --steps 100"),
    ],
)
def test_arguments_of_a_script_are_not_extras_of_the_package(tmp_path, script, extras, command):
    log, folder = tmp_path / "log", tmp_path / "venv" / "bin"
    folder.mkdir(parents=True)
    for name in ("python", "ruff"):
        stand_in = folder / name
        stand_in.write_text(f'#!/bin/sh\necho "$@" >> {log}\n')
        stand_in.chmod(0o755)
    environment = {"GDDIM_TF_VENV": str(folder.parent), "PYTHON": sys.executable}
    environment["PATH"] = "/usr/bin:/bin"
    arguments = ["bash", str(ROOT / "scripts" / script), "--steps", "100"]
    subprocess.run(arguments, env=environment, check=True)
    calls = log.read_text().splitlines()
    assert [call.split(" -e ")[1] for call in calls if " install " in call] == [f"{ROOT}{extras}"]
    assert calls[-1] == command


@pytest.mark.parametrize(
    ("arguments", "clothes", "code", "told"),
    [
        (["digits", "nonsense"], "", 2, "tuning, likelihood or results, received nonsense\n"),
        (["digits", "tuning"], "idx:/nowhere", 2, "received idx:/nowhere: there is no such folder"),
        (["clothes"], "idx:", 2, "$CLOTHES must be fashion_mnist or idx:FOLDER, received idx:"),
        (["digits", "--help"], "", 0, "scripts/figures.sh [NAME...], all or those named"),
    ],
)
def test_figures_are_looked_at_before_anything_is_made(tmp_path, arguments, clothes, code, told):
    environment = {"GDDIM_TF_VENV": str(tmp_path / "venv"), "PYTHON": "/bin/false"}
    environment |= {"PATH": "/usr/bin:/bin", "CLOTHES": clothes}
    ended = subprocess.run(
        ["bash", str(ROOT / "scripts" / "figures.sh"), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == code
    assert told in (ended.stderr if code else ended.stdout)
    assert "needs Python" not in ended.stderr  # of the environment
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("whole", [True, False])
def test_a_peer_is_there_whole_or_not_at_all(tmp_path, whole):
    """With a Python that makes an environment whose pip has no network."""
    script = tmp_path / "scripts" / "peer.sh"
    script.parent.mkdir()
    script.write_text((ROOT / "scripts" / "peer.sh").read_text())
    made = tmp_path / "build" / "peer" / "bin" / "python"
    made.parent.mkdir(parents=True)
    made.write_text(f"#!/bin/sh\nexit {0 if whole else 1}\n")
    made.chmod(0o755)
    python = tmp_path / "python"
    python.write_text(
        f"#!/bin/sh\nmkdir -p {made.parent}\nprintf 'exit 1' > {made}\nchmod +x {made}\n"
    )
    python.chmod(0o755)
    environment = {"PYTHON": str(python), "PATH": "/usr/bin:/bin"}
    ended = subprocess.run(["sh", str(script)], env=environment, capture_output=True, text=True)
    assert ended.returncode == (0 if whole else 2)
    assert made.exists() == whole
    assert ("could not be installed; is there a network?" in ended.stderr) != whole
