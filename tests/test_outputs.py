"""What a command will write is looked at before it works."""

import argparse
import importlib
import os

import pytest

from gddim_tf import cli
from gddim_tf.outputs import Output, check_output, parsed

# Options that name what a command writes, whichever command has them.
NAMES = {"out", "to", "array", "each", "steps_picture", "data_dir"}
REST = {
    "train": ["--steps", "1"],
    "convert": ["nowhere"],
    "prepare": ["digits"],
    "edit": ["--model", "nowhere", "--image", "none.png"],
    "inpaint": ["--model", "nowhere", "--image", "none.png", "--mask", "none.png"],
    "interpolate": ["--model", "nowhere", "--image", "none.png", "none.png"],
}


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_says_what_it_writes_and_refuses_it_first(command, tmp_path, capsys):
    module = importlib.import_module(f"gddim_tf.cli.{command}")
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    names = {action.dest for action in parser._actions} & NAMES
    writes = getattr(module, "WRITES", {})
    assert {option.lstrip("-").replace("-", "_") for option in writes} == names
    file = tmp_path / "file.png"
    file.write_text("")
    for option, kind in writes.items():
        place = tmp_path / "folder.png" if kind in (Output.FILE, Output.PICTURE) else file
        if kind is Output.MODEL:
            place = tmp_path / "model.h5"
        if place != file:
            (tmp_path / "folder.png").mkdir(exist_ok=True)
        rest = REST.get(command, ["--model", "nowhere"])
        needed = [] if option == "--out" or "out" not in names else ["--out", str(tmp_path / "new")]
        if writes.get("--out") is Output.PICTURE and needed:
            needed[1] += ".png"
        for wrong in (place, ""):
            assert cli.main([command, *rest, *needed, option, str(wrong)]) == 2
            told = capsys.readouterr().err
            assert f"`{option}` must " in told and told.count("\n") == 1, told
        assert not (tmp_path / "new").exists()


def test_kinds(tmp_path):
    file, folder, link = tmp_path / "file", tmp_path / "folder", tmp_path / "link"
    file.write_text("")
    folder.mkdir()
    link.symlink_to(tmp_path / "gone")
    for kind, places in {
        Output.FILE: (file, folder / "new", folder / "a" / "b", link),
        Output.PICTURE: (folder / "a.png", folder / "A.JPG"),
        Output.MODEL: (folder, folder / "new", folder / "a.keras"),
        Output.FOLDER: (folder, folder / "a" / "b"),
    }.items():
        for place in places:
            check_output("--out", place, kind)
    for kind, place, message in (
        (Output.FILE, folder, "`--out` must be a file, received the folder"),
        (Output.FILE, file / "deeper", "`--out` must lie in a folder"),
        (Output.PICTURE, folder, "`--out` must end in .png or another of "),
        (Output.MODEL, folder / "a.h5", "`--out` must end in .keras or be a folder"),
        (Output.MODEL, file, "`--out` must be a folder, received .*file is a file"),
        (Output.FOLDER, file / "deeper", "`--out` must be a folder, received .*file is a file"),
    ):
        with pytest.raises(ValueError, match=message):
            check_output("--out", place, kind)
    assert {file, folder, link} == set(tmp_path.iterdir())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_sealed(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError, match=r"`--out` .*: nothing may be written to"):
        check_output("--out", tmp_path / "a", Output.FILE)


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="a folder of the kernel's is needed")
def test_a_folder_in_which_nobody_makes_any(tmp_path):
    for place in ("/proc/nowhere", "/proc/nowhere/deeper", "/proc"):
        with pytest.raises(PermissionError, match=r"`--cells` /proc.*: nothing may be written to "):
            check_output("--cells", place, Output.FOLDER)
    check_output("--cells", tmp_path, Output.FOLDER)
    assert not list(tmp_path.iterdir())


def test_a_program_of_its_own_leaves_with_one_line(tmp_path, capsys):
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", default=str(tmp_path))
    assert parsed(parser, {"--out": Output.FOLDER}, []).out == str(tmp_path)
    with pytest.raises(SystemExit) as stop:
        parsed(parser, {"--out": Output.FILE}, [])
    assert stop.value.code == 2
    assert "error: `--out` must be a file, received the folder" in capsys.readouterr().err
