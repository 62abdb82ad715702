import json
import os
import pathlib
import subprocess
import sys

import pytest
import tensorflow as tf

from gddim_tf import serving
from gddim_tf.locking import FolderInUseError, exclusive
from gddim_tf.samplers import DDIM
from tests.conftest import own_model

# Stochastic, so that there are fewer to export: none that encodes, decodes or edits.
SIGNATURES = {"sample_1": (DDIM(eta=1.0), 1)}
READER = pathlib.Path(__file__).parent / "reader.py"
CONFIGURATION = ["batching.config", "compose.yaml", "models.config", "monitoring.config"]


def names(folder):
    return sorted(path.name for path in folder.iterdir() if path.name not in CONFIGURATION)


def test_one_export_at_a_time(tmp_path):
    with (
        exclusive(tmp_path / "served"),
        pytest.raises(FolderInUseError, match="served is in use by process"),
    ):
        serving.export(own_model(), tmp_path / "served", SIGNATURES)
    assert not list((tmp_path / "served").iterdir())


def test_versions_count_up_and_are_never_overwritten(tmp_path):
    model = own_model()
    assert serving.export(model, tmp_path, SIGNATURES).name == "1"
    assert serving.export(model, tmp_path, SIGNATURES, version=7).name == "7"
    assert serving.export(model, tmp_path, SIGNATURES).name == "8"
    with pytest.raises(ValueError, match=r"`version` must be positive and new .*, received 7"):
        serving.export(model, tmp_path, SIGNATURES, version=7)
    with pytest.raises(ValueError, match="`signatures` must name at least one"):
        serving.export(model, tmp_path, {})
    for name in ("sample", "serving_default", "sample_png_1"):
        with pytest.raises(ValueError, match=f"must not use the name '{name}'"):
            serving.export(model, tmp_path, SIGNATURES | {name: (DDIM(), 2)})
    assert names(tmp_path) == ["1", "7", "8"]
    assert serving.export(model, tmp_path, SIGNATURES, keep=2).name == "9"
    assert names(tmp_path) == ["8", "9"]
    with pytest.raises(ValueError, match="`keep` must be at least 1, received 0"):
        serving.export(model, tmp_path, SIGNATURES, keep=0)
    assert serving.export(model, tmp_path, SIGNATURES, version=2, keep=1).name == "2"
    assert names(tmp_path) == ["2", "9"]


def tree(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_only_what_an_export_wrote_is_removed(tmp_path):
    """Images in folders with numbers, a model of somebody else, a note in a version, a link."""
    model, folder = own_model(), tmp_path / "shades"
    for name in ("0", "3", "007", str(10**20), "٤", "١٢"):
        (folder / name).mkdir(parents=True)
        (folder / name / "image.png").write_bytes(b"kept")
    (folder / "5").write_text("a file")
    tf.saved_model.save(tf.Module(), str(folder / "8"))
    before = tree(folder)
    for version in ("9", "10", "11", "12"):  # after all that a server takes for a version
        assert serving.export(model, folder, SIGNATURES).name == version
    (folder / "9" / "notes.txt").write_text("of mine")
    elsewhere = tmp_path / "elsewhere"
    (folder / "10").rename(elsewhere)
    (folder / "10").symlink_to(elsewhere)
    with pytest.warns(UserWarning, match=r"9 is left there, for notes\.txt is not of an export"):
        assert serving.export(model, folder, SIGNATURES, keep=1).name == "13"
    exports = {"9", "10", "13"}
    assert set(names(folder)) == {*exports, "0", "3", "5", "007", "8", str(10**20), "٤", "١٢"}
    assert [
        name for name in tree(folder) if name.split("/")[0] not in exports | set(CONFIGURATION)
    ] == before
    assert (elsewhere / "saved_model.pb").exists()
    assert serving.ServedModel(folder).folder.name == "13"


def test_a_version_is_what_a_server_can_hold(tmp_path):
    model = own_model()
    for version in (0, -1, 2**63, 1.5, True, "../x", "7"):
        with pytest.raises(
            ValueError, match=f"`version` must be a whole number from 1, .*{version}"
        ):
            serving.export(model, tmp_path, SIGNATURES, version=version)
    for keep in (0, 1.5, "2"):
        with pytest.raises(ValueError, match=f"`keep` must be at least 1, received .*{keep}"):
            serving.export(model, tmp_path, SIGNATURES, keep=keep)
    (tmp_path / "007").mkdir()
    with pytest.raises(ValueError, match=r"`version` must be positive and new .*, received 7"):
        serving.export(model, tmp_path, SIGNATURES, version=7)
    largest = 2**63 - 1
    assert serving.export(model, tmp_path, SIGNATURES, version=largest).name == str(largest)
    with pytest.raises(ValueError, match=f"`version` .* received {2**63}"):
        serving.export(model, tmp_path, SIGNATURES)
    assert names(tmp_path) == ["007", str(largest)]


def watched_exports(directory, count):
    """Export `count` times while another process reads the folder; what that process saw."""
    directory.mkdir()
    command = [sys.executable, str(READER), str(directory)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as reader:
        assert reader.stdout.readline() == "watching\n"
        model = own_model()
        for _ in range(count):
            version = serving.export(model, directory, SIGNATURES, keep=2)
            assert reader.stdout.readline() == f"{version.name}\n"  # before it is removed again
        seen, _ = reader.communicate("stop\n", timeout=60)
    return json.loads(seen)


@pytest.mark.parametrize("count", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_a_reader_never_sees_part_of_a_version(tmp_path, count):
    seen = watched_exports(tmp_path / "m", count)
    assert names(tmp_path / "m") == [str(count - 1), str(count)]
    assert set(seen) == {str(version) for version in range(1, count + 1)}
    for first, last in seen.values():
        assert last == first
        assert {"saved_model.pb", "variables/variables.index"} < set(first)
        assert "assets.extra/tf_serving_warmup_requests" in first


def test_a_full_disk_leaves_the_previous_versions(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small tmpfs needs root")
    try:
        model = own_model()
        versions = [serving.export(model, disk / "m", SIGNATURES) for _ in range(2)]
        size = sum(path.stat().st_blocks * 512 for path in versions[0].rglob("*"))
        for left in (0.02 * size, 0.9 * size):  # full at the first file, and near the last
            state = os.statvfs(disk)
            (disk / "filling").write_bytes(bytes(state.f_bavail * state.f_frsize - int(left)))
            before = sorted(str(path) for path in disk.rglob("*"))
            with pytest.raises(OSError, match=r"there is no room on the disk for .*/m"):
                serving.export(model, disk / "m", SIGNATURES, keep=1)
            assert sorted(str(path) for path in disk.rglob("*")) == before
            (disk / "filling").unlink()
        assert all(tf.saved_model.load(str(version)).signatures for version in versions)
    finally:
        subprocess.run(["umount", str(disk)], check=True)
