"""The script that lets a shell complete the command line."""

import subprocess
import sys

import pytest

from gddim_tf import cli


@pytest.fixture(scope="module")
def bash_script():
    command = [sys.executable, "-m", "gddim_tf.cli", "--print-completion", "bash"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("gddim-tf ev", "evaluate"),
        ("gddim-tf train --sde c", "cosine cld"),
        ("gddim-tf train --data dig", "digits"),
        ("gddim-tf evaluate --samplers uni", "unipc"),
        ("gddim-tf tune --js", "--json"),
        ("gddim-tf sample --model pic", "pictures.keras"),
    ],
)
def test_bash_completes(bash_script, words, completed, tmp_path):
    (tmp_path / "pictures.keras").touch()
    ask = (
        f"COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); "
        "_shtab_gddim_tf; echo ${COMPREPLY[@]}"
    )
    bash = ["bash", "-c", f"{bash_script}\n{ask}"]
    told = subprocess.run(bash, capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    assert told.strip() == completed


def test_the_script_needs_no_tensorflow():
    code = (
        "import sys\n"
        "from gddim_tf import cli\n"
        "try:\n"
        "    cli.main(['--print-completion', 'zsh'])\n"
        "except SystemExit as stop:\n"
        "    sys.exit(stop.code or 'tensorflow' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_without_shtab_one_line_says_how_to_get_it(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "shtab", None)
    with pytest.raises(SystemExit) as stop:
        cli.main(["--print-completion", "bash"])
    assert stop.value.code == 2
    assert 'pip install "gddim_tf[completion]"' in capsys.readouterr().err
